"""Mail that arrives as if from outside, over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.destinations import LONGEST_ADDRESS
from environments.errors import NotFound, field_error
from environments.forms import Body, SingleLineField, StrictCharField
from environments.viewsets import EnvironmentViewSet
from inboxes.models import Inbox
from mail.api.bodies import LONGEST_NAME, MOST_FILES, FilesField, MailHeadersField, RecipientField
from mail.api.present import MessageOutput, message_json
from mail.models import Message
from mail.parsing import Address
from mail.parsing.addresses import parse_addresses
from mail.services.simulate import Incoming, Verdicts, simulate

RESULTS = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror")


class VerdictsBody(Body):
    """What is taken for found out about the sender; each is ``pass`` unless it is given."""

    spf = serializers.ChoiceField(RESULTS, default="pass")
    dkim = serializers.ChoiceField([one for one in RESULTS if one != "softfail"], default="pass")
    dmarc = serializers.ChoiceField(["pass", "fail", "none", "temperror", "permerror"], default="pass")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({min(unknown): ["There is no such mechanism."]})
        return super().to_internal_value(data)

    def validate(self, given: dict[str, Any]) -> Verdicts:
        """Return the verdicts."""
        return Verdicts(**given)


class SenderField(RecipientField):
    """Whom a mail is from: as a recipient is given, or as a mail says it, ``Ann <ann@example.com>``."""

    def to_internal_value(self, data: Any) -> Address:
        if isinstance(data, str) and data.endswith(">"):
            written = SingleLineField(max_length=LONGEST_NAME + LONGEST_ADDRESS).run_validation(data)
            found = parse_addresses([written])
            data = {"email": found[0].email, "name": found[0].name} if len(found) == 1 else data
        return super().to_internal_value(data)


class SimulateBody(Body):
    """A mail that is to arrive. One that answers a message may leave out whom it is from and what it is about."""

    from_ = SenderField(required=False)
    subject = SingleLineField(max_length=998, required=False, allow_blank=True)
    text_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    html_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    headers = MailHeadersField(child=StrictCharField(max_length=2000), default=dict)
    attachments = FilesField(max_length=MOST_FILES, default=list)
    in_reply_to_message_id = StrictCharField(max_length=40, required=False, allow_null=True)
    authentication = VerdictsBody(required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}


class SimulateView(EnvironmentViewSet):
    """Mail that arrives as if from outside."""

    resource = "messages"
    model = Message
    item_model = Inbox
    lookup_url_kwarg = "inbox_id"

    @extend_schema(request=SimulateBody, responses={201: MessageOutput})
    def create(self, request: Request, inbox_id: str) -> Response:
        """Let a mail arrive in an inbox as if from outside, judged and told of as any other; not in ``live``: 409.

        ``authentication`` chooses what is found out about its sender. With ``in_reply_to_message_id``, a message that
        the inbox sent (or that was captured), it answers that message as its recipient.
        """
        inbox, given = self.found(inbox_id, Inbox), self.body(SimulateBody)
        incoming = Incoming(
            sender=given.get("from"),
            subject=given.get("subject"),
            text_body=given.get("text_body"),
            html_body=given.get("html_body"),
            headers=given["headers"],
            files=given["attachments"],
            answers=self._answered(inbox, given.get("in_reply_to_message_id")),
            verdicts=given.get("authentication", Verdicts()),
        )
        message = simulate(self.environment, inbox, incoming, actor=self.caller.actor)
        return Response(message_json(self.environment, message), 201)

    def _answered(self, inbox: Inbox, identifier: str | None) -> Message | None:
        if not identifier:
            return None
        try:
            message = self.found(identifier, Message)
        except NotFound:
            message = None
        if message is None or message.inbox_id != inbox.pk or message.direction != Message.Direction.OUTBOUND:
            raise field_error("in_reply_to_message_id", "This inbox sent no such message.")
        return message
