"""Pauses: who set them, why, who may lift them, and who is told."""

from collections.abc import Mapping
from typing import Any

from environments import clock
from environments.callers import Actor
from environments.errors import PersonRequired
from environments.models import Environment
from environments.telling import tell
from environments.waking import wake_sender

PAUSES = ("outbound", "inbound", "webhooks")
ASKED_FOR = "requested"
Reason = dict[str, Any]


def reason(actor: Actor, explanation: str = "", *, code: str = ASKED_FOR, **figures: Any) -> Reason:
    """Return why something is paused, as it is stored and shown. ``code`` says which brake it was, if one it was."""
    by = "person" if actor.is_person else "key" if actor.kind == "key" else "system"
    told = {"code": code, "explanation": explanation, "by": by, "since": clock.written(clock.now())}
    return {**told, **({"figures": figures} if figures else {})}


def demand_person_to_lift(actor: Actor, why: Mapping[str, Any] | None, *, by_person: bool) -> None:
    """Raise PersonRequired where a key would lift a pause that a person, or a brake of the system, set."""
    if actor.is_person:
        return
    if by_person:
        raise PersonRequired(
            "A person set this pause; only a person may lift it.", fix="Ask a person to lift it in the console."
        )
    if actor.kind == "key" and why and why["code"] != ASKED_FOR:
        raise PersonRequired(
            "AgentPost set this pause as a brake; only a person may lift it.",
            fix="Look at the reason of the pause, then ask a person to lift it in the console.",
        )


def is_by_key(why: Reason | None) -> bool:
    """Return whether a key set this pause, which a brake may then take over."""
    return why is not None and why["by"] == "key"


def standing_reason(before: Reason | None, why: Reason, actor: Actor) -> Reason:
    """Return the reason of a pause that is set again: a key replaces a key's only, so that no brake is talked away."""
    if before is None:
        return why
    may_replace = actor.is_person or before["by"] == "key"
    return why if may_replace and why["explanation"] not in {"", before["explanation"]} else before


def change_pause(environment: Environment, pause: str, actor: Actor, *, paused: bool, why: Reason) -> None:
    """Set or lift one of an environment's pauses, in memory. Raises PersonRequired.

    A person who sets what is set already confirms it, and from then on must be the one to lift it.
    """
    by_people, reasons = set(environment.pauses_by_people), dict(environment.pause_reasons)
    was_paused = getattr(environment, f"{pause}_paused")
    if not paused and was_paused:
        demand_person_to_lift(actor, reasons.get(pause), by_person=pause in by_people)
    if paused and actor.is_person:
        by_people.add(pause)
    if not paused:
        by_people.discard(pause)
        reasons.pop(pause, None)
        if was_paused and pause == "outbound" and actor.is_person:  # who has looked; else it would be paused again
            environment.deliverability_since = clock.now()
    else:
        reasons[pause] = standing_reason(reasons.get(pause) if was_paused else None, why, actor)
    environment.pauses_by_people, environment.pause_reasons = sorted(by_people), reasons
    setattr(environment, f"{pause}_paused", paused)


def paused_now(environment: Environment) -> dict[str, bool]:
    """Return which pauses are set."""
    return {pause: getattr(environment, f"{pause}_paused") for pause in PAUSES}


def tell_of_changes(environment: Environment, before: Mapping[str, bool]) -> None:
    """Tell of each pause that is not as it was before; wake the sender where mail may leave again."""
    for pause, paused in paused_now(environment).items():
        if paused != before[pause]:
            what = "environment.paused" if paused else "environment.resumed"
            tell(environment.pk, what, told(environment, pause))
    if before["outbound"] and not environment.outbound_paused:
        wake_sender()


def told(environment: Environment, pause: str) -> dict[str, Any]:
    """Return what the event says of a pause of the environment."""
    return {
        "scope": "environment",
        "environment_id": environment.pk,
        "pause": pause,
        "reason": environment.pause_reasons.get(pause),
    }
