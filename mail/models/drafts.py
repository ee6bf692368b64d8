"""Drafts: mail that is not yet sent, what was written in each version of it, and who let it out."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned, Timestamped
from inboxes.models import Inbox
from mail.models.messages import Blob, Message

WHO = "Kind, id and name of a key or a person."


class Written(EnvironmentOwned):
    """What somebody wrote: all of a mail that an edit can change, save its files."""

    TEXTS = ("subject", "text_body", "html_body")
    PEOPLE = ("to_addresses", "cc_addresses", "bcc_addresses", "reply_to_addresses")
    FIELDS = (*PEOPLE, *TEXTS, "headers", "send_at")

    to_addresses = models.JSONField(default=list, blank=True)
    cc_addresses = models.JSONField(default=list, blank=True)
    bcc_addresses = models.JSONField(default=list, blank=True)
    reply_to_addresses = models.JSONField(default=list, blank=True)
    subject = models.TextField(blank=True, default="")
    text_body = models.TextField(null=True, blank=True)  # noqa: DJ001 - no text is not an empty text
    html_body = models.TextField(null=True, blank=True)  # noqa: DJ001
    headers = models.JSONField(default=dict, blank=True)
    send_at = models.DateTimeField(null=True, blank=True, help_text="Not before this moment does it leave.")

    class Meta:
        abstract = True


class Draft(Written, Timestamped):
    """A mail on its way to being sent, perhaps by way of a person's yes.

    ``version`` counts edits of what would be sent, ``revision`` counts changes of any kind. ``due_at`` is when the
    worker has to look at it: to send it, or to give up waiting for an approval.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PENDING_APPROVAL = "pending_approval"
        APPROVED = "approved"
        REJECTED = "rejected"
        SCHEDULED = "scheduled"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    id = PrefixedIDField("drf", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    version = models.IntegerField(default=1)
    revision = models.IntegerField(default=1)
    labels = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    answers = SameEnvironmentForeignKey(
        Message, models.SET_NULL, null=True, help_text="The message that this one replies to."
    )
    in_reply_to = models.TextField(blank=True, default="")
    references = ArrayField(models.TextField(), default=list, blank=True)
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of all that would be sent, in hexadecimal.")
    author = models.JSONField(default=dict, help_text=WHO)
    submitted_by = models.JSONField(null=True, help_text=WHO)
    submitted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="Until then an approval is waited for.")
    approved_by = models.JSONField(null=True, help_text=WHO)
    approved_at = models.DateTimeField(null=True)
    approved_hash = models.CharField(max_length=64, blank=True, default="")
    rejected_by = models.JSONField(null=True, help_text=WHO)
    rejected_at = models.DateTimeField(null=True)
    rejection_reason = models.TextField(blank=True, default="")
    sent_by = models.JSONField(null=True, help_text=WHO)
    message = SameEnvironmentForeignKey(Message, models.SET_NULL, null=True, help_text="As which it was sent.")
    error = models.JSONField(null=True, help_text="Why it could not be sent.")
    due_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(default=0, help_text="Bytes of the files that were put into it, over all versions.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "client_id"], name="one_draft_per_client_id")
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "-id"], name="drafts_listed"),
            models.Index(fields=["environment", "state", "-id"], name="drafts_by_state"),
            models.Index(fields=["environment", "inbox", "-id"], name="drafts_of_inbox"),
            models.Index(
                fields=["environment", "message"], name="drafts_by_message", condition=models.Q(message__isnull=False)
            ),
            models.Index(
                fields=["environment", "answers"], name="drafts_by_answered", condition=models.Q(answers__isnull=False)
            ),
            models.Index(fields=["environment", "due_at"], name="drafts_due", condition=models.Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject or self.id

    @property
    def is_approved(self) -> bool:
        """Return whether somebody said yes, to whatever it was."""
        return bool(self.approved_hash)


class DraftVersion(Written):
    """A draft as it was after one of its edits."""

    id = PrefixedIDField("drv", primary_key=True)
    draft = SameEnvironmentForeignKey(Draft, models.CASCADE)
    number = models.IntegerField()
    author = models.JSONField(default=dict, help_text=WHO)
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "draft", "number"], name="one_version_per_number")
        ]
        indexes: ClassVar = [models.Index(fields=["environment", "draft", "-id"], name="versions_of_draft")]

    def __str__(self) -> str:
        return f"version {self.number}"


class DraftFile(EnvironmentOwned):
    """A file in one version of a draft."""

    id = PrefixedIDField("dfl", primary_key=True)
    version = SameEnvironmentForeignKey(DraftVersion, models.CASCADE)
    blob = SameEnvironmentForeignKey(Blob, models.RESTRICT)
    filename = models.TextField()
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    content_id = models.TextField(blank=True, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "version", "id"], name="files_of_version"),
            models.Index(fields=["environment", "blob"], name="draft_files_by_blob"),
        ]

    def __str__(self) -> str:
        return self.filename
