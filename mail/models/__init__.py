"""Mail: messages, the threads they form, what hangs on them, and how they leave."""

from mail.models.drafts import Draft, DraftFile, DraftVersion
from mail.models.intake import Intake, IntakeEntry, StrayIntake
from mail.models.labels import MessageLabel, ThreadLabel
from mail.models.messages import (
    NEVER_LEFT,
    UNFINISHED,
    Attachment,
    AwaitedMessage,
    Blob,
    Message,
    MessageRecipient,
    Thread,
)
from mail.models.quotas import RecipientHour, SendingWindow
from mail.models.search import SearchEntry
from mail.models.sending import HandOver, Step
from mail.models.transports import Transport
from mail.models.uploads import Upload

__all__ = [
    "NEVER_LEFT",
    "UNFINISHED",
    "Attachment",
    "AwaitedMessage",
    "Blob",
    "Draft",
    "DraftFile",
    "DraftVersion",
    "HandOver",
    "Intake",
    "IntakeEntry",
    "Message",
    "MessageLabel",
    "MessageRecipient",
    "RecipientHour",
    "SearchEntry",
    "SendingWindow",
    "Step",
    "StrayIntake",
    "Thread",
    "ThreadLabel",
    "Transport",
    "Upload",
]
