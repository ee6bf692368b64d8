"""The timeline of an outgoing message: every decision and every answer, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from environments.models import Environment
from mail.models import Message, Step


@dataclass(frozen=True)
class Told:
    """A line to be written. ``email`` is empty for what concerns all recipients."""

    status: str
    reason: str
    explanation: str
    email: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def note(environment: Environment, message: Message, lines: Sequence[Told]) -> None:
    """Write lines, in their order, inside the environment."""
    Step.objects.in_environment(environment).bulk_create(
        Step(
            environment=environment,
            message=message,
            email=line.email,
            status=line.status,
            reason=line.reason,
            explanation=line.explanation,
            details=line.details,
        )
        for line in lines
    )
