"""Reports on mail that was sent: which message a bounce or a complaint is about, and what it says of whom.

A report proves itself by a token in the address it was sent to, or in the envelope sender that it quotes; only who got
the mail knows that token, and it names one recipient. Without a token a report is about the message whose Message-ID it
quotes, of the very inbox that it came to. Others may have seen that Message-ID too: such a report is told in the
timeline, and marks the mail where it names its only recipient, but suppresses nobody and counts for nothing.
See docs/decisions/0034-which-reports-are-believed.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from environments.models import Environment
from mail.models import HandOver, Message, MessageRecipient
from mail.services import return_path
from mail.services.inbound import Delivery, Judged
from mail.services.outcomes import RecipientOutcome, Status, settle
from mail.services.rows import storable_address
from mail.services.threads import message_id_digest
from mail.services.timeline import Told, note

KINDS = frozenset((Message.Automatic.DELIVERY_REPORT, Message.Automatic.FEEDBACK_REPORT))
TYPES = frozenset(("delivery", "feedback"))
COMPLAINTS = frozenset(("abuse", "fraud", "virus", "opt-out"))  # the others tell of no displeasure (RFC 5965, 7.3)
UNPROVEN = "So a report says that nothing proves: the address is not suppressed for it."
PASSING = {
    "delayed": "The mail is delayed; the other server goes on trying.",
    "relayed": "The mail was passed on to a server that confirms no delivery.",
    "expanded": "The mail was passed on to the members of a list.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says about one recipient: an outcome, or something on the way that goes into the timeline only."""

    outcome: RecipientOutcome | None = None
    passing: Told | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A report and what it is about; ``hand_over`` is what its token names, if it has one."""

    report: Mapping[str, Any]
    message: Message
    recipients: Sequence[MessageRecipient]
    hand_over: HandOver | None

    def said(self) -> list[Said]:
        """Return what the report says about recipients of the message; nothing where it names none of them."""
        if self.report["type"] == "feedback":
            return list(_complaints(self))
        return [said for status in self.report["recipients"] for said in _delivery(self, status)]

    def meant(self, *named: str) -> list[str]:
        """Return which recipients of the message are meant by a report that names them so."""
        if self.hand_over:
            theirs = [row.email for row in self.recipients if row.hand_over_id == self.hand_over.pk]
            return theirs or [row.email for row in self.recipients if row.email == self.hand_over.envelope_recipient]
        wanted = {storable_address(name) for name in named if name}
        return [row.email for row in self.recipients if row.email in wanted]

    @property
    def is_proven(self) -> bool:
        """Whether nobody but the recipient's side can be behind the report."""
        return self.hand_over is not None

    @property
    def may_mark(self) -> bool:
        """Whether the report may change what is known of the mail: it is proven, or there is one recipient only."""
        return self.is_proven or len({row.email for row in self.recipients}) == 1

    def doubted(self, email: str, action: str, details: dict[str, Any]) -> Said:
        """Return the line for what nothing proves and what changes nothing."""
        told = f"A report says {action!r} of this recipient. Nothing proves it, so it changes nothing."
        return Said(passing=Told(self.message.status, "unproven_report", told, email, details))


def _delivery(match: Match, status: Mapping[str, Any]) -> Iterator[Said]:
    action, words = status["action"], status["diagnostic_code"] or status["status"]
    details = {name: status[name] for name in ("status", "remote_mta") if status[name]}
    for email in dict.fromkeys(match.meant(status["final_recipient"], status["original_recipient"])):
        if action == "failed" and match.may_mark:
            yield Said(_bounce(email, words, details, is_hard=status["is_hard"], is_proven=match.is_proven))
        elif action == "failed" or (action == "delivered" and not match.is_proven):
            yield match.doubted(email, action, {**details, "diagnostic_code": words})
        elif action == "delivered":
            confirmed = "The other server confirms the delivery."
            yield Said(RecipientOutcome(email, Status.DELIVERED, "delivery_confirmed", confirmed, details=details))
        else:
            line = Told(match.message.status, action, PASSING[action], email, {**details, "diagnostic_code": words})
            yield Said(passing=line)


def _bounce(email: str, words: str, details: dict[str, Any], *, is_hard: bool, is_proven: bool) -> RecipientOutcome:
    told = (
        "The mail bounced: nobody can be reached at this address."
        if is_hard
        else "The mail bounced: it was not taken this time, another one may be."
    )
    kind = "hard" if is_hard else "soft"
    reason = f"{kind}_bounce" if is_proven else "unproven_bounce"
    told = told if is_proven else f"{told} {UNPROVEN}"
    return RecipientOutcome(email, Status.BOUNCED, reason, told, kind, words, details, is_proven=is_proven)


def _complaints(match: Match) -> Iterator[Said]:
    report = match.report
    kind = report["feedback_type"]
    details = {name: report[name] for name in ("feedback_type", "user_agent") if report[name]}
    named = report["original_rcpt_to"] or report["original_recipients"]
    for email in dict.fromkeys(match.meant(*named)):
        if kind in COMPLAINTS and not match.may_mark:
            yield match.doubted(email, kind, details)
        elif kind in COMPLAINTS:
            yield Said(_complaint(email, details, is_proven=match.is_proven))
        else:
            told = f"A feedback report of the type {kind} came back."
            yield Said(passing=Told(match.message.status, "feedback", told, email, details))


def _complaint(email: str, details: dict[str, Any], *, is_proven: bool) -> RecipientOutcome:
    reason = "complaint" if is_proven else "unproven_complaint"
    told = "The recipient complained about the mail." + ("" if is_proven else f" {UNPROVEN}")
    return RecipientOutcome(email, Status.COMPLAINED, reason, told, details=details, is_proven=is_proven)


class Reports:
    """The reports in a batch of mails that one environment takes, each with the message that it is about.

    Found, and those messages locked, before anything else of the batch is: deleting takes its locks in that order too.
    A number of queries that does not grow with the batch.
    """

    def __init__(self, environment: Environment, judged: Sequence[Judged]) -> None:
        """Look them up, inside the environment."""
        self.environment = environment
        self._matches: dict[int, Match] = {}  # by the place in the batch
        wanted = {number: one for number, one in enumerate(judged) if is_report(one.delivery)}
        if wanted:
            self._look_up(wanted)

    def _look_up(self, wanted: Mapping[int, Judged]) -> None:
        hand_overs = self._hand_overs({number: tokens_of(one) for number, one in wanted.items()})
        quoting = {number: one for number, one in wanted.items() if number not in hand_overs and one.is_accepted}
        quoted = self._quoted(quoting)
        ids = {row.message_id for row in hand_overs.values()} | set(quoted.values())
        messages = self._locked(ids)
        recipients = self._recipients(messages)
        for number, one in wanted.items():
            hand_over = hand_overs.get(number)
            message = messages.get(hand_over.message_id if hand_over else quoted.get(number, ""))
            report = one.delivery.reading.report
            if message is None or report is None:
                continue
            match = Match(report, message, recipients[message.pk], hand_over)
            if match.said():
                self._matches[number] = match

    def _hand_overs(self, tokens: Mapping[int, Sequence[str]]) -> dict[int, HandOver]:
        """Return the hand-over that each report's token names; one of another environment is not seen from here."""
        ids = {identifier for theirs in tokens.values() for identifier in theirs}
        rows = HandOver.objects.in_environment(self.environment).in_bulk(ids) if ids else {}
        found = {number: [rows[one] for one in theirs if one in rows] for number, theirs in tokens.items()}
        return {number: theirs[0] for number, theirs in found.items() if theirs}

    def _quoted(self, quoting: Mapping[int, Judged]) -> dict[int, str]:
        """Return the message of its own inbox whose Message-ID each report quotes."""
        places = {
            number: (one.delivery.inbox_id, message_id_digest(identifier))
            for number, one in quoting.items()
            if (identifier := (one.delivery.reading.report or {}).get("original_message_id"))
        }
        if not places:
            return {}
        rows = Message.objects.in_environment(self.environment).filter(
            inbox__in={inbox for inbox, _ in places.values()},
            message_id_digest__in={digest for _, digest in places.values()},
            direction=Message.Direction.OUTBOUND,
        )
        found: dict[tuple[str, UUID | None], str] = {
            (inbox, digest): pk for inbox, digest, pk in rows.values_list("inbox", "message_id_digest", "pk")
        }
        return {number: found[place] for number, place in places.items() if place in found}

    def _locked(self, ids: Iterable[str]) -> dict[str, Message]:
        rows = Message.objects.in_environment(self.environment).filter(pk__in=set(ids))
        return {row.pk: row for row in rows.select_for_update(no_key=True).order_by("pk")} if ids else {}

    def _recipients(self, messages: Mapping[str, Message]) -> Mapping[str, Sequence[MessageRecipient]]:
        found: dict[str, list[MessageRecipient]] = defaultdict(list)
        if messages:
            rows = MessageRecipient.objects.in_environment(self.environment).filter(message__in=set(messages))
            for row in rows.order_by("pk"):
                found[row.message_id].append(row)
        return found

    def about(self, number: int) -> Message | None:
        """Return the message that the report at this place of the batch is about; None where it is none of ours."""
        match = self._matches.get(number)
        return match.message if match else None

    def consume(self) -> None:
        """Do what the reports say: statuses, timelines, events, suppressions."""
        for match in self._matches.values():
            said = match.said()
            if outcomes := [one.outcome for one in said if one.outcome]:
                settle(self.environment, match.message, outcomes)
            note(self.environment, match.message, [one.passing for one in said if one.passing])


def is_report(delivery: Delivery) -> bool:
    """Return whether a mail says of itself, by its form, that it is a bounce or a complaint."""
    reading = delivery.reading
    return reading.automatic.kind in KINDS and reading.report is not None and reading.report["type"] in TYPES


def proves_itself(delivery: Delivery) -> bool:
    """Return whether a mail is a report that came to a return path of ours."""
    return is_report(delivery) and bool(return_path.hand_over_ids(delivery.addresses))


def tokens_of(judged: Judged) -> list[str]:
    """Return the hand-overs that the tokens of a report name: that of its address, then that which it quotes."""
    report = judged.delivery.reading.report or {}
    return return_path.hand_over_ids((*judged.delivery.addresses, report.get("original_mail_from") or ""))
