"""The intake ledger over the API: why a mail did or did not arrive."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.destinations import LONGEST_ADDRESS
from environments.forms import MomentField, Query, StrictCharField
from environments.ids import first_at
from environments.viewsets import EnvironmentViewSet, takes
from mail.models import IntakeEntry
from mail.reasons import REASONS
from mail.services.ledger import mailbox_of
from mail.services.rows import storable_address


class IntakeQuery(Query):
    """Which entries of the ledger."""

    recipient = StrictCharField(
        required=False,
        max_length=LONGEST_ADDRESS,
        help_text="The address that the mail was for. Without a plus tag it finds the address with any tag, too.",
    )
    sender = StrictCharField(
        required=False, max_length=LONGEST_ADDRESS, help_text="The envelope sender, or the address in From."
    )
    outcome = serializers.ChoiceField(IntakeEntry.Outcome.values, required=False)
    before = MomentField(required=False)
    after = MomentField(required=False)


class IntakeOutput(serializers.Serializer):
    """One recipient of one SMTP transaction, and what became of the mail there."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    transaction_id = serializers.UUIDField(help_text="Shared by the entries of one mail in this environment.")
    outcome = serializers.ChoiceField(IntakeEntry.Outcome.values)
    reason = serializers.ChoiceField(tuple(REASONS))
    explanation = serializers.CharField(help_text="The reason as a sentence.")
    stage = serializers.ChoiceField(IntakeEntry.Stage.values, help_text="How far the transaction came.")
    reply = serializers.CharField(
        allow_null=True, help_text="What the sending server was answered; null if the connection ended before."
    )
    count = serializers.IntegerField(help_text="How often the same was refused within about a minute.")
    recipient = serializers.CharField(help_text="As given in RCPT, in lower case.")
    envelope_sender = serializers.CharField(help_text="Empty for the null sender, as bounces have it.")
    from_email = serializers.CharField(allow_null=True)
    message_id_header = serializers.CharField(allow_null=True)
    inbox_id = serializers.CharField(allow_null=True)
    message_id = serializers.CharField(allow_null=True, help_text="The message, while it is there.")
    rule_id = serializers.CharField(allow_null=True, help_text="The filter rule that decided.")
    verdicts = serializers.DictField(help_text="What the decision rests on: authentication, flags.")
    size = serializers.IntegerField(allow_null=True)
    peer = serializers.CharField(allow_null=True)
    helo = serializers.CharField()
    tls = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def intake_json(entry: IntakeEntry) -> dict[str, Any]:
    """Return the intake object."""
    return {
        "id": entry.pk,
        "environment_id": entry.environment_id,
        "transaction_id": str(entry.transaction_id),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "explanation": entry.explanation,
        "stage": entry.stage,
        "reply": entry.reply or None,
        "count": entry.count,
        "recipient": entry.recipient,
        "envelope_sender": entry.envelope_sender,
        "from_email": entry.from_email or None,
        "message_id_header": entry.message_id_header or None,
        "inbox_id": entry.inbox_id,
        "message_id": entry.message_id,
        "rule_id": entry.rule_id or None,
        "verdicts": entry.verdicts,
        "size": entry.size,
        "peer": entry.peer,
        "helo": entry.helo,
        "tls": entry.tls,
        "created_at": written(entry.created_at),
    }


class IntakeView(EnvironmentViewSet):
    """The intake ledger of an environment."""

    resource = "messages"
    model = IntakeEntry

    @takes(IntakeQuery)
    @extend_schema(responses=IntakeOutput(many=True))
    def list(self, request: Request) -> Response:
        """List what came for the environment's addresses, also what was refused or put off, the newest first.

        It answers why a mail did not arrive: ask with its ``recipient`` or ``sender``.
        """
        return self.listed(self._narrowed(self.query()), present)

    def _narrowed(self, asked: dict[str, Any]) -> QuerySet:
        rows = self.get_queryset()
        if "recipient" in asked:
            recipient = storable_address(asked["recipient"])
            rows = rows.filter(mailbox=mailbox_of(recipient))
            if mailbox_of(recipient) != recipient:
                rows = rows.filter(recipient=recipient)
        if "sender" in asked:
            sender = storable_address(asked["sender"])
            rows = rows.filter(Q(envelope_sender=sender) | Q(from_email=sender))
        if "outcome" in asked:
            rows = rows.filter(outcome=asked["outcome"])
        if "before" in asked:
            rows = rows.filter(pk__lt=first_at("itk", asked["before"]))
        if "after" in asked:
            rows = rows.filter(pk__gte=first_at("itk", asked["after"]))
        return rows

    @extend_schema(responses=IntakeOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one entry of the ledger."""
        return Response(intake_json(self.found(pk)))


def present(entries: list[IntakeEntry]) -> list[dict[str, Any]]:
    """Return intake objects."""
    return [intake_json(entry) for entry in entries]
