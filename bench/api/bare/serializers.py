"""The answers, as serializers of models."""

from typing import Any

from rest_framework import serializers

from environments.clock import written
from mail.models import Attachment, Message, MessageRecipient
from mail.services.fence import fenced

BODIES = ("text_body", "html_body", "extracted_text", "extracted_html")
VERDICTS = ("spf", "dkim", "dmarc", "arc", "aligned")


class MomentField(serializers.DateTimeField):
    """A time with milliseconds."""

    def to_representation(self, value: Any) -> Any:
        return written(value)


class EmptyIsNull(serializers.CharField):
    """Text, or null for none."""

    def to_representation(self, value: str) -> Any:
        return value or None


class AttachmentSerializer(serializers.ModelSerializer):
    """A file."""

    environment_id = serializers.CharField()
    message_id = serializers.CharField()
    content_id = EmptyIsNull()
    created_at = MomentField()

    class Meta:
        model = Attachment
        fields = ("id", "environment_id", "message_id", "filename", "content_type", "size", "content_id", "is_inline")
        fields = (*fields, "created_at")


class RecipientSerializer(serializers.ModelSerializer):
    """A recipient of a message that went out."""

    class Meta:
        model = MessageRecipient
        fields = ("kind", "email", "status", "reason", "explanation")


class MessageSerializer(serializers.ModelSerializer):
    """A message; what hangs on it was read for the whole page, and is in the context."""

    environment_id = serializers.CharField()
    inbox_id = serializers.CharField()
    thread_id = serializers.CharField()
    from_address = serializers.SerializerMethodField()
    message_id_header = EmptyIsNull()
    in_reply_to = EmptyIsNull()
    date = MomentField()
    labels = serializers.SerializerMethodField()
    attachments = serializers.SerializerMethodField()
    recipients = serializers.SerializerMethodField()
    authentication = serializers.SerializerMethodField()
    automatic = EmptyIsNull()
    send_at = MomentField()
    replies_to_message_id = serializers.CharField(source="answers_id")
    created_at = MomentField()
    updated_at = MomentField()

    class Meta:
        model = Message
        fields = (
            "id", "environment_id", "inbox_id", "thread_id", "direction", "status", "subject", "from_address",
            "to_addresses", "cc_addresses", "bcc_addresses", "reply_to_addresses", "message_id_header", "in_reply_to",
            "references", "date", "snippet", "labels", "has_attachments", "attachments", "headers", "size",
            "authentication", "flags", "flag_evidence", "automatic", "report", "quarantine_reasons", "metadata",
            "send_at", "replies_to_message_id", "created_at", "updated_at", "recipients",
        )  # fmt: skip

    def get_from_address(self, message: Message) -> dict[str, str]:
        """Return the sender."""
        return {"email": message.from_email, "name": message.from_name}

    def get_labels(self, message: Message) -> list[str]:
        """Return the labels."""
        return self.context["labels"][message.pk]

    def get_attachments(self, message: Message) -> Any:
        """Return the files."""
        return AttachmentSerializer(self.context["attachments"][message.pk], many=True).data

    def get_recipients(self, message: Message) -> Any:
        """Return the recipients."""
        return RecipientSerializer(self.context["recipients"][message.pk], many=True).data

    def get_authentication(self, message: Message) -> dict[str, Any]:
        """Return the verdicts; null for what was not checked."""
        return {**dict.fromkeys(VERDICTS), "details": {}, **message.authentication}


class WholeMessageSerializer(MessageSerializer):
    """A message with its bodies."""

    text_for_model = serializers.SerializerMethodField()

    class Meta(MessageSerializer.Meta):
        fields = (*MessageSerializer.Meta.fields, *BODIES, "text_for_model")

    def get_text_for_model(self, message: Message) -> str:
        """Return the text between markers."""
        return fenced(message, [file.filename for file in self.context["attachments"][message.pk]])


class SendSerializer(serializers.Serializer):
    """A mail to send."""

    to = serializers.ListField(child=serializers.EmailField())
    subject = serializers.CharField(max_length=998, default="", allow_blank=True)
    text_body = serializers.CharField(trim_whitespace=False)


class LabelsSerializer(serializers.Serializer):
    """Labels to add."""

    labels = serializers.ListField(child=serializers.CharField(max_length=100))


class SearchSerializer(serializers.Serializer):
    """A search."""

    query = serializers.CharField(max_length=10_000)
