"""Why a mail was taken, refused or put off: each reason of the intake ledger, with its sentence for a person."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "stored": "The mail is in the inbox.",
    "repeated": "The same mail had been stored before: its sender tried again, and it is kept once.",
    "unknown_recipient": "No inbox has this address.",
    "malformed_recipient": "What the sending server named is no address.",
    "too_many_recipients": "The mail had more recipients than one transaction takes; the sending server is to try the "
    "others in another one.",
    "inbound_paused": "The environment takes no mail while its inbound_paused is set; the sending server tries again.",
    "storage_full": "The storage quota of the environment is used up; the sending server tries again.",
    "too_large": "The mail is larger than this server takes.",
    "too_busy": "The server had too much mail in its hands; the sending server tries again.",
    "bare_line_end": "The mail had a line that ends with CR or LF alone, where servers may disagree on its end.",
    "blocked_by_rule": "A filter rule of the environment blocks it.",
    "authentication_failed": "The sender's domain does not stand for this mail: its authentication failed.",
    "hostile_content": "The mail carries content that is made to deceive its reader.",
    "routing_loop": "The mail has come by too often: it goes round in a circle.",
    "our_trouble": "The server had trouble of its own; the sending server tries again. If the trouble came after the "
    "mail had been stored, another entry tells so.",
    "not_sent": "The sending server named this recipient and ended the transaction without sending the mail.",
    "connection_lost": "The connection broke off before the end of the mail.",
    "timed_out": "The sending server was silent for too long before the end of the mail.",
    "server_closing": "The server was being stopped before the end of the mail; the sending server tries again.",
    "more_of_these": "More were refused within an hour than are listed one by one; these are only counted.",
}
"""The codes are part of the API. `docs/intake.md` tells of each what to do about it."""


def explained(reason: str) -> str:
    """Return the sentence of a reason; empty for one that has none."""
    return REASONS.get(reason, "")
