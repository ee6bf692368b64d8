"""ARC (RFC 8617): what hosts on the way saw, and sealed before they changed the mail."""

from __future__ import annotations

from dataclasses import dataclass

from mail.authentication import keys, signatures, tags, values
from mail.authentication.fields import Field, Signable
from mail.authentication.refusals import Refused
from mail.authentication.resolver import Questions
from mail.authentication.results import Results, parse
from mail.authentication.signatures import Checked, Signature
from mail.authentication.values import Verdict

MAX_SETS = 50
SEAL, MESSAGE, RESULTS = "arc-seal", "arc-message-signature", "arc-authentication-results"
NAMES = (RESULTS, MESSAGE, SEAL)  # the order in which a seal covers them (RFC 8617, 5.1.1)
SEAL_TAGS = ("a", "b", "cv", "d", "i", "s")
MESSAGE_TAGS = ("a", "b", "bh", "d", "h", "i", "s")
Sets = dict[int, dict[str, Field]]


@dataclass(frozen=True, slots=True)
class Hop:
    """One host that sealed the mail, and what it found out about it."""

    sealer: str
    results: Results | None


def check(message: Signable, questions: Questions) -> tuple[Verdict, tuple[Hop, ...]]:
    """Return the chain's verdict and, where it holds, its hops from the newest to the oldest."""
    if not any(message.named(name) for name in NAMES):
        return Verdict(values.NONE, "the mail carries no ARC chain"), ()
    try:
        hops = _hops(_sets(message), Checked(message), questions)
    except Refused as refused:
        result = values.TEMPERROR if refused.result == values.TEMPERROR else values.FAIL
        return Verdict(result, f"the ARC chain is broken: {refused.reason}"), ()
    reason = f"an unbroken chain of {len(hops)}, last sealed by {hops[0].sealer}"
    return Verdict(values.PASS, reason, hops[0].sealer, {"instance": str(len(hops))}), hops


def _sets(message: Signable) -> Sets:
    """Return the fields by instance and name: each exactly once, without a gap. Raises Refused."""
    found: Sets = {}
    for name in NAMES:
        for field in message.named(name):
            instance = _instance(field)
            if name in found.setdefault(instance, {}):
                raise Refused(f"instance {instance} has {name} twice")
            found[instance][name] = field
    if sorted(found) != list(range(1, len(found) + 1)) or any(len(fields) < len(NAMES) for fields in found.values()):
        raise Refused("a set of it is incomplete")
    return found


def _instance(field: Field) -> int:
    written = field.value
    if field.name == RESULTS:
        written = written.partition(b";")[0]
    number = (tags.parse_or_none(written) or {}).get("i", "")
    if not number.isdecimal() or not number.isascii() or len(number) > 2 or not 0 < int(number) <= MAX_SETS:  # noqa: PLR2004
        raise Refused(f"{field.name} has no instance from 1 to {MAX_SETS}")
    return int(number)


def _hops(sets: Sets, checked: Checked, questions: Questions) -> tuple[Hop, ...]:
    newest = len(sets)
    seals = {number: _seal(sets[number][SEAL], number) for number in sets}
    _check_message(_message_signature(sets[newest][MESSAGE]), checked, questions)
    for number in range(newest - 1, 0, -1):
        _message_signature(sets[number][MESSAGE])
    for number in range(newest, 0, -1):
        covered = [sets[each][name] for each in range(1, number + 1) for name in NAMES][:-1]
        _check(seals[number], covered, questions)
    return tuple(Hop(seals[number].domain, _results(sets[number][RESULTS])) for number in range(newest, 0, -1))


def _seal(field: Field, number: int) -> Signature:
    signature = signatures.read(field, SEAL_TAGS, default_method="relaxed/relaxed")
    if {"h", "bh"} & signature.tags.keys():
        raise Refused(f"seal {number} names fields of its own")
    if signature.tags["cv"].lower() != ("none" if number == 1 else "pass"):
        raise Refused(f"seal {number} says cv={signature.tags['cv']}")
    return signature


def _message_signature(field: Field) -> Signature:
    signature = signatures.read(field, MESSAGE_TAGS, default_method="relaxed/relaxed")
    if SEAL in signature.signed:
        raise Refused("a message signature covers a seal")
    return signature


def _check_message(signature: Signature, checked: Checked, questions: Questions) -> None:
    _check(signature, signatures.selected(checked.message, signature.signed), questions)
    signatures.check_body(signature, checked)


def _check(signature: Signature, fields: list[Field], questions: Questions) -> None:
    if questions.seconds_left <= 0:
        raise Refused("the time for this mail was up before it was checked", values.TEMPERROR)
    key = signatures.key_of(signature, questions)
    try:
        signatures.check_fields(signature, fields, key)
    except Refused as refused:
        raise Refused(f"the signature of {signature.domain}: {refused.reason}", refused.result) from refused
    if key.is_testing:
        raise keys.testing(f"the signature of {signature.domain} holds")


def _results(field: Field) -> Results | None:
    return parse(field.text.partition(";")[2])
