"""What a mail asks its reader to type in or to follow: one-time codes and links. Pure: from strings to values."""

from mail.codes.finding import find
from mail.codes.values import Found, Kind, Link

__all__ = ["Found", "Kind", "Link", "find"]
