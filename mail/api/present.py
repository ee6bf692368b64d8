"""How mail looks in the API. Each ``…Output`` describes to the schema what its ``…_json`` builds."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers

from environments.clock import written
from environments.models import Environment
from environments.remembered import Remembered
from mail import codes
from mail.models import Attachment, Message, MessageRecipient, Thread
from mail.services import labels as label_services
from mail.services.fence import fenced
from mail.services.links import sign
from mail.services.outbound import Plan

BODIES = ("text_body", "html_body", "extracted_text", "extracted_html")


class AddressOutput(serializers.Serializer):
    """A mailbox."""

    email = serializers.CharField()
    name = serializers.CharField()


class AuthenticationOutput(serializers.Serializer):
    """What the sender's authentication came to; null for what was not checked."""

    spf = serializers.CharField(allow_null=True)
    dkim = serializers.CharField(allow_null=True)
    dmarc = serializers.CharField(allow_null=True)
    arc = serializers.CharField(allow_null=True)
    aligned = serializers.BooleanField(allow_null=True)
    details = serializers.DictField(help_text="Why, for each mechanism: domains, selectors, policies and reasons.")


NOT_AUTHENTICATED: dict[str, Any] = {**dict.fromkeys(("spf", "dkim", "dmarc", "arc", "aligned")), "details": {}}


class ReasonOutput(serializers.Serializer):
    """Why a message is, or was, in quarantine."""

    code = serializers.CharField()
    explanation = serializers.CharField()
    rule_id = serializers.CharField(allow_null=True)


class AttachmentOutput(serializers.Serializer):
    """A file; ``download_url`` is there when one attachment is asked for."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    message_id = serializers.CharField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    content_id = serializers.CharField(allow_null=True)
    is_inline = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    download_url = serializers.CharField(required=False)
    download_url_expires_at = serializers.DateTimeField(required=False)


def attachment_json(attachment: Attachment, *, with_link: bool = False) -> dict[str, Any]:
    """Return the attachment object; ``with_link`` adds a short-lived signed URL."""
    link: dict[str, Any] = {}
    if with_link:
        token, until = sign(attachment)
        url = f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/attachments/{attachment.pk}/download?token={token}"
        link = {"download_url": url, "download_url_expires_at": written(until)}
    return {
        "id": attachment.pk,
        "environment_id": attachment.environment_id,
        "message_id": attachment.message_id,
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "content_id": attachment.content_id or None,
        "is_inline": attachment.is_inline,
        "created_at": written(attachment.created_at),
        **link,
    }


class RecipientOutput(serializers.Serializer):
    """One recipient of an outgoing message, and what became of it there."""

    kind = serializers.ChoiceField(["to", "cc", "bcc"])
    email = serializers.CharField()
    status = serializers.ChoiceField(Message.Status.values)
    reason = serializers.CharField()
    explanation = serializers.CharField()


class LinkOutput(serializers.Serializer):
    """A link in a mail; ``text`` is what it shows."""

    url = serializers.CharField()
    text = serializers.CharField()
    kind = serializers.ChoiceField([one.value for one in codes.Kind])


class CodesOutput(serializers.Serializer):
    """What a mail asks to type in, the likeliest first, and to follow, in reading order."""

    one_time_codes = serializers.ListField(child=serializers.CharField(), max_length=10)
    links = LinkOutput(many=True)


class MessageOutput(serializers.Serializer):
    """A message. Lists leave the bodies and ``text_for_model`` out unless ``include=body``."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    inbox_id = serializers.CharField()
    thread_id = serializers.CharField()
    direction = serializers.ChoiceField(Message.Direction.values)
    status = serializers.ChoiceField(Message.Status.values)
    subject = serializers.CharField()
    from_address = AddressOutput()
    to_addresses = AddressOutput(many=True)
    cc_addresses = AddressOutput(many=True)
    bcc_addresses = AddressOutput(many=True)
    reply_to_addresses = AddressOutput(many=True)
    message_id_header = serializers.CharField(allow_null=True)
    in_reply_to = serializers.CharField(allow_null=True)
    references = serializers.ListField(child=serializers.CharField())
    date = serializers.DateTimeField(allow_null=True)
    text_body = serializers.CharField(required=False, allow_null=True)
    html_body = serializers.CharField(required=False, allow_null=True)
    extracted_text = serializers.CharField(required=False)
    extracted_html = serializers.CharField(required=False, allow_null=True)
    text_for_model = serializers.CharField(
        required=False,
        help_text="The extracted text between markers that hold a fresh random nonce, with flags and authentication in "
        "front: what to show a language model, so that it can tell what others wrote from what it was told.",
    )
    snippet = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    has_attachments = serializers.BooleanField()
    attachments = AttachmentOutput(many=True)
    headers = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    size = serializers.IntegerField()
    authentication = AuthenticationOutput()
    flags = serializers.ListField(child=serializers.CharField())
    flag_evidence = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    automatic = serializers.ChoiceField(Message.Automatic.values, allow_null=True)
    report = serializers.DictField(allow_null=True)
    quarantine_reasons = ReasonOutput(many=True)
    metadata = serializers.DictField()
    recipients = RecipientOutput(many=True, help_text="Of an outgoing message; empty for one that came in.")
    send_at = serializers.DateTimeField(allow_null=True)
    replies_to_message_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    one_time_codes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="With include=codes, of one message."
    )
    links = LinkOutput(many=True, required=False)


def _of_messages(model: type[Attachment | MessageRecipient]) -> Remembered[Any]:
    """Return the query of what hangs on messages: called with the environment's id, and theirs."""

    def build(environment_id: str, ids: Sequence[str]) -> QuerySet[Any]:
        rows: QuerySet[Any] = model.objects.in_environment(Environment(pk=environment_id))
        return rows.filter(message__in=ids).order_by("pk")

    return Remembered(build, "env", ["msg"])


_ATTACHMENTS, _RECIPIENTS = _of_messages(Attachment), _of_messages(MessageRecipient)


def messages_json(
    environment: Environment, messages: Sequence[Any], *, with_bodies: bool = True
) -> list[dict[str, Any]]:
    """Return message objects, of rows or of what stands for them in a list (``mail.api.listing``).

    Their labels, attachments and recipients are read in one query each.
    """
    labels = label_services.of_messages(environment, [message.pk for message in messages])
    recipients = _recipients(environment, messages)
    attachments: dict[str, list[dict[str, Any]]] = {message.pk: [] for message in messages}
    holders = [message for message in messages if message.has_attachments]
    for row in _ATTACHMENTS(environment.pk, [message.pk for message in holders]):
        attachments[row.message_id].append(attachment_json(row))
    return [
        {**_message_json(row, labels[row.pk], attachments[row.pk], with_bodies=with_bodies), **recipients[row.pk]}
        for row in messages
    ]


def _recipients(environment: Environment, messages: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the recipients of those messages that went out."""
    found: dict[str, dict[str, Any]] = {message.pk: {"recipients": []} for message in messages}
    outgoing = [message for message in messages if message.direction == Message.Direction.OUTBOUND]
    for row in _RECIPIENTS(environment.pk, [message.pk for message in outgoing]):
        shown = {name: getattr(row, name) for name in ("kind", "email", "status", "reason", "explanation")}
        found[row.message_id]["recipients"].append(shown)
    return found


def message_json(environment: Environment, message: Message) -> dict[str, Any]:
    """Return one message object, bodies included."""
    return messages_json(environment, [message])[0]


def _message_json(
    message: Any, labels: list[str], attachments: list[dict[str, Any]], *, with_bodies: bool
) -> dict[str, Any]:
    return {
        "id": message.pk,
        "environment_id": message.environment_id,
        "inbox_id": message.inbox_id,
        "thread_id": message.thread_id,
        "direction": message.direction,
        "status": message.status,
        "subject": message.subject,
        "from_address": {"email": message.from_email, "name": message.from_name},
        "to_addresses": message.to_addresses,
        "cc_addresses": message.cc_addresses,
        "bcc_addresses": message.bcc_addresses,
        "reply_to_addresses": message.reply_to_addresses,
        "message_id_header": message.message_id_header or None,
        "in_reply_to": message.in_reply_to or None,
        "references": message.references,
        "date": written(message.date),
        **(_bodies(message, attachments) if with_bodies else {}),
        "snippet": message.snippet,
        "labels": labels,
        "has_attachments": message.has_attachments,
        "attachments": attachments,
        "headers": message.headers,
        "size": message.size,
        "authentication": {**NOT_AUTHENTICATED, **message.authentication},
        "flags": message.flags,
        "flag_evidence": message.flag_evidence,
        "automatic": message.automatic or None,
        "report": message.report,
        "quarantine_reasons": message.quarantine_reasons,
        "metadata": message.metadata,
        "send_at": written(message.send_at),
        "replies_to_message_id": message.answers_id,
        "created_at": written(message.created_at),
        "updated_at": written(message.updated_at),
    }


def _bodies(message: Message, attachments: Sequence[dict[str, Any]]) -> dict[str, Any]:
    shown = fenced(message, [attachment["filename"] for attachment in attachments])
    return {**{name: getattr(message, name) for name in BODIES}, "text_for_model": shown}


def codes_json(message: Message) -> dict[str, Any]:
    """Return the codes and links in a message."""
    found = codes.find(message.subject, message.text_body, message.html_body)
    return {"one_time_codes": list(found.codes), "links": [asdict(link) for link in found.links]}


class DecisionOutput(serializers.Serializer):
    """What would become of the mail at one recipient, and why."""

    kind = serializers.ChoiceField(["to", "cc", "bcc"])
    email = serializers.CharField()
    status = serializers.ChoiceField(Message.Status.values)
    reason = serializers.CharField()
    explanation = serializers.CharField()
    goes_to = serializers.CharField(allow_null=True, help_text="The address that the mail would really go to.")


class PlanOutput(serializers.Serializer):
    """What would happen to a mail."""

    dry_run = serializers.BooleanField()
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values)
    size = serializers.IntegerField()
    waits = serializers.CharField(allow_null=True, help_text="Why it would wait: scheduled, or a pause.")
    recipients = DecisionOutput(many=True)


def plan_json(environment: Environment, planned: Plan) -> dict[str, Any]:
    """Return what a dry run answers."""
    return {
        "dry_run": True,
        "delivery_mode": environment.delivery_mode,
        "size": len(planned.raw),
        "waits": planned.hold.reason if planned.hold else None,
        "recipients": [
            {**asdict(one), "status": planned.status_of(one), "goes_to": one.goes_to or None}
            for one in planned.decisions
        ],
    }


class ThreadOutput(serializers.Serializer):
    """A conversation of one inbox."""

    id = serializers.CharField()
    inbox_id = serializers.CharField()
    environment_id = serializers.CharField()
    subject = serializers.CharField()
    message_count = serializers.IntegerField()
    last_message_at = serializers.DateTimeField()
    labels = serializers.ListField(child=serializers.CharField())
    participants = AddressOutput(many=True)
    snippet = serializers.CharField()
    created_at = serializers.DateTimeField()


class MessagePage(serializers.Serializer):
    """A page of messages."""

    data = MessageOutput(many=True)
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class ThreadWithMessagesOutput(ThreadOutput):
    """A conversation with a page of its messages, the newest first."""

    messages = MessagePage()


def threads_json(environment: Environment, threads: Sequence[Thread]) -> list[dict[str, Any]]:
    """Return thread objects; their labels are read in one query."""
    labels = label_services.of(environment, threads)
    return [
        {
            "id": thread.pk,
            "inbox_id": thread.inbox_id,
            "environment_id": thread.environment_id,
            "subject": thread.subject,
            "message_count": thread.message_count,
            "last_message_at": written(thread.last_message_at),
            "labels": labels[thread.pk],
            "participants": thread.participants,
            "snippet": thread.snippet,
            "created_at": written(thread.created_at),
        }
        for thread in threads
    ]
