"""Console pages of mail. Each module registers its own."""

from mail.admin import (
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
