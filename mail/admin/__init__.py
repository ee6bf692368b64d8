"""Console pages of mail. Each module registers its own."""

from mail.admin import inboxes, intake, internals, labels, messages, threads

__all__ = ["inboxes", "intake", "internals", "labels", "messages", "threads"]
