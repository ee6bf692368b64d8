"""Console pages of mail. Each module registers its own."""

from mail.admin import (
    attachments,
    drafts,
    inboxes,
    intake,
    internals,
    labels,
    messages,
    sending,
    threads,
    transports,
    uploads,
)

__all__ = [
    "attachments",
    "drafts",
    "inboxes",
    "intake",
    "internals",
    "labels",
    "messages",
    "sending",
    "threads",
    "transports",
    "uploads",
]
