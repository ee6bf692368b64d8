"""Turn the bytes of an e-mail into values: one pure function, `parse`, that never raises."""

from mail.parsing.message import parse
from mail.parsing.values import Address, ParsedAttachment, ParsedMail

__all__ = ["Address", "ParsedAttachment", "ParsedMail", "parse"]
