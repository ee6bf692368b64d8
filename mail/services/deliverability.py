"""The brake: an environment whose mail bounces or is complained about too often sends no more, until a person looks."""

from functools import partial
from typing import Any

from django.db import transaction

from environments.binding import inside
from environments.models import Environment
from environments.services import deliverability
from environments.services.deliverability import FEWEST, Deliverability
from environments.services.environments import locked, pause_by_system

CODE = "deliverability"


def look_after(environment: Environment) -> None:
    """Look at the score once the transaction has committed, in one of its own: pausing locks what is much asked for.

    ``environment`` is a whole row.
    """
    if environment.deliverability_floor is not None and not environment.outbound_paused:
        transaction.on_commit(partial(brake_if_needed, environment), robust=True)


def brake_if_needed(environment: Environment) -> Deliverability | None:
    """Pause the environment's outgoing mail if its score is below its floor; return the figures that did it, or None.

    They are those of the last 30 days, or of the full hours since a person lifted the pause, once 20 were sent.
    """
    with inside(environment):
        now = locked(environment)
        figures = deliverability.of(now, since=now.deliverability_since)
        floor = now.deliverability_floor
        if now.outbound_paused or floor is None or figures.sent < FEWEST or figures.score >= floor:
            return None
        pause_by_system(now, "outbound", code=CODE, explanation=explanation(figures, floor), **_shown(figures, floor))
    return figures


def explanation(figures: Deliverability, floor: int) -> str:
    """Return the sentence that tells a person why sending stopped."""
    return (
        f"The deliverability score {figures.score:g} is below {floor}: of {figures.sent} mails sent, "
        f"{figures.bounced} bounced and {figures.complained} were complained about."
    )


def _shown(figures: Deliverability, floor: int) -> dict[str, Any]:
    return {"floor": floor, **figures.as_json()}
