"""The guard of ``expect_environment``: code that must never mail a real customer is kept from where it could."""

from __future__ import annotations

from typing import Optional

from agentpost.errors import EnvironmentMismatchError
from agentpost.models import Me, MeEnvironment


def check_environment(me: Me, expected: str, chosen: Optional[str]) -> None:
    """Check that a key cannot reach people, and that a client has chosen the environment that is expected.

    Raises EnvironmentMismatchError for a live key, for one that does not reach the environment, for a live environment,
    and for a client of another one.
    """
    if me.kind != "dev":
        raise EnvironmentMismatchError(f"{expected!r} is expected, and the key {me.name!r} is a live key.")
    found = _named(me, expected)
    if found is None:
        raise EnvironmentMismatchError(
            f"The environment {expected!r} is expected, and the key {me.name!r} does not reach one of that name. "
            f"It reaches: {_reach(me)}."
        )
    if found.delivery_mode == "live":
        raise EnvironmentMismatchError(f"{expected!r} is live.")
    if chosen and _named(me, chosen) is not found:
        raise EnvironmentMismatchError(f"{expected!r} is expected, and the client is made for {chosen!r}.")


def _named(me: Me, name: str) -> Optional[MeEnvironment]:
    return next((one for one in me.environments if name in {one.id, one.slug}), None)


def _reach(me: Me) -> str:
    names = [one.slug for one in me.environments]
    return ", ".join([*names, "…"] if me.has_more_environments else names) or "none"
