"""Delivery status notifications: the machine-readable part (RFC 3464, RFC 6533)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from mail.automatic import fields, originals, permanence, prose, wording
from mail.automatic.values import Action, DeliveryReport, RecipientStatus
from mail.parsing.identifiers import own_message_id

if TYPE_CHECKING:
    from mail.automatic.fields import Fields
    from mail.parsing.values import ParsedMail

STATUS_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status"))
MAX_RECIPIENTS = 100
_ACTIONS = get_args(Action)
_SAID_NOTHING = ("5.0.0", "4.0.0", "2.0.0", "")


def read(mail: ParsedMail) -> DeliveryReport | None:
    """Return what the status parts of a report say; None where they name no recipient."""
    groups = [group for content in _status_parts(mail) for group in fields.groups(content)]
    original = originals.of(mail)
    statuses = _recipients(mail, [group for group in groups if _is_recipient(group)], original)
    recipients = tuple(dict.fromkeys(status for status in statuses if status))[:MAX_RECIPIENTS]
    if not recipients:
        return None
    whole = next((group for group in groups if not _is_recipient(group)), groups[0])
    return DeliveryReport(
        recipients=recipients,
        reporting_mta=fields.untyped(fields.first(whole, "reporting-mta")),
        arrival_date=fields.moment(fields.first(whole, "arrival-date")),
        original_message_id=original.message_id or _named_message(groups, mail),
        original_envelope_id=fields.text(fields.first(whole, "original-envelope-id")),
    )


def _status_parts(mail: ParsedMail) -> list[bytes]:
    """Return the parts with the status; where the boundaries are broken they stand in the text."""
    parts = [part.content for part in mail.attachments if part.content_type in STATUS_TYPES]
    text = mail.text_body or ""
    return parts or ([text.encode()] if "\nFinal-Recipient:" in text and prose.is_bounce(mail, text) else [])


def _is_recipient(group: Fields) -> bool:
    return any(name in group for name in ("final-recipient", "original-recipient", "action", "x-actual-recipient"))


def _recipients(mail: ParsedMail, groups: list[Fields], original: originals.Original) -> list[RecipientStatus | None]:
    """Return the status that each group gives; what the report says in prose helps where a group gives no reason."""
    told = wording.explanation(mail)
    named = [fields.address(fields.first(group, "final-recipient", "original-recipient")) for group in groups]
    why = prose.reasons(told, [one for one in named if one])
    return [
        _recipient(group, original, told if len(groups) == 1 else why.get(whom, ""))
        for group, whom in zip(groups, named, strict=True)
    ]


def _recipient(group: Fields, original: originals.Original, told: str) -> RecipientStatus | None:
    wanted = fields.address(fields.first(group, "original-recipient"))
    final = fields.address(fields.first(group, "final-recipient"))
    actual = fields.address(fields.first(group, "x-actual-recipient"))
    only = original.recipients[0] if len(original.recipients) == 1 else ""
    whom = final or wanted or actual or only
    diagnostic = fields.first(group, "diagnostic-code")
    status = permanence.status_in(fields.first(group, "status")) or permanence.status_in(diagnostic)
    action = _action(fields.first(group, "action"), status)
    if not whom or not action:
        return None
    words = _words(diagnostic, status, told)
    return RecipientStatus(
        final_recipient=whom,
        action=action,
        original_recipient=wanted,
        status=_sharper(status, diagnostic),
        diagnostic_code=fields.untyped(diagnostic),
        remote_mta=fields.untyped(fields.first(group, "remote-mta")),
        is_hard=action == "failed" and permanence.is_hard(_sharper(status, diagnostic), words),
    )


def _action(declared: str, status: str) -> Action | None:
    """Return the action; some reports spell it otherwise or leave it out, and then the status decides."""
    word = declared.strip().lower().partition(" ")[0].rstrip(";,.")
    if word in _ACTIONS:
        return cast("Action", word)
    if word in ("failure", "fail", "undeliverable", "expired", "error"):
        return "failed"
    by_class: dict[str, Action] = {"5": "failed", "4": "delayed", "2": "delivered"}
    return by_class.get(status[:1])


def _sharper(status: str, diagnostic: str) -> str:
    """Return the status that says more: `5.0.0` in the field and `5.1.1` in the server's words are a `5.1.1`."""
    said = permanence.status_in(diagnostic)
    return said if said and status in _SAID_NOTHING else status


def _words(diagnostic: str, status: str, told: str) -> str:
    is_silent = not diagnostic or (status in _SAID_NOTHING and len(diagnostic) < 20)  # noqa: PLR2004
    return f"{diagnostic} {told}" if is_silent else diagnostic


def _named_message(groups: list[Fields], mail: ParsedMail) -> str:
    """Return the Message-ID of the mail reported on as fields outside of the returned mail name it."""
    named = next((value for group in groups if (value := fields.first(group, "x-original-message-id"))), "")
    return own_message_id(named) or mail.in_reply_to or next(reversed(mail.references), "")
