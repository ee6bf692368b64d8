"""SPF (RFC 7208): may this host send for the domain of the envelope?"""

from __future__ import annotations

import contextlib
import ipaddress
from typing import Any

import spf as pyspf

from mail.authentication import values
from mail.authentication.domains import to_ascii
from mail.authentication.resolver import Questions, Unanswered
from mail.authentication.values import Verdict

MAX_LABEL = 63
SENTENCES = {
    values.PASS: "{ip} may send for {domain}",
    values.FAIL: "{ip} may not send for {domain}",
    values.SOFTFAIL: "{ip} probably may not send for {domain}",
    values.NEUTRAL: "{domain} does not say whether {ip} may send for it",
    values.NONE: "{domain} publishes no SPF record",
}


class _Query(pyspf.query):
    """pyspf's evaluation with our questions; its own DNS, cache and clock are left out."""

    def __init__(self, questions: Questions, ip: str, sender: str, helo: str) -> None:
        super().__init__(i=ip, s=sender, h=helo, receiver="unknown", strict=True)
        self._questions = questions

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - as pyspf calls it
        name = str(name).rstrip(".").lower()
        if not all(0 < len(label) <= MAX_LABEL for label in name.split(".")):
            return []
        try:
            found = list(self._questions.ask(name, qtype))
        except Unanswered as unanswered:
            raise pyspf.TempError(str(unanswered)) from unanswered
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:
                raise pyspf.PermError(f"more than {pyspf.MAX_VOID_LOOKUPS} look-ups without an answer")
        return [[record] for record in found] if qtype == "TXT" else found

    def get_explanation(self, spec: Any) -> None:
        """Nothing: `exp=` is a stranger's text (RFC 7208, 6.2), and it would be put before readers as a reason."""


def check(questions: Questions, *, peer: str, helo: str, envelope_sender: str) -> Verdict:
    """Return SPF's verdict on the envelope sender, or on the HELO name where it is null (RFC 7208, 2.4)."""
    identity, sender = ("mailfrom", envelope_sender) if envelope_sender else ("helo", f"postmaster@{helo}")
    local, _, host = sender.rpartition("@")
    domain = to_ascii(host)
    particulars = {"identity": identity}
    ip = _ip(peer)
    if not ip:
        return Verdict(values.NONE, "the address of the sending host is not known", domain, particulars)
    if not domain:
        return Verdict(values.NONE, f"{host or 'the name in HELO'} is no domain name", "", particulars)
    result, reason = _evaluated(_Query(questions, ip, f"{local or 'postmaster'}@{domain}", to_ascii(helo) or "unknown"))
    return Verdict(result, reason.format(ip=ip, domain=domain), domain, particulars)


def _evaluated(query: _Query) -> tuple[str, str]:
    try:
        result, _, explanation = query.check()
    except Exception as error:  # noqa: BLE001 - a record that a stranger wrote
        return values.PERMERROR, f"the SPF record of {{domain}} cannot be evaluated ({type(error).__name__})"
    if result in SENTENCES:
        matched = f" ({query.mechanism})" if getattr(query, "mechanism", None) else ""
        return result, SENTENCES[result] + _literal(matched)
    return result if result in values.RESULTS else values.PERMERROR, _literal(explanation)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _ip(peer: str) -> str:
    """Return the peer's address; IPv4 inside IPv6 comes out as IPv4. "" for a socket that has none."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(peer.partition("%")[0])
        return str(getattr(address, "ipv4_mapped", None) or address)
    return ""
