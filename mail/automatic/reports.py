"""One entry point for everything that reports on mail we sent: bounces, complaints, receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mail.automatic import delivery, fields, originals, prose
from mail.automatic.values import FeedbackReport, ReadReceipt
from mail.parsing.identifiers import own_message_id

if TYPE_CHECKING:
    from mail.automatic.fields import Fields
    from mail.automatic.values import DeliveryReport, Report
    from mail.parsing.values import ParsedMail

MAX_RECIPIENTS = 100
RECEIPT_TYPES = frozenset(("message/disposition-notification", "message/global-disposition-notification"))


def report_of(mail: ParsedMail) -> Report | None:
    """Return what a mail reports about one that was sent before, or None; never raises.

    Nothing in it is proven: whoever acts on a report looks for the original Message-ID among the mail that went out.
    """
    try:
        return _feedback(mail) or _receipt(mail) or _delivery(mail)
    except Exception:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        return None


def _delivery(mail: ParsedMail) -> DeliveryReport | None:
    return delivery.read(mail) or prose.read(mail)


def _fields_of(mail: ParsedMail, *types: str) -> Fields | None:
    """Return the fields of the first part of one of these types, all groups together."""
    part = next((part for part in mail.attachments if part.content_type in types), None)
    if part is None:
        return None
    merged: Fields = {}
    for group in fields.groups(part.content):
        for name, values in group.items():
            merged.setdefault(name, []).extend(values)
    return merged


def _feedback(mail: ParsedMail) -> FeedbackReport | None:
    found = _fields_of(mail, "message/feedback-report")
    if found is None:
        return None
    original = originals.of(mail)
    named = own_message_id(fields.first(found, "original-message-id"))
    return FeedbackReport(
        feedback_type=fields.text(fields.first(found, "feedback-type"), 60).lower() or "abuse",
        user_agent=fields.text(fields.first(found, "user-agent"), 200),
        source_ip=fields.text(fields.first(found, "source-ip"), 60),
        original_mail_from=fields.address(fields.first(found, "original-mail-from")),
        original_rcpt_to=_addresses(found.get("original-rcpt-to", [])),
        reported_domain=tuple(fields.text(value, 253) for value in found.get("reported-domain", [])[:MAX_RECIPIENTS]),
        arrival_date=fields.moment(fields.first(found, "arrival-date", "received-date")),
        original_message_id=original.message_id or named or "",
        original_recipients=original.recipients,
    )


def _addresses(values: list[str]) -> tuple[str, ...]:
    found = [fields.address(value) for value in values[:MAX_RECIPIENTS]]
    return tuple(dict.fromkeys(one for one in found if one))


def _receipt(mail: ParsedMail) -> ReadReceipt | None:
    found = _fields_of(mail, *RECEIPT_TYPES)
    if found is None:
        return None
    mode, _, kinds = fields.first(found, "disposition").lower().partition(";")
    named = own_message_id(fields.first(found, "original-message-id"))
    return ReadReceipt(
        final_recipient=fields.address(fields.first(found, "final-recipient")),
        disposition=fields.text(kinds.partition("/")[0], 60),
        is_automatic="automatic-action" in mode,
        original_recipient=fields.address(fields.first(found, "original-recipient")),
        original_message_id=named or originals.of(mail).message_id,
        reporting_ua=fields.text(fields.first(found, "reporting-ua"), 200),
    )
