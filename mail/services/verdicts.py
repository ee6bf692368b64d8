"""What becomes of a mail at an inbox, and why: loop guard, filter rules, the sender's authentication, its content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from environments.models import Environment
from inboxes.matching import Decision
from mail.authentication import Authentication
from mail.inspection import MEANINGS, Finding, is_hostile

LOOP = "554 5.4.6 Routing loop: this mail has been here before"
BLOCKED = "550 5.7.1 This mailbox does not take mail from this sender"
FAILED = frozenset(("fail", "permerror"))  # permerror: nobody, or nobody who could be asked, stands in From
WANTING = frozenset(("blocked_by_rule", "authentication_failed"))
NOT_AUTHENTIC = "550 5.7.26 This mail fails the DMARC check of the domain in its From"  # RFC 7372, section 3.3

AuthenticationPolicy, ContentPolicy = Environment.AuthenticationPolicy, Environment.ContentPolicy


class Outcome(StrEnum):
    """What becomes of a mail."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code, a sentence for a person, and the filter rule behind it if there is one."""

    code: str
    explanation: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, every reason for it, the reply to the peer of a refusal, the message that a repeated mail is."""

    outcome: Outcome = Outcome.ACCEPTED
    reasons: tuple[Reason, ...] = ()
    reply: str = ""
    message_id: str | None = None

    @property
    def is_for_want_of_proof(self) -> bool:
        """Whether the mail is refused since nothing vouches for its sender: no allow rule, no authentication."""
        return all(reason.code in WANTING and reason.rule_id is None for reason in self.reasons)

    def softened(self) -> Verdict:
        """Return quarantine instead of refusal: the peer was told 250 because of another recipient of the same mail."""
        return Verdict(Outcome.QUARANTINED, self.reasons) if self.outcome is Outcome.REFUSED else self


def verdict_on(
    authentication: Authentication,
    environment: Environment,
    decision: Decision,
    findings: Sequence[Finding],
    *,
    loop: str | None = None,
) -> Verdict:
    """Return what becomes of a mail at an inbox of this environment.

    ``decision`` is that of the filter rules, ``findings`` what inspection found, ``loop`` why it goes in circles.
    """
    if loop:
        return Verdict(Outcome.REFUSED, (Reason("routing_loop", loop),), LOOP)
    if not decision.allowed:
        return Verdict(Outcome.REFUSED, (Reason("blocked_by_rule", decision.reason, decision.rule_id),), BLOCKED)
    failure = _failed_authentication(authentication, environment)
    if failure and environment.authentication_policy == AuthenticationPolicy.REJECT:
        return Verdict(Outcome.REFUSED, (failure,), NOT_AUTHENTIC)
    reasons = (*([failure] if failure else []), *_hostile_content(environment, findings))
    return Verdict(Outcome.QUARANTINED, reasons) if reasons else Verdict()


def _failed_authentication(authentication: Authentication, environment: Environment) -> Reason | None:
    """Return why the mail is not let in as it is, or None if the environment does not ask or it did not fail."""
    if environment.authentication_policy == AuthenticationPolicy.ACCEPT or authentication.dmarc.result not in FAILED:
        return None
    return Reason("authentication_failed", f"The mail fails DMARC: {authentication.dmarc.reason}.")


def _hostile_content(environment: Environment, findings: Iterable[Finding]) -> list[Reason]:
    if environment.content_policy != ContentPolicy.QUARANTINE:
        return []
    return [
        Reason("hostile_content", f"{finding.flag}: {MEANINGS[finding.flag].sentence}")
        for finding in findings
        if is_hostile(finding.flag)
    ]
