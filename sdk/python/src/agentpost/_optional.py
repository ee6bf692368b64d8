"""Arguments that may be left out."""

from __future__ import annotations

from typing import Any


def without_none(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that were given a value."""
    return {name: value for name, value in arguments.items() if value is not None}
