"""What is found out about mail that a machine wrote. All text is bounded and can be stored in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal[
    "", "delivery_report", "feedback_report", "read_receipt", "auto_reply", "mailing_list", "bulk", "notification"
]
Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]


@dataclass(frozen=True, slots=True)
class Automatic:
    """What kind of machine wrote a mail ("" for a person, as far as anybody can tell), and what says so."""

    kind: Kind = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecipientStatus:
    """What became of a mail at one recipient (RFC 3464, 2.3).

    `status` is an enhanced status code (RFC 3463) or "". `is_hard` is only true of a failure that says that nobody
    can be reached at this address, now or later; `action` "delayed" is no failure.
    """

    final_recipient: str
    action: Action
    original_recipient: str = ""
    status: str = ""
    diagnostic_code: str = ""
    remote_mta: str = ""
    is_hard: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the fields as `Message.report` keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery status notification (RFC 3464), or a bounce in prose that could be read as one.

    `original_message_id` is that of the mail reported on, with its angle brackets, or "".
    """

    recipients: tuple[RecipientStatus, ...]
    reporting_mta: str = ""
    arrival_date: datetime | None = None
    original_message_id: str = ""
    original_envelope_id: str = ""

    @property
    def failed(self) -> tuple[RecipientStatus, ...]:
        """The recipients that the mail did not reach and will not reach: the bounces."""
        return tuple(recipient for recipient in self.recipients if recipient.action == "failed")

    def as_json(self) -> dict[str, Any]:
        """Return the report as `Message.report` keeps it."""
        return {
            "type": "delivery",
            "reporting_mta": self.reporting_mta,
            "arrival_date": _moment(self.arrival_date),
            "original_message_id": self.original_message_id,
            "original_envelope_id": self.original_envelope_id,
            "recipients": [recipient.as_json() for recipient in self.recipients],
        }


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A complaint or another report about a mail that was sent (RFC 5965).

    `feedback_type` is "abuse" where the report names none. `original_recipients` are those that the mail itself
    names, for the reports that leave `original_rcpt_to` out.
    """

    feedback_type: str
    user_agent: str = ""
    source_ip: str = ""
    original_mail_from: str = ""
    original_rcpt_to: tuple[str, ...] = ()
    reported_domain: tuple[str, ...] = ()
    arrival_date: datetime | None = None
    original_message_id: str = ""
    original_recipients: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report as `Message.report` keeps it."""
        return {
            "type": "feedback",
            "feedback_type": self.feedback_type,
            "user_agent": self.user_agent,
            "source_ip": self.source_ip,
            "original_mail_from": self.original_mail_from,
            "original_rcpt_to": list(self.original_rcpt_to),
            "reported_domain": list(self.reported_domain),
            "arrival_date": _moment(self.arrival_date),
            "original_message_id": self.original_message_id,
            "original_recipients": list(self.original_recipients),
        }


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """A message disposition notification (RFC 8098).

    `disposition` is "displayed", "deleted", "dispatched" or "processed"; `is_automatic` tells whether a machine sent
    it without asking anybody.
    """

    final_recipient: str
    disposition: str
    is_automatic: bool = False
    original_recipient: str = ""
    original_message_id: str = ""
    reporting_ua: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as `Message.report` keeps it."""
        return {"type": "read_receipt"} | {name: getattr(self, name) for name in self.__slots__}


Report = DeliveryReport | FeedbackReport | ReadReceipt


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
