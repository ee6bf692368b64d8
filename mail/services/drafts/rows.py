"""The rows of a draft: read under a lock, with what a caller expects of them, and changed."""

from dataclasses import dataclass
from typing import Any

from environments.callers import Actor
from environments.locks import lock
from environments.models import Environment
from mail.models import Draft
from mail.services.drafts import content
from mail.services.drafts.refusals import DraftChanged, PreconditionFailed


@dataclass(frozen=True)
class Expected:
    """What a caller has read; None for any.

    ``etags`` are entity tags out of ``If-Match``; ``content_hash`` is that over what would have been sent then, which
    differs where only the name of the inbox has changed since.
    """

    etags: frozenset[str] | None = None
    version: int | None = None
    content_hash: str | None = None


ANYTHING = Expected()


def etag(draft: Draft) -> str:
    """Return the strong entity tag of a draft as it is now (RFC 9110 section 8.8.3)."""
    return f'"{draft.revision}"'


def lock_expected(environment: Environment, draft: Draft, expected: Expected) -> None:
    """Lock a draft and give it the values that it has now.

    Raises PreconditionFailed or DraftChanged when they are not those that the caller has read, and NotFound.
    """
    lock(draft, Draft.objects.in_environment(environment))
    now = f"It is at version {draft.version}, state {draft.state}."
    if expected.etags is not None and etag(draft) not in expected.etags:
        raise PreconditionFailed(f"{PreconditionFailed.message} {now}", headers={"ETag": etag(draft)})
    if expected.version is not None and expected.version != draft.version:
        raise DraftChanged(f"{DraftChanged.message} {now}", headers={"ETag": etag(draft)})
    if expected.content_hash is not None and expected.content_hash != content.current_hash(environment, draft):
        raise DraftChanged(f"What it would send is not what you have read. {now}", headers={"ETag": etag(draft)})


def save(draft: Draft) -> None:
    """Save a change of a draft that is there already."""
    draft.revision += 1
    draft.save()


def who(actor: Actor) -> dict[str, Any]:
    """Return whoever acts as a draft remembers them."""
    return {"kind": actor.kind, "id": actor.id, "name": actor.name}


def actor_of(remembered: dict[str, Any] | None) -> Actor:
    """Return whom a draft remembers."""
    return Actor(**(remembered or {"kind": "system"}))
