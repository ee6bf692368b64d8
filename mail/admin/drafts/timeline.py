"""What happened to a draft, in order: its versions, and what was decided about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from environments.console.reach import Console
from environments.ids import first_at
from environments.models import AuditEntry
from mail.models import Draft, DraftVersion

DECISIONS = {
    "draft.approved": ("approved it", "success"),
    "draft.rejected": ("rejected it", "danger"),
    "draft.called_back": ("took it off its schedule", "info"),
}
MOST_DECISIONS = 100


@dataclass(frozen=True)
class Happened:
    """One step: when, who, what in words, and why; ``number`` is that of a version."""

    at: datetime
    who: str
    what: str
    level: str = ""
    why: str = ""
    number: int | None = None


def of(console: Console, draft: Draft) -> Sequence[Happened]:
    """Return what happened to a draft, the newest first. Two queries."""
    steps = [*_versions(console, draft), *_decisions(console, draft), *_rest(draft)]
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _versions(console: Console, draft: Draft) -> Iterator[Happened]:
    rows = DraftVersion.objects.in_environment(console.here).filter(draft=draft).order_by("number")
    for number, author, at in rows.values_list("number", "author", "created_at"):
        what = "wrote it" if number == 1 else f"edited it: version {number}"
        yield Happened(at, _name(author), what, number=number)


def _decisions(console: Console, draft: Draft) -> Iterator[Happened]:
    """Yield what the audit log tells of this draft: what was decided, by whom and why, and nothing else."""
    rows = AuditEntry.objects.in_organization(console.here.organization_id)
    lifetime = (first_at("aud", draft.created_at), first_at("aud", draft.updated_at + timedelta(seconds=5)))
    rows = rows.filter(environment_id=console.here.pk, pk__range=lifetime)  # what the index knows
    rows = rows.filter(target_id=draft.pk, action__in=DECISIONS)
    for entry in rows.order_by("-pk")[:MOST_DECISIONS]:
        what, level = DECISIONS[entry.action]
        version = (entry.after or {}).get("version")
        told = f"{what}, version {version}" if version and version != draft.version else what
        yield Happened(entry.at, entry.actor_name or "Somebody", told, level, entry.reason)


def _rest(draft: Draft) -> Iterator[Happened]:
    if draft.submitted_at:
        yield Happened(draft.submitted_at, _name(draft.submitted_by), "asked for approval", "warning")
    if draft.message:
        yield Happened(draft.message.created_at, _name(draft.sent_by), "sent it", "success")
    elif draft.error:
        yield Happened(
            draft.updated_at, "AgentPost", "could not send it", "danger", str(draft.error.get("message", ""))
        )


def _name(who: dict[str, Any] | None) -> str:
    return (who or {}).get("name") or "Somebody"
