"""Verdicts taken over from trusted front hosts, and from sealers of ARC chains."""

from __future__ import annotations

import re

from mail.authentication import values
from mail.authentication.arc import Hop
from mail.authentication.dmarc import Authors
from mail.authentication.domains import domain_of, to_ascii
from mail.authentication.results import Statement
from mail.authentication.trust import Said, Trust
from mail.authentication.values import Verdict

MAX_SIGNATURES = 10
OTHER_WORDS = {"hardfail": values.FAIL, "policy": values.NEUTRAL, "discard": values.FAIL, "bestguesspass": values.NONE}
_POLICY = re.compile(r"\bp=(none|quarantine|reject)\b", re.IGNORECASE)


def spf(said: Said) -> Verdict | None:
    """Return what a front host said of SPF, or None."""
    host, statements = said.of("spf")
    if not statements:
        return None
    properties = statements[0].properties
    identity = "mailfrom" if properties.get("smtp.mailfrom") else "helo"
    name = properties.get("smtp.mailfrom") or properties.get("smtp.helo", "")
    domain = domain_of(name) or to_ascii(name)
    return Verdict(_result(statements[0]), _reason(host, statements[0]), domain, {"identity": identity})


def dkim(said: Said) -> tuple[Verdict, ...]:
    """Return what a front host said of signatures; empty where it said nothing."""
    host, statements = said.of("dkim")
    return tuple(
        Verdict(_result(one), _reason(host, one), _signer(one), {"selector": one.properties.get("header.s", "")})
        for one in statements[:MAX_SIGNATURES]
    )


def arc(said: Said) -> Verdict | None:
    """Return what a front host said of the ARC chain, or None."""
    host, statements = said.of("arc")
    return Verdict(_result(statements[0]), _reason(host, statements[0])) if statements else None


def dmarc(said: Said, authors: Authors) -> Verdict | None:
    """Return what a front host said of DMARC, or None; only if it speaks of the one author whom the mail shows."""
    host, statements = said.of("dmarc")
    if not statements or authors.fault or len(authors.domains) != 1:
        return None
    author = to_ascii(statements[0].properties.get("header.from", "").rpartition("@")[2])
    if author != authors.domains[0]:
        return None
    policy = _POLICY.search(statements[0].comment)
    particulars = {"policy": policy[1].lower()} if policy else {}
    return Verdict(_result(statements[0]), _reason(host, statements[0]), author, particulars)


def by_sealer(hops: tuple[Hop, ...], authors: Authors, trust: Trust) -> str:
    """Return the trusted sealer who saw DMARC pass for the author, or "".

    Only sealers after which everybody is trusted too are believed: whoever comes later could have written it.
    """
    if authors.fault or len(authors.domains) != 1:
        return ""
    for hop in hops:
        if hop.sealer not in trust.arc_sealers:
            return ""
        for statement in hop.results.of("dmarc") if hop.results else []:
            seen = to_ascii(statement.properties.get("header.from", "").rpartition("@")[2])
            if statement.result == values.PASS and seen == authors.domains[0]:
                return hop.sealer
    return ""


def _result(statement: Statement) -> str:
    result = OTHER_WORDS.get(statement.result, statement.result)
    return result if result in values.RESULTS else values.NONE


def _reason(host: str, statement: Statement) -> str:
    told = statement.properties.get("reason") or statement.comment
    return f"honoured from {host}" + (f": {told}" if told else "")


def _signer(statement: Statement) -> str:
    named = statement.properties.get("header.d") or statement.properties.get("header.i", "").rpartition("@")[2]
    return to_ascii(named)
