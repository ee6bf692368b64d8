"""What is told to whoever decides about a draft that somebody else was faster with."""

from typing import Any

from environments.callers import Actor
from mail.models import Draft

State = Draft.State


def moved_on(draft: Draft, read: int, actor: Actor) -> str:
    """Return what happened to a draft since this person read its version, for them; their decision did nothing."""
    return f"{_what(draft, read, actor)} Your decision changed nothing."


def _what(draft: Draft, read: int, actor: Actor) -> str:
    if draft.version != read:
        return f"The draft was edited meanwhile: it is at version {draft.version}, and you read version {read}."
    if draft.state == State.APPROVED:
        return f"{_who(draft.approved_by, actor)} approved this draft already."
    if draft.state == State.REJECTED:
        return f"{_who(draft.rejected_by, actor)} rejected this draft already: {draft.rejection_reason}"
    if draft.state in {State.SCHEDULED, State.SENDING, State.SENT, State.FAILED}:
        return f"{_who(draft.sent_by, actor)} sent this draft already; it is {draft.state}."
    if draft.state == State.PENDING_APPROVAL:
        return "What it would send has changed since you read it, or the time to decide is over."
    return "The draft is not put before anybody any more."


def _who(who: dict[str, Any] | None, actor: Actor) -> str:
    known = who or {}
    if (known.get("kind"), known.get("id")) == (actor.kind, actor.id):
        return "You"
    return known.get("name") or "Somebody"
