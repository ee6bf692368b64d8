"""Messages, the threads they form, their recipients and files."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned, Timestamped
from inboxes.models import Inbox


class Blob(EnvironmentOwned):
    """Bytes in the object store, once per environment and content.

    The object's key names this row and not the content, so that bytes which come back after they were deleted never
    meet the deletion of their former object.
    """

    id = PrefixedIDField("blb", primary_key=True)
    sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["environment", "sha256"], name="one_blob_per_content")]

    def __str__(self) -> str:
        return self.object_key

    @property
    def object_key(self) -> str:
        """Return where the bytes lie in the object store; it starts with the environment."""
        return f"{self.environment_id}/{self.id[-2:]}/{self.id}"


class Thread(EnvironmentOwned):
    """A conversation of one inbox.

    A mail in quarantine has one to itself, whose ``message_count`` is 0, and which no list shows.
    """

    id = PrefixedIDField("thr", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    subject = models.TextField(blank=True, default="")
    snippet = models.TextField(blank=True, default="")
    message_count = models.IntegerField(default=0)
    participants = models.JSONField(default=list)
    last_message_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["environment", "-last_message_at", "-id"],
                condition=models.Q(message_count__gt=0),
                name="threads_listed",
            ),
            models.Index(
                fields=["environment", "inbox", "-last_message_at", "-id"],
                condition=models.Q(message_count__gt=0),
                name="threads_listed_by_inbox",
            ),
            models.Index(fields=["environment", "inbox"], name="threads_of_inbox"),
        ]

    def __str__(self) -> str:
        return self.subject or self.id


class Message(EnvironmentOwned, Timestamped):
    """A mail that came in or went out."""

    class Direction(models.TextChoices):
        INBOUND = "inbound"
        OUTBOUND = "outbound"

    class Status(models.TextChoices):
        RECEIVED = "received"
        QUARANTINED = "quarantined"
        QUEUED = "queued"
        SCHEDULED = "scheduled"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        REJECTED = "rejected"
        FAILED = "failed"
        CAPTURED = "captured"

    class Automatic(models.TextChoices):
        """What kind of machine wrote a mail, where one did."""

        DELIVERY_REPORT = "delivery_report"
        FEEDBACK_REPORT = "feedback_report"
        READ_RECEIPT = "read_receipt"
        AUTO_REPLY = "auto_reply"
        MAILING_LIST = "mailing_list"
        BULK = "bulk"
        NOTIFICATION = "notification"

    id = PrefixedIDField("msg", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    thread = SameEnvironmentForeignKey(Thread, models.CASCADE)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    status = models.CharField(max_length=11, choices=Status.choices)
    subject = models.TextField(blank=True, default="")
    from_email = models.CharField(max_length=320, blank=True, default="")
    from_name = models.TextField(blank=True, default="")
    to_addresses = models.JSONField(default=list)
    cc_addresses = models.JSONField(default=list)
    bcc_addresses = models.JSONField(default=list)
    reply_to_addresses = models.JSONField(default=list)
    message_id_header = models.TextField(blank=True, default="")
    message_id_digest = models.UUIDField(
        null=True, help_text="16 bytes of the SHA-256 of the Message-ID: it is indexed."
    )
    in_reply_to = models.TextField(blank=True, default="")
    references = ArrayField(models.TextField(), default=list, blank=True)
    date = models.DateTimeField(null=True)
    headers = models.JSONField(default=dict)
    text_body = models.TextField(null=True)  # noqa: DJ001 - a mail without a text part is not one with an empty part
    html_body = models.TextField(null=True)  # noqa: DJ001
    extracted_text = models.TextField(blank=True, default="")
    extracted_html = models.TextField(null=True)  # noqa: DJ001
    snippet = models.TextField(blank=True, default="")
    flags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    flag_evidence = models.JSONField(default=dict, blank=True, db_default={})
    authentication = models.JSONField(default=dict)
    automatic = models.CharField(max_length=16, choices=Automatic.choices, blank=True, default="", db_default="")
    report = models.JSONField(null=True, blank=True)
    quarantine_reasons = models.JSONField(default=list, blank=True, db_default=[])
    metadata = models.JSONField(default=dict, blank=True)
    has_attachments = models.BooleanField(default=False)
    size = models.BigIntegerField()
    send_at = models.DateTimeField(null=True, blank=True, help_text="Not before this moment does it leave.")
    answers = SameEnvironmentForeignKey(
        "mail.Message", models.SET_NULL, null=True, help_text="The message that this one replies to."
    )
    sent_by = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="Of a key or a member.")
    raw = SameEnvironmentForeignKey(Blob, models.RESTRICT)
    raw_sha256 = models.BinaryField(max_length=32, null=True)
    envelope_sender = models.TextField(blank=True, default="")
    envelope_recipients = ArrayField(models.TextField(), default=list, blank=True)
    peer = models.GenericIPAddressField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "inbox", "raw_sha256"], name="one_message_per_retried_mail")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["environment", "-id"], condition=~models.Q(status="quarantined"), name="messages_listed"
            ),
            models.Index(
                fields=["environment", "inbox", "-id"],
                condition=~models.Q(status="quarantined"),
                name="messages_listed_by_inbox",
            ),
            models.Index(fields=["environment", "thread", "-id"], name="messages_of_thread"),
            models.Index(fields=["environment", "inbox", "message_id_digest"], name="messages_by_message_id"),
            models.Index(fields=["environment", "from_email", "-id"], name="messages_by_sender"),
            models.Index(fields=["environment", "status", "-id"], name="messages_by_status"),
            models.Index(fields=["environment", "raw"], name="messages_by_raw"),
            models.Index(
                fields=["environment", "answers"],
                name="answers_of_message",
                condition=models.Q(answers__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.id


UNFINISHED = (Message.Status.SENDING, Message.Status.QUEUED, Message.Status.SCHEDULED)  # it is still to leave
NEVER_LEFT = (Message.Status.FAILED, Message.Status.REJECTED)  # nobody got it


class AwaitedMessage(EnvironmentOwned):
    """A name by which mail that is still to come finds its thread.

    It is the digest of a Message-ID that a message of the thread cites and the inbox has not got, of one that a mailing
    list took from a message, or of the token in the reply address of a message that went out.
    """

    id = PrefixedIDField("awm", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    thread = SameEnvironmentForeignKey(Thread, models.CASCADE)
    digest = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "inbox", "digest"], name="one_thread_per_awaited_message")
        ]
        indexes: ClassVar = [models.Index(fields=["environment", "thread"], name="awaited_by_thread")]

    def __str__(self) -> str:
        return self.id


class MessageRecipient(EnvironmentOwned):
    """One recipient of a message, and what became of it there."""

    class Kind(models.TextChoices):
        TO = "to"
        CC = "cc"
        BCC = "bcc"

    id = PrefixedIDField("rcp", primary_key=True)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    email = models.CharField(max_length=320)
    status = models.CharField(max_length=11, choices=Message.Status.choices)
    reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    explanation = models.TextField(blank=True, default="", db_default="")
    hand_over = SameEnvironmentForeignKey("mail.HandOver", models.SET_NULL, null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "message"], name="recipients_of_message"),
            models.Index(
                fields=["environment", "hand_over"],
                name="recipients_of_hand_over",
                condition=models.Q(hand_over__isnull=False),
            ),
            models.Index(fields=["environment", "email", "-message"], name="messages_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.email}"


class Attachment(EnvironmentOwned):
    """A file that came with a message."""

    id = PrefixedIDField("att", primary_key=True)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    blob = SameEnvironmentForeignKey(Blob, models.RESTRICT)
    filename = models.TextField()
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    content_id = models.TextField(blank=True, default="")
    is_inline = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "message"], name="attachments_of_message"),
            models.Index(fields=["environment", "blob"], name="attachments_by_blob"),
        ]

    def __str__(self) -> str:
        return self.filename
