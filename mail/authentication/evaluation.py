"""From the bytes of a mail and the facts of its connection to an `Authentication`."""

from __future__ import annotations

import time
from dataclasses import replace

from mail.authentication import arc, dkim, dmarc, fields, honoured, spf, values
from mail.authentication.dmarc import Authors, Proofs
from mail.authentication.domains import domain_of
from mail.authentication.fields import Signable
from mail.authentication.resolver import Questions, Resolving
from mail.authentication.trust import Said, Trust, said_by_front
from mail.authentication.values import Authentication, Verdict
from mail.parsing.addresses import parse_addresses

DEADLINE = 10.0
MAX_FROM_BYTES = 64 * 1024
NOBODY = Trust()


def authenticate(
    raw: bytes,
    *,
    peer: str,
    helo: str,
    envelope_sender: str,
    resolver: Resolving,
    trust: Trust = NOBODY,
    deadline: float = DEADLINE,
    shown_from: str | None = None,
) -> Authentication:
    """Find out who sent a mail: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489) and ARC (RFC 8617). Never raises.

    Args:
        raw: the mail as it came.
        peer: the address of the host that delivered it; anything else, as on a socket without one, gives no SPF.
        helo: the name in HELO or EHLO.
        envelope_sender: the address in MAIL FROM, "" for the null sender.
        resolver: the door to DNS.
        trust: whose results are honoured.
        deadline: seconds after which DNS is asked no more; what is still open then is `temperror`.
        shown_from: the address that readers are shown as the author. It has to be vouched for as well, so that two
            ways to read From cannot be played against each other.
    """
    questions = Questions(resolver, time.monotonic() + deadline)
    try:
        message = fields.read(raw)
        said = said_by_front(message, peer=peer, trust=trust)
        authors = authors_of(message, shown_from)
        # First, while there is time: names that the sender chose must not use up what the author's policy needs.
        dmarc.remember(authors, questions)
        verdict = said_spf(said, peer, trust) or spf.check(
            questions, peer=peer, helo=helo, envelope_sender=envelope_sender
        )
        return _of_message(message, verdict, said, authors, questions, trust)
    except Exception as error:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        failed = Verdict(values.PERMERROR, f"the mail could not be evaluated ({type(error).__name__})")
        return Authentication(failed, failed, failed, failed)


def said_spf(said: Said, peer: str, trust: Trust) -> Verdict | None:
    """Return SPF's verdict on a mail that a trusted front host passed on, or None for any other mail."""
    if not trust.is_front(peer):
        return None
    reason = f"passed on by the trusted host {peer}, which left no SPF result"
    return honoured.spf(said) or Verdict(values.NONE, reason)


def authors_of(message: Signable, shown_from: str | None) -> Authors:
    """Return the domains of From; a mail without exactly one From that names somebody is at fault."""
    found = message.named("from")
    if len(found) > 1:
        return Authors((), Verdict(values.FAIL, f"the mail has {len(found)} From fields"))
    if message.is_cut:
        return Authors((), Verdict(values.FAIL, "the mail's header is too long to be looked through"))
    values_of_from = [field.text[:MAX_FROM_BYTES] for field in found]
    addresses = [box.email for box in parse_addresses(values_of_from)] + ([shown_from] if shown_from else [])
    if not addresses:
        return Authors((), Verdict(values.PERMERROR, "the mail names nobody in From"))
    domains = tuple(dict.fromkeys(domain_of(address) for address in addresses))
    if not all(domains):
        return Authors((), Verdict(values.PERMERROR, "an address in From has no domain that DNS could know"))
    if len(domains) > dmarc.MAX_AUTHORS:
        return Authors((), Verdict(values.FAIL, f"From names more than {dmarc.MAX_AUTHORS} domains"))
    return Authors(domains)


def _of_message(
    message: Signable, sender: Verdict, said: Said, authors: Authors, questions: Questions, trust: Trust
) -> Authentication:
    author = authors.domains[0] if authors.domains else ""
    signatures = honoured.dkim(said) or dkim.check(message, questions, author)
    verdict, aligned = dmarc.check(authors, Proofs(sender, signatures), questions)
    told = honoured.dmarc(said, authors)
    if told:
        verdict, aligned = replace(told, particulars=verdict.particulars | told.particulars), _agreed(told, aligned)
    chain, hops = arc.check(message, questions)
    sealer = honoured.by_sealer(hops, authors, trust) if verdict.result == values.FAIL else ""
    if sealer:
        verdict, aligned = _overridden(verdict, sealer), True
    seen = honoured.arc(said) or chain
    return Authentication(sender, dkim.strongest(signatures, author), verdict, seen, aligned, signatures)


def _agreed(told: Verdict, aligned: bool) -> bool:  # noqa: FBT001 - a value, not a switch
    """Return alignment as the front host's DMARC result implies it; `none` implies nothing."""
    return {values.PASS: True, values.FAIL: False}.get(told.result, aligned)


def _overridden(verdict: Verdict, sealer: str) -> Verdict:
    reason = f"{sealer}, a trusted sealer, saw DMARC pass before the mail was changed (ARC)"
    return replace(verdict, result=values.PASS, reason=reason, particulars=verdict.particulars | {"override": "arc"})
