"""What calls on messages take: bodies and queries."""

import base64
import binascii
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from environments import clock
from environments.destinations import LONGEST_ADDRESS
from environments.forms import (
    Body,
    MetadataField,
    MomentField,
    Query,
    ShortDictField,
    ShortListField,
    SingleLineField,
    StrictCharField,
)
from mail.models import Message
from mail.parsing import Address
from mail.services import labels, uploads
from mail.services.addresses import sendable
from mail.services.compose import MEDIA_TYPE, File, media_type
from mail.services.replies import MOST_RECIPIENTS, Originals

BATCH = 100
MOST_FILES = 50
MOST_HEADERS = 50
LONGEST_NAME = 200
LATE = timedelta(minutes=1)
FARTHEST = timedelta(days=30)
CONTENT_ID = re.compile(r"[!-;=?-~]+")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "email"},
            {
                "type": "object",
                "required": ["email"],
                "properties": {"email": {"type": "string", "format": "email"}, "name": {"type": "string"}},
            },
        ]
    }
)
class RecipientField(serializers.Field):
    """A recipient: ``{"email", "name"?}``, or the address as a plain string."""

    def to_internal_value(self, data: Any) -> Address:
        given = {"email": data} if isinstance(data, str) else data
        if (
            not isinstance(given, dict)
            or given.keys() - {"email", "name"}
            or not isinstance(given.get("name", ""), str)
        ):
            raise serializers.ValidationError("Must be an address, or an object with email and name.")
        email = StrictCharField(max_length=LONGEST_ADDRESS).run_validation(given.get("email", ""))
        name = SingleLineField(max_length=LONGEST_NAME, allow_blank=True).run_validation(given.get("name", ""))
        if (address := sendable(email, name)) is None:
            raise serializers.ValidationError("Enter a valid e-mail address.")
        return address


class RecipientsField(ShortListField):
    """Recipients; a single one may stand without its list."""

    child = RecipientField()

    def to_internal_value(self, data: Any) -> list[Address]:
        return super().to_internal_value([data] if isinstance(data, str | dict) else data)


class LabelsField(ShortListField):
    """Labels, put in lower case."""

    most = labels.MOST
    child = StrictCharField(max_length=100)

    def to_internal_value(self, data: Any) -> list[str]:
        return labels.normalised(super().to_internal_value(data))


class FileBody(Body):
    """A file to attach: base64 ``content`` with a ``filename``; the ``key`` of an upload; or an ``attachment_id``.

    What is said of a file that is there already, name, type or Content-ID, takes the place of its own.
    """

    filename = SingleLineField(max_length=255, required=False)
    content = StrictCharField(trim_whitespace=False, allow_blank=True, required=False)
    key = StrictCharField(max_length=40, required=False)
    attachment_id = StrictCharField(max_length=40, required=False)
    content_type = SingleLineField(max_length=255, required=False)
    mime_type = SingleLineField(max_length=255, required=False, help_text="Another name for content_type.")
    content_id = SingleLineField(max_length=255, required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({min(unknown): ["An attachment has no such field."]})
        return super().to_internal_value(data)

    def validate_content(self, given: str) -> bytes:
        """Return the bytes; line breaks in base64 mean nothing."""
        try:
            return base64.b64decode("".join(given.split()), validate=True)
        except (binascii.Error, ValueError) as problem:
            raise serializers.ValidationError("Must be base64.") from problem

    def validate_content_type(self, given: str) -> str:
        """Return the type; one with parts of its own is stored as plain bytes."""
        return content_type(given)

    def validate_mime_type(self, given: str) -> str:
        """Return the type."""
        return content_type(given)

    def validate_content_id(self, given: str) -> str:
        """Return the id without angle brackets."""
        identifier = given.removeprefix("<").removesuffix(">")
        if not CONTENT_ID.fullmatch(identifier):
            raise serializers.ValidationError("Must be ASCII without blanks or angle brackets.")
        return identifier

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with one name for the type, and one source of the bytes."""
        kind = given.pop("mime_type", None)
        if kind and given.setdefault("content_type", kind) != kind:
            raise serializers.ValidationError({"mime_type": ["Is another name for content_type: give one of them."]})
        if len(given.keys() & {"content", "key", "attachment_id"}) != 1:
            raise serializers.ValidationError({"content": ["Give one of content, key and attachment_id."]})
        if "content" in given and "filename" not in given:
            raise serializers.ValidationError({"filename": ["This field is required."]})
        return given


def content_type(given: str) -> str:
    """Return a media type as files carry it; raise ValidationError for what is none."""
    if not MEDIA_TYPE.fullmatch(given):
        raise serializers.ValidationError("Must be a media type such as application/pdf.")
    return given if media_type(given) else "application/octet-stream"


class FilesField(ShortListField):
    """Files to attach. Those that are on the server already are looked up at once: one query for each kind."""

    child = FileBody()

    def to_internal_value(self, data: Any) -> list[File]:
        given = super().to_internal_value(data)
        environment = self.context["environment"]
        known = {
            **uploads.uploaded_files(environment, {one["key"] for one in given if "key" in one}),
            **uploads.attached_files(environment, {one["attachment_id"] for one in given if "attachment_id" in one}),
        }
        return [_file(one, known) for one in given]


def _file(given: dict[str, Any], known: dict[str, File]) -> File:
    """Return the file, or the known one with what is said of it; the same refusal for all that is not known."""
    fields = {name: given[name] for name in ("filename", "content_type", "content_id") if name in given}
    if "content" in given:
        fields.setdefault("content_type", "application/octet-stream")
        return File(content=given["content"], **fields)
    name = given.get("key") or given.get("attachment_id") or ""
    if name not in known:
        raise serializers.ValidationError(f"There is no file {name} to attach.")
    return replace(known[name], **fields)


class MailHeadersField(ShortDictField):
    """Headers of the caller's own."""

    most = MOST_HEADERS
    too_many = f"At most {MOST_HEADERS} headers."


class SendAtField(MomentField):
    """When to send: up to 30 days ahead; a moment that has just passed means now."""

    def to_internal_value(self, value: Any) -> datetime:
        moment, now = super().to_internal_value(value), clock.now()
        if moment < now - LATE:
            raise serializers.ValidationError("Lies in the past.")
        if moment > now + FARTHEST:
            raise serializers.ValidationError(f"May lie at most {FARTHEST.days} days ahead.")
        return moment


class WrittenBody(Body):
    """What is written, whoever it goes to."""

    cc = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    bcc = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    reply_to = RecipientsField(max_length=10, default=list)
    subject = SingleLineField(max_length=998, default="", allow_blank=True)  # RFC 5322 section 2.1.1
    text_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    html_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    headers = MailHeadersField(child=StrictCharField(max_length=2000), default=dict)
    attachments = FilesField(max_length=MOST_FILES, default=list)
    labels = LabelsField(default=list)
    metadata = MetadataField(default=dict)
    send_at = SendAtField(required=False, allow_null=True)


class SendBody(WrittenBody):
    """A mail to send. With ``list_unsubscribe``, its one recipient can get off with one click (RFC 8058)."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    list_unsubscribe = serializers.BooleanField(default=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the fields; a link to unsubscribe is for one recipient, as everybody gets the same mail."""
        if given["list_unsubscribe"] and (len(given["to"]) != 1 or given["cc"] or given["bcc"]):
            raise serializers.ValidationError({"list_unsubscribe": ["Needs exactly one recipient, in to."]})
        return given


class ReplyBody(WrittenBody):
    """A reply. Recipients and subject follow from the message where they are not given."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    quote = serializers.BooleanField(default=True, help_text="Whether the message stands below the reply.")
    if_not_replied = serializers.BooleanField(
        default=True, help_text="Refuse with 409 already_replied when the message has an answer."
    )


class ForwardBody(WrittenBody):
    """A forward. ``attachments`` are more files; what the message had goes along as ``original_attachments`` says."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    original_attachments = serializers.ChoiceField(
        [one.value for one in Originals],
        default=Originals.INLINE.value,
        help_text="inline: each file as it was; eml: the whole message as one file, byte for byte; none: text only.",
    )


class BatchSendBody(Body):
    """Up to 100 mails, each as in ``POST /inboxes/{id}/messages``."""

    messages = ShortListField(child=serializers.DictField(), min_length=1, max_length=BATCH)


class UploadBody(Body):
    """A file that is going to be uploaded."""

    filename = SingleLineField(max_length=255)
    mime_type = SingleLineField(max_length=255, default="application/octet-stream")
    size = serializers.IntegerField(min_value=0, max_value=2**40)

    def validate_mime_type(self, given: str) -> str:
        """Return the type."""
        return content_type(given)


class SendQuery(Query):
    """Whether to send at all."""

    dry_run = serializers.BooleanField(default=False)


class LabelsBody(Body):
    """Labels to add or remove."""

    labels = LabelsField(min_length=1)


class MessageChanges(Body):
    """What may change in a message: its labels."""

    labels = LabelsField()


class BatchGetBody(Body):
    """Up to 100 ids."""

    ids = ShortListField(child=StrictCharField(max_length=40), min_length=1, max_length=BATCH)


class BatchUpdateBody(BatchGetBody):
    """Labels to add to, and to remove from, up to 100 messages."""

    add_labels = LabelsField(default=list)
    remove_labels = LabelsField(default=list)


class OneMessageQuery(Query):
    """What to tell of a message beside itself."""

    include = serializers.ChoiceField(["codes"], required=False)


class MessageQuery(Query):
    """Which messages of the list."""

    direction = serializers.ChoiceField(Message.Direction.values, required=False)
    status = serializers.ChoiceField(Message.Status.values, required=False)
    label = ShortListField(child=StrictCharField(max_length=100), required=False)
    from_ = StrictCharField(required=False, max_length=LONGEST_ADDRESS)
    to = StrictCharField(required=False, max_length=LONGEST_ADDRESS)
    subject = StrictCharField(required=False, max_length=200)
    before = MomentField(required=False)
    after = MomentField(required=False)
    has_attachments = serializers.BooleanField(required=False, allow_null=True, default=None)
    thread_id = StrictCharField(required=False, max_length=40)
    q = StrictCharField(required=False, max_length=2000, help_text="As the query of POST /search.")
    include = serializers.ChoiceField(["body"], required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}
