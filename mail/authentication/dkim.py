"""DKIM (RFC 6376, RFC 8301, RFC 8463): whose signatures does a message carry, and do they hold?"""

from __future__ import annotations

from collections import Counter

from mail.authentication import keys, signatures, values
from mail.authentication.domains import is_aligned, to_ascii
from mail.authentication.fields import Field, Signable
from mail.authentication.refusals import Refused
from mail.authentication.resolver import Questions
from mail.authentication.signatures import Checked, Signature
from mail.authentication.tags import parse_or_none
from mail.authentication.values import Verdict

MAX_SIGNATURES = 10
MAX_READ = 100
# What a reader shows once. A second one on top of a signed mail is not covered by the signature, and is what is shown.
ONCE = frozenset((
    *("subject", "date", "to", "cc", "reply-to", "sender", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding"),
))  # fmt: skip
REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
ORDER = (values.PASS, values.TEMPERROR, values.FAIL, values.NEUTRAL, values.PERMERROR, values.NONE)


def check(message: Signable, questions: Questions, author: str) -> tuple[Verdict, ...]:
    """Return a verdict for each signature; of more than ten, those of the author's own domain come first."""
    checked = Checked(message)
    return tuple(_verdict(field, checked, questions) for field in _worth_checking(message, author))


def strongest(verdicts: tuple[Verdict, ...], author: str) -> Verdict:
    """Return the verdict that stands for all: an aligned one before others, `pass` before all else."""
    if not verdicts:
        return Verdict(values.NONE, "the mail carries no DKIM signature")
    return min(verdicts, key=lambda one: (ORDER.index(one.result), not is_aligned(one.domain, author)))


def _worth_checking(message: Signable, author: str) -> list[Field]:
    found = message.named("dkim-signature")[:MAX_READ]
    if len(found) > MAX_SIGNATURES:
        found.sort(key=lambda field: not is_aligned(_claimed(field)[0], author))
    return found[:MAX_SIGNATURES]


def _claimed(field: Field) -> tuple[str, str]:
    """Return domain and selector of a signature, or empty strings where it cannot be read."""
    found = parse_or_none(field.value) or {}
    return to_ascii(found.get("d", "")), found.get("s", "")


def _verdict(field: Field, checked: Checked, questions: Questions) -> Verdict:
    domain, selector = _claimed(field)
    particulars = {"selector": selector}
    try:
        _check(signatures.read(field, REQUIRED), checked, questions)
    except Refused as refused:
        reason = f"the signature of {domain or 'nobody'}: {refused.reason}"
        return Verdict(refused.result, reason, domain, particulars)
    return Verdict(values.PASS, f"signed by {domain}, and unchanged since", domain, particulars)


def _check(signature: Signature, checked: Checked, questions: Questions) -> None:
    if signature.tags["v"] != "1":
        raise Refused("its version (v=) is not 1")
    if "from" not in signature.signed:
        raise Refused("it does not cover From")
    if signature.identity != signature.domain and not signature.identity.endswith(f".{signature.domain}"):
        raise Refused("i= is outside of d=")
    if questions.seconds_left <= 0:
        raise Refused("the time for this mail was up before it was checked", values.TEMPERROR)
    key = signatures.key_of(signature, questions)
    if key.is_strict and signature.identity != signature.domain:
        raise Refused("its key does not permit subdomains (t=s)")
    try:
        signatures.check_fields(signature, signatures.selected(checked.message, signature.signed), key)
        signatures.check_body(signature, checked)
        _check_repeated(signature, checked.message)
    except Refused as refused:
        raise keys.testing(refused.reason) if key.is_testing else refused from refused
    if key.is_testing:
        raise keys.testing("it holds")


def _check_repeated(signature: Signature, message: Signable) -> None:
    present = Counter(field.name for field in message.fields)
    covered = Counter(signature.signed)
    for name in signature.signed:
        if name in ONCE and covered[name] < present[name] > 1:
            raise Refused(f"it leaves a second {name} field unsigned", values.NEUTRAL)
