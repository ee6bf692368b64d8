"""DMARC (RFC 7489): what the domain in From asks for, and whether the mail keeps to it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import NamedTuple

from mail.authentication import tags, values
from mail.authentication.domains import is_aligned, organizational
from mail.authentication.resolver import Questions, Unanswered
from mail.authentication.values import Verdict

MAX_AUTHORS = 5
POLICIES = frozenset(("none", "quarantine", "reject"))
# The worst speaks for a From with several authors; where one publishes nothing, the others' verdict counts.
ORDER = (values.FAIL, values.TEMPERROR, values.PERMERROR, values.PASS, values.NONE)


class Policy(NamedTuple):
    """A domain's record. `percent` is told and not followed: a verdict shall not be thrown by dice."""

    name: str
    strict_dkim: bool
    strict_spf: bool
    percent: str
    published_by: str


@dataclass(frozen=True, slots=True)
class Proofs:
    """What SPF and DKIM proved, and what DNS kept them from proving."""

    spf: Verdict
    signatures: tuple[Verdict, ...]

    def for_author(self, author: str, policy: Policy | None, result: str = values.PASS) -> str:
        """Return which mechanism reached `result` for the author's domain: "SPF", "DKIM" or ""."""
        strict_spf, strict_dkim = (policy.strict_spf, policy.strict_dkim) if policy else (False, False)
        for one in self.signatures:
            if one.result == result and is_aligned(one.domain, author, strict=strict_dkim):
                return "DKIM"
        is_spf = self.spf.result == result and is_aligned(self.spf.domain, author, strict=strict_spf)
        return "SPF" if is_spf else ""


@dataclass(frozen=True, slots=True)
class Authors:
    """The domains of From, and what is wrong with the field as such."""

    domains: tuple[str, ...]
    fault: Verdict | None = field(default=None)


def check(authors: Authors, proofs: Proofs, questions: Questions) -> tuple[Verdict, bool]:
    """Return DMARC's verdict, and whether every author's domain is vouched for, with or without a record."""
    if authors.fault:
        return authors.fault, False
    judged = [_judge(author, proofs, questions) for author in authors.domains]
    worst = min((verdict for verdict, _ in judged), key=lambda verdict: ORDER.index(verdict.result))
    return worst, all(aligned for _, aligned in judged)


def _judge(author: str, proofs: Proofs, questions: Questions) -> tuple[Verdict, bool]:
    try:
        policy = find(author, questions)
    except Unanswered as unanswered:
        return Verdict(values.TEMPERROR, str(unanswered), author), bool(proofs.for_author(author, None))
    proof = proofs.for_author(author, policy)
    if policy is None:
        return Verdict(values.NONE, f"{author} publishes no DMARC record", author), bool(proof)
    if proof:
        return _verdict(values.PASS, f"{proof} vouches for {author}", author, policy), True
    if proofs.for_author(author, policy, values.TEMPERROR):
        reason = f"DNS did not answer, so nothing could vouch for {author}"
        return _verdict(values.TEMPERROR, reason, author, policy), False
    return _verdict(values.FAIL, f"neither SPF nor DKIM vouches for {author}", author, policy), False


def _verdict(result: str, reason: str, author: str, policy: Policy) -> Verdict:
    particulars = {
        "policy": policy.name,
        "policy_domain": policy.published_by,
        "alignment_dkim": "strict" if policy.strict_dkim else "relaxed",
        "alignment_spf": "strict" if policy.strict_spf else "relaxed",
        "percent": policy.percent,
    }
    return Verdict(result, reason, author, particulars)


def remember(authors: Authors, questions: Questions) -> None:
    """Ask for the policies of all authors, so that the resolver has them when they are needed."""
    for author in authors.domains:
        with contextlib.suppress(Unanswered):
            find(author, questions)


def find(author: str, questions: Questions) -> Policy | None:
    """Return the policy for a domain, its own or its organization's (RFC 7489, 6.6.3). Raises Unanswered."""
    organization = organizational(author)
    for domain in dict.fromkeys((author, organization)):
        records = [record for record in questions.txt(f"_dmarc.{domain}") if _is_dmarc(record)]
        if records:
            return _policy(records[0], domain, author) if len(records) == 1 else None
    return None


def _is_dmarc(record: bytes) -> bool:
    name, equals, version = record.partition(b";")[0].partition(b"=")
    return bool(equals) and name.strip() == b"v" and version.strip() == b"DMARC1"


def _policy(record: bytes, domain: str, author: str) -> Policy | None:
    """Return what the record asks for; without a usable policy it counts only if it wants reports, as p=none."""
    found = tags.parse_or_none(record)
    if found is None:
        return None
    asked = found.get("p", "").lower()
    if domain != author:
        asked = found.get("sp", asked).lower()
    if asked not in POLICIES:
        if not found.get("rua", "").lower().startswith("mailto:"):
            return None
        asked = "none"
    strict_dkim, strict_spf = (found.get(tag, "r").lower() == "s" for tag in ("adkim", "aspf"))
    return Policy(asked, strict_dkim, strict_spf, found.get("pct", "100"), domain)
