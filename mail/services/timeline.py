"""The timeline of a message: every decision and every answer, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from environments.models import Environment
from environments.writing import insert
from mail.models import IntakeEntry, Message, Step

MOST = 2000


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
    insert(environment, steps_of(message, lines))


def steps_of(message: Message, lines: Sequence[Told]) -> list[Step]:
    """Return lines as rows, in their order, not written yet."""
    return [
        Step(
            environment_id=message.environment_id,
            message=message,
            email=line.email,
            status=line.status,
            reason=line.reason,
            explanation=line.explanation,
            details=line.details,
        )
        for line in lines
    ]


@dataclass(frozen=True)
class Happening:
    """A line of a timeline as it is read, of a mail that came or of one that went out."""

    at: datetime
    status: str
    email: str
    reason: str
    explanation: str
    details: dict[str, Any]


def of(environment: Environment, message: Message) -> tuple[list[Happening], bool]:
    """Return what happened to a message, the oldest first and of more than 2000 the latest; and whether more did."""
    came = IntakeEntry.objects.in_environment(environment).filter(message=message).order_by("-pk")[: MOST + 1]
    went = Step.objects.in_environment(environment).filter(message=message).order_by("-pk")[: MOST + 1]
    found = [*map(_arrival, reversed(came)), *map(_step, reversed(went))]
    return sorted(found, key=lambda one: one.at)[-MOST:], len(found) > MOST


def _arrival(entry: IntakeEntry) -> Happening:
    details = {"peer": entry.peer, "reply": entry.reply, **entry.verdicts}
    return Happening(entry.created_at, entry.outcome, entry.recipient, entry.reason, entry.explanation, details)


def _step(step: Step) -> Happening:
    return Happening(step.created_at, step.status, step.email, step.reason, step.explanation, step.details)
