"""What becomes of a mail: the order of the reasons, and the policies of the environment."""

from typing import Any

import pytest

from environments.models import Environment
from inboxes.matching import Decision
from mail.authentication import Authentication, Verdict
from mail.inspection import Finding
from mail.services.verdicts import Outcome, verdict_on

ACCEPTED, QUARANTINED, REFUSED = Outcome.ACCEPTED, Outcome.QUARANTINED, Outcome.REFUSED
ALLOWED = Decision(allowed=True, rule_id=None, reason="no rule is about this sender")
BLOCKED = Decision(allowed=False, rule_id="rul_1", reason="blocked")
HOSTILE, ODD = Finding("hidden_text", ("pay now",)), Finding("reply_to_mismatch", ("x.example",))
FLAG, QUARANTINE, REJECT, ACCEPT = "flag", "quarantine", "reject", "accept"

POLICIES = [  # DMARC, its policy, rule, findings, their policy: outcome, reasons
    ("pass", QUARANTINE, ALLOWED, (), FLAG, ACCEPTED, []),
    ("none", QUARANTINE, ALLOWED, (), FLAG, ACCEPTED, []),
    ("temperror", QUARANTINE, ALLOWED, (), FLAG, ACCEPTED, []),
    ("permerror", QUARANTINE, ALLOWED, (), FLAG, QUARANTINED, ["authentication_failed"]),
    ("permerror", REJECT, ALLOWED, (), FLAG, REFUSED, ["authentication_failed"]),
    ("fail", ACCEPT, ALLOWED, (), FLAG, ACCEPTED, []),
    ("fail", QUARANTINE, ALLOWED, (), FLAG, QUARANTINED, ["authentication_failed"]),
    ("fail", REJECT, ALLOWED, (), FLAG, REFUSED, ["authentication_failed"]),
    ("pass", REJECT, ALLOWED, (), FLAG, ACCEPTED, []),
    ("pass", ACCEPT, BLOCKED, (), FLAG, REFUSED, ["blocked_by_rule"]),
    ("fail", QUARANTINE, BLOCKED, (HOSTILE,), QUARANTINE, REFUSED, ["blocked_by_rule"]),
    ("pass", ACCEPT, ALLOWED, (HOSTILE,), FLAG, ACCEPTED, []),
    ("pass", ACCEPT, ALLOWED, (HOSTILE,), QUARANTINE, QUARANTINED, ["hostile_content"]),
    ("pass", ACCEPT, ALLOWED, (ODD,), QUARANTINE, ACCEPTED, []),
    ("fail", QUARANTINE, ALLOWED, (HOSTILE,), QUARANTINE, QUARANTINED, ["authentication_failed", "hostile_content"]),
]


def checked(dmarc: str) -> Authentication:
    """Return what DNS told about a sender."""
    return Authentication(dmarc=Verdict(dmarc, f"DMARC says {dmarc}", "example.com"))


@pytest.mark.parametrize(("dmarc", "policy", "decision", "findings", "content", "outcome", "codes"), POLICIES)
def test_rules_then_authentication_then_content_decide(
    dmarc: str, policy: str, decision: Decision, findings: Any, content: str, outcome: Outcome, codes: list[str]
) -> None:
    environment = Environment(authentication_policy=policy, content_policy=content)
    verdict = verdict_on(checked(dmarc), environment, decision, findings)
    assert (verdict.outcome, [reason.code for reason in verdict.reasons]) == (outcome, codes)
    assert bool(verdict.reply) == (outcome is REFUSED)


def test_a_mail_in_circles_is_refused_before_anything_else_is_asked() -> None:
    environment = Environment(authentication_policy=ACCEPT)
    verdict = verdict_on(checked("pass"), environment, ALLOWED, (), loop="it was here six times")
    assert (verdict.outcome, verdict.reasons[0].code) == (REFUSED, "routing_loop")
    assert verdict.reply.startswith("554 5.4.6 ")


def test_a_refusal_that_cannot_be_told_becomes_quarantine_with_the_same_reasons() -> None:
    refused = verdict_on(checked("pass"), Environment(), BLOCKED, ())
    softened = refused.softened()
    assert (softened.outcome, softened.reasons, softened.reply) == (QUARANTINED, refused.reasons, "")
    assert softened.reasons[0].rule_id == "rul_1"
