"""Mail that goes out over the API: sent, replied, forwarded, one by one or a hundred at once."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Callable
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.idempotency import HEADER, answered_once
from environments.answers import as_refusal, error_body, request_id
from environments.binding import finish
from environments.errors import Refusal, field_error
from environments.object_store import removed_on_failure
from environments.viewsets import takes
from inboxes.models import Inbox
from mail.api.bodies import BatchSendBody, ForwardBody, MessageQuery, ReplyBody, SendBody, SendQuery
from mail.api.messages import MessagesBase
from mail.api.present import MessageOutput, PlanOutput, message_json, messages_json, plan_json
from mail.models import Message
from mail.services import quotas, replies
from mail.services.compose import Outgoing
from mail.services.replies import Manner, Originals
from mail.services.send import plan, send
from mail.services.unsubscribe import addresses_for

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Makes it safe to send the request again: the same key with the same body is carried out once.",
)
ANSWERS = {200: PlanOutput, 201: MessageOutput}


class BatchResultOutput(serializers.Serializer):
    """What became of one mail of a batch: one of these is there."""

    message = MessageOutput(required=False)
    error = serializers.DictField(required=False)
    plan = PlanOutput(required=False)


class BatchSendOutput(serializers.Serializer):
    """A result for each mail, in their order."""

    data = BatchResultOutput(many=True)


class SendingBase(MessagesBase):
    """What the views that send share."""

    def sent_once(self, request: Request, what: str, inbox: Inbox, made: Callable[[], Outgoing]) -> Response:
        """Send what ``made`` returns and answer with the message, or with what a dry run tells."""
        if self.query()["dry_run"]:
            return Response(plan_json(self.environment, self.planned(inbox, made())))

        def work() -> Response:
            message = send(self.environment, inbox, made(), actor=self.caller.actor)
            return Response(message_json(self.environment, message), 201)

        return answered_once(self.environment, request, what, work)

    def planned(self, inbox: Inbox, outgoing: Outgoing) -> Any:
        """Return what would become of a mail; raise what sending it would raise."""
        actor = self.caller.actor
        planned = plan(self.environment, inbox, outgoing)
        if refusal := quotas.would_exceed(self.environment, inbox, actor, outgoing, planned.emails):
            raise refusal
        return planned


class InboxMessageView(SendingBase):
    """The messages of one inbox."""

    item_model = Inbox
    lookup_url_kwarg = "inbox_id"
    scopes = {"create": "messages:send", "batch": "messages:send"}  # noqa: RUF012 - declared in the base

    @takes(MessageQuery)
    @extend_schema(responses=MessageOutput(many=True))
    def list(self, request: Request, inbox_id: str) -> Response:
        """List the messages of an inbox; those in quarantine with ``status=quarantined``."""
        return self.answer(self.found(inbox_id, Inbox))

    @takes(SendQuery)
    @extend_schema(request=SendBody, parameters=[IDEMPOTENCY_KEY], responses=ANSWERS)
    def create(self, request: Request, inbox_id: str) -> Response:
        """Send a mail from an inbox. In a ``capture`` environment it is stored and marked captured; nothing leaves.

        With an ``Idempotency-Key``, a request that is made again within 24 hours gets the first answer again, and
        nothing is sent twice. With ``dry_run=true`` it tells what would happen, and why, and writes nothing.
        """
        inbox, given = self.found(inbox_id, Inbox), self.body(SendBody)
        return self.sent_once(request, f"send from {inbox_id}", inbox, lambda: outgoing_from(inbox, given))

    @takes(SendQuery)
    @extend_schema(request=BatchSendBody, parameters=[IDEMPOTENCY_KEY], responses={200: BatchSendOutput})
    def batch(self, request: Request, inbox_id: str) -> Response:
        """Send up to 100 mails that have nothing to do with one another.

        ``data`` holds a result for each, in their order: ``{"message"}`` or ``{"error"}``. One that is refused keeps
        none of the others back. The messages come without their bodies. An ``Idempotency-Key`` is for all of them.
        """
        inbox, given = self.found(inbox_id, Inbox), self.body(BatchSendBody)["messages"]
        if self.query()["dry_run"]:
            return Response({"data": [self._result(inbox, one, self._told) for one in given]})

        def work() -> Response:
            return Response({"data": [self._result(inbox, one, self._sent) for one in given]})

        return answered_once(self.environment, request, f"send a batch from {inbox_id}", work)

    def _result(self, inbox: Inbox, given: dict[str, Any], done: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        """Return what became of one mail; when it is refused, nothing of it stays."""
        try:
            with removed_on_failure(), transaction.atomic():
                return done(inbox, outgoing_from(inbox, self._read(given)))
        except (Refusal, exceptions.ValidationError) as problem:
            refusal = as_refusal(problem) or Refusal()
            finish(refusal)
            return error_body(refusal, request_id(self.request))

    def _read(self, given: dict[str, Any]) -> dict[str, Any]:
        reader = SendBody(data=given, context=self.get_serializer_context())
        if unknown := given.keys() - reader.fields.keys():
            raise field_error(min(unknown), "A mail has no such field.")
        reader.is_valid(raise_exception=True)
        return reader.validated_data

    def _sent(self, inbox: Inbox, outgoing: Outgoing) -> dict[str, Any]:
        message = send(self.environment, inbox, outgoing, actor=self.caller.actor)
        return {"message": messages_json(self.environment, [message], with_bodies=False)[0]}

    def _told(self, inbox: Inbox, outgoing: Outgoing) -> dict[str, Any]:
        return {"plan": plan_json(self.environment, self.planned(inbox, outgoing))}


class AnswerView(SendingBase):
    """What is made of a message that is there: replies and forwards."""

    scopes = dict.fromkeys(("reply", "reply_all", "forward"), "messages:send")

    @takes(SendQuery)
    @extend_schema(request=ReplyBody, parameters=[IDEMPOTENCY_KEY], responses=ANSWERS)
    def reply(self, request: Request, pk: str) -> Response:
        """Reply to who sent a message, or to the recipients of one's own, from the inbox that it is in.

        A message that has an answer is not answered twice: 409 ``already_replied`` names the answer, unless
        ``if_not_replied`` is false.
        """
        return self._replied(request, pk, to_all=False)

    @takes(SendQuery)
    @extend_schema(request=ReplyBody, parameters=[IDEMPOTENCY_KEY], responses=ANSWERS)
    def reply_all(self, request: Request, pk: str) -> Response:
        """Reply to everybody who has a message, except the inbox itself."""
        return self._replied(request, pk, to_all=True)

    def _replied(self, request: Request, pk: str, *, to_all: bool) -> Response:
        message, given = self._message(pk), self.body(ReplyBody)
        manner, once = Manner(to_all=to_all, quotes=given.pop("quote")), given.pop("if_not_replied")

        def made() -> Outgoing:
            answer = replies.reply(self.environment, message.inbox, message, outgoing_of(given), manner)
            if once:
                replies.answer_once(self.environment, message)
            return answer

        return self.sent_once(request, f"reply{' to all' if to_all else ''} to {pk}", message.inbox, made)

    @takes(SendQuery)
    @extend_schema(request=ForwardBody, parameters=[IDEMPOTENCY_KEY], responses=ANSWERS)
    def forward(self, request: Request, pk: str) -> Response:
        """Forward a message from the inbox that it is in, below what is written, with its files."""
        message, given = self._message(pk), self.body(ForwardBody)
        originals = Originals(given.pop("original_attachments"))

        def made() -> Outgoing:
            return replies.forward(self.environment, message, outgoing_of(given), originals)

        return self.sent_once(request, f"forward {pk}", message.inbox, made)

    def _message(self, pk: str) -> Message:
        message: Message = self.found(pk)
        message.inbox = self.rows(Inbox).get(pk=message.inbox_id)
        return message


def outgoing_of(given: dict[str, Any]) -> Outgoing:
    """Return the mail that a validated body describes."""
    return Outgoing(files=given["attachments"], **{name: given[name] for name in given.keys() - {"attachments"}})


def outgoing_from(inbox: Inbox, given: dict[str, Any]) -> Outgoing:
    """Return the mail that a validated ``SendBody`` describes, with a link to unsubscribe where one is asked for."""
    fields = {name: value for name, value in given.items() if name != "list_unsubscribe"}
    if given["list_unsubscribe"]:
        fields["list_unsubscribe"] = addresses_for(inbox, given["to"][0].email)
    return outgoing_of(fields)
