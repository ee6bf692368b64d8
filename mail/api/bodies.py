"""What calls on messages take: bodies and queries."""

import base64
import binascii
import re
from typing import Any

from django.utils.encoding import punycode
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from environments.forms import Body, MetadataField, MomentField, Query, SingleLineField, StrictCharField
from mail.models import Message
from mail.parsing import Address
from mail.services import labels
from mail.services.compose import MEDIA_TYPE, File, media_type

BATCH = 100
MOST_RECIPIENTS = 50
MOST_FILES = 50
MOST_HEADERS = 50
LONGEST_NAME = 200
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
        email = serializers.EmailField(max_length=320).run_validation(given.get("email", ""))
        name = SingleLineField(max_length=LONGEST_NAME, allow_blank=True).run_validation(given.get("name", ""))
        return Address(_with_ascii_domain(email), name)


def _with_ascii_domain(email: str) -> str:
    """Return the address as it can stand in a mail and be connected to (RFC 5890)."""
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{punycode(domain)}"
    except UnicodeError as problem:
        raise serializers.ValidationError("The domain of this address cannot exist.") from problem


class RecipientsField(serializers.ListField):
    """Recipients; a single one may stand without its list."""

    child = RecipientField()

    def to_internal_value(self, data: Any) -> list[Address]:
        return super().to_internal_value([data] if isinstance(data, str | dict) else data)


class LabelsField(serializers.ListField):
    """Labels, put in lower case."""

    child = StrictCharField(max_length=100)

    def to_internal_value(self, data: Any) -> list[str]:
        return labels.normalised(super().to_internal_value(data))


class FileBody(Body):
    """A file to attach: base64 ``content`` with a ``filename``."""

    filename = SingleLineField(max_length=255)
    content = StrictCharField(trim_whitespace=False, allow_blank=True)
    content_type = SingleLineField(max_length=255, default="application/octet-stream")
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
        if not MEDIA_TYPE.fullmatch(given):
            raise serializers.ValidationError("Must be a media type such as application/pdf.")
        return given if media_type(given) else "application/octet-stream"

    def validate_content_id(self, given: str) -> str:
        """Return the id without angle brackets."""
        identifier = given.removeprefix("<").removesuffix(">")
        if not CONTENT_ID.fullmatch(identifier):
            raise serializers.ValidationError("Must be ASCII without blanks or angle brackets.")
        return identifier

    def validate(self, given: dict[str, Any]) -> File:
        """Return the file."""
        return File(**given)


class MailHeadersField(serializers.DictField):
    """Headers of the caller's own."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        given = super().to_internal_value(data)
        if len(given) > MOST_HEADERS:
            raise serializers.ValidationError(f"At most {MOST_HEADERS} headers.")
        return given


class SendBody(Body):
    """A mail to send."""

    to = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    cc = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    bcc = RecipientsField(max_length=MOST_RECIPIENTS, default=list)
    reply_to = RecipientsField(max_length=10, default=list)
    subject = SingleLineField(max_length=998, default="", allow_blank=True)  # RFC 5322 section 2.1.1
    text_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    html_body = StrictCharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    headers = MailHeadersField(child=StrictCharField(max_length=2000), default=dict)
    attachments = serializers.ListField(child=FileBody(), max_length=MOST_FILES, default=list)
    labels = LabelsField(default=list)
    metadata = MetadataField(default=dict)


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

    ids = serializers.ListField(child=StrictCharField(max_length=40), min_length=1, max_length=BATCH)


class BatchUpdateBody(BatchGetBody):
    """Labels to add to, and to remove from, up to 100 messages."""

    add_labels = LabelsField(default=list)
    remove_labels = LabelsField(default=list)


class MessageQuery(Query):
    """Which messages of the list."""

    direction = serializers.ChoiceField(Message.Direction.values, required=False)
    status = serializers.ChoiceField(Message.Status.values, required=False)
    label = serializers.ListField(child=StrictCharField(max_length=100), required=False)
    from_ = StrictCharField(required=False, max_length=320)
    to = StrictCharField(required=False, max_length=320)
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
