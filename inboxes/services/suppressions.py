"""Suppressions: addresses that an environment writes to no more, because they bounced, complained or left."""

import re
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from environments.callers import SYSTEM, Actor
from environments.destinations import LONGEST_ADDRESS
from environments.errors import PersonRequired, field_error
from environments.locks import lock
from environments.models import Environment
from environments.remembered import Remembered
from environments.services.audit import record
from inboxes import matching
from inboxes.models import Suppression
from inboxes.services.addresses import simulated

Reason = Suppression.Reason
WEIGHT: dict[str, int] = {  # what only a person lifts outweighs what a key may lift, so that no key talks it away
    reason: number
    for number, reason in enumerate((Reason.HARD_BOUNCE, Reason.MANUAL, Reason.UNSUBSCRIBED, Reason.COMPLAINT))
}
WORD_OF_THE_RECIPIENT = (Reason.UNSUBSCRIBED, Reason.COMPLAINT)
ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f<>(),;:\\\"\[\]]+@[^\s@\x00-\x1f\x7f<>(),;:\\\"\[\]]+")
SENTENCES = {
    Reason.HARD_BOUNCE: "Mail to this address bounced before: it says that it cannot be reached.",
    Reason.COMPLAINT: "The recipient complained about mail from this environment.",
    Reason.UNSUBSCRIBED: "The recipient wants no more mail from this environment.",
    Reason.MANUAL: "This address was put on the list of those that are not written to.",
}
SIMULATED = "This is the simulator of a suppressed address."
LONGEST_EXPLANATION = 500


def stored_as(email: str) -> str:
    """Return an address as it is stored and looked up: in lower case, its domain in ASCII."""
    return matching.normalised(email)[:LONGEST_ADDRESS]


def suppress(
    environment: Environment,
    email: str,
    *,
    reason: str,
    source: str = "",
    explanation: str = "",
    actor: Actor = SYSTEM,
) -> tuple[Suppression, bool]:
    """Write to an address no more, inside the environment; return the suppression, and whether it is new.

    ``source`` is the id of the message that it came of. One that is there stays, and takes on a weightier reason and a
    person's word. What a person or a key does is audited; what reports do stands in the timeline of the message.
    Raises ValidationFailed where a person or a key names what is no address, or a simulator.
    """
    row = Suppression(
        environment=environment,
        email=stored_as(email) if actor.kind == SYSTEM.kind else _checked(email),
        reason=reason,
        source=source,
        explanation=explanation[:LONGEST_EXPLANATION],
        set_by_person=actor.is_person,
    )
    if existing := _of(environment, row.email):
        return _strengthened(existing, row, environment, actor), False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _record(row, environment, actor, "added", after=_shown(row))
    except IntegrityError:
        existing = _of(environment, row.email)  # made by another request meanwhile
        if existing is None:
            raise
        return _strengthened(existing, row, environment, actor), False
    return row, True


def _checked(email: str) -> str:
    address = stored_as(email)
    if not ADDRESS.fullmatch(address) or len(email) > LONGEST_ADDRESS:
        raise field_error("email", "Must be an address such as ann@example.com.")
    if simulated(address) is not None:
        raise field_error("email", "A simulator cannot be suppressed; suppressed@… there always is.")
    return address


def _of(environment: Environment, email: str) -> Suppression | None:
    return Suppression.objects.in_environment(environment).filter(email=email).first()


def _strengthened(existing: Suppression, wanted: Suppression, environment: Environment, actor: Actor) -> Suppression:
    """Give a suppression a weightier reason, or a person's word, where it had none."""
    weightier = WEIGHT[wanted.reason] > WEIGHT[existing.reason]
    if not weightier and (existing.set_by_person or not wanted.set_by_person):
        return existing
    before = _shown(existing)
    if weightier:
        existing.reason, existing.source, existing.explanation = wanted.reason, wanted.source, wanted.explanation
    existing.set_by_person = existing.set_by_person or wanted.set_by_person
    existing.save(update_fields=["reason", "source", "explanation", "set_by_person"])
    _record(existing, environment, actor, "changed", before=before, after=_shown(existing))
    return existing


def suppressed(environment: Environment, emails: Sequence[str]) -> dict[str, str]:
    """Return those of the addresses, as given, that are not written to, each with a sentence why. One query.

    Runs inside the environment.
    """
    wanted = {email: stored_as(email) for email in emails}
    rows = _SUPPRESSED(environment.pk, sorted(set(wanted.values())))
    why = {email: SENTENCES[Reason(reason)] for email, reason in rows}
    found = {email: why[address] for email, address in wanted.items() if address in why}
    return found | {email: SIMULATED for email in wanted if simulated(email) == "suppressed"}


def _among(environment_id: str, emails: Sequence[str]) -> Any:
    rows = Suppression.objects.in_environment(Environment(pk=environment_id))
    return rows.filter(email__in=emails).values_list("email", "reason")


_SUPPRESSED: Remembered[Any] = Remembered(_among, "env", [str])


def lift(environment: Environment, suppression: Suppression, *, actor: Actor, reason: str = "") -> None:
    """Write to the address again, audited.

    Raises PersonRequired for a key, where the recipient's own word (a complaint, an unsubscription) or a person stands
    behind it, and NotFound when it has gone.
    """
    with transaction.atomic():
        lock(suppression, Suppression.objects.in_environment(environment))
        if not actor.is_person and (suppression.set_by_person or suppression.reason in WORD_OF_THE_RECIPIENT):
            raise PersonRequired(
                "The recipient's own word or a person stands behind this suppression; only a person may lift it.",
                fix="Ask a person to lift it in the console.",
            )
        _record(suppression, environment, actor, "lifted", before=_shown(suppression), reason=reason)
        suppression.delete()


def _shown(suppression: Suppression) -> dict[str, Any]:
    return {name: getattr(suppression, name) for name in ("email", "reason", "source", "explanation", "set_by_person")}


def _record(suppression: Suppression, environment: Environment, actor: Actor, verb: str, **details: Any) -> None:
    if actor.kind == SYSTEM.kind:  # a flood of bounces must not queue up behind the organization's audit chain
        return
    action = f"suppression.{verb}"
    record(environment.organization_id, actor, action, suppression.pk, environment=environment, **details)
