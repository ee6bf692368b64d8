"""Approval: asked for, given to exactly what was read, refused with a reason, or waited for in vain."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from apikeys.lineage import are_of_one_family, shown_to
from environments import clock
from environments.callers import SYSTEM, Actor
from environments.errors import field_error
from environments.models import Environment
from environments.services.audit import record
from mail.models import Draft, DraftVersion
from mail.services.drafts.content import current_hash
from mail.services.drafts.policy import check_reviewing
from mail.services.drafts.refusals import ApprovalOutdated, DraftState
from mail.services.drafts.rows import ANYTHING, Expected, lock_expected, save, who
from mail.services.drafts.writing import withdraw
from webhooks.services.events import Happening, publish

State = Draft.State
SUBMITTABLE = (State.DRAFT, State.REJECTED, State.APPROVED, State.FAILED)
REJECTABLE = (State.PENDING_APPROVAL, State.APPROVED, State.SCHEDULED)
EXPIRED = "Nobody decided in time."


def submit(
    environment: Environment,
    draft: Draft,
    *,
    actor: Actor,
    expires_at: datetime | None = None,
    expected: Expected = ANYTHING,
) -> Draft:
    """Ask for approval of what a draft holds now; one that waits already stays as it is.

    Without ``expires_at`` the request runs out after AGENTPOST_APPROVAL_DAYS. ``draft.submitted`` is published. Raises
    PreconditionFailed, DraftChanged, DraftState, and ValidationFailed for a draft without recipients.
    """
    lock_expected(environment, draft, expected)
    if draft.state == State.PENDING_APPROVAL:
        return draft
    if draft.state not in SUBMITTABLE:
        raise DraftState(draft.state, "submitted")
    if not (draft.to_addresses or draft.cc_addresses or draft.bcc_addresses):
        raise field_error("to", "Name at least one recipient in to, cc or bcc.")
    until = expires_at or clock.now() + timedelta(days=settings.AGENTPOST_APPROVAL_DAYS)
    if until <= clock.now():
        raise field_error("expires_at", "Must lie in the future.")
    withdraw(draft)
    draft.state, draft.expires_at, draft.due_at = State.PENDING_APPROVAL, until, until
    draft.submitted_by, draft.submitted_at = who(actor), clock.now()
    draft.rejected_by, draft.rejected_at, draft.rejection_reason = None, None, ""
    draft.content_hash = current_hash(environment, draft)
    save(draft)
    tell(environment, draft, "submitted", expires_at=clock.written(until))
    return draft


def approve(environment: Environment, draft: Draft, *, actor: Actor, expected: Expected = ANYTHING) -> Draft:
    """Say yes to what a draft holds now; ``draft.approved`` is published, and the yes audited.

    Raises PreconditionFailed, DraftChanged, DraftState, OwnDraft, and ApprovalOutdated when what would be sent is not
    what was asked about.
    """
    lock_expected(environment, draft, expected)
    check_reviewing(is_author=is_author(environment, draft, actor))
    if draft.state != State.PENDING_APPROVAL or has_run_out(draft):
        raise DraftState(draft.state, "approved")
    if current_hash(environment, draft) != draft.content_hash:
        raise ApprovalOutdated
    mark_approved(environment, draft, actor=actor)
    save(draft)
    return draft


def mark_approved(environment: Environment, draft: Draft, *, actor: Actor) -> None:
    """Note the yes on a locked draft, which the caller saves; publish and audit it."""
    before = draft.state
    draft.state, draft.due_at, draft.expires_at = State.APPROVED, None, None
    draft.content_hash = draft.approved_hash = current_hash(environment, draft)
    draft.approved_by, draft.approved_at = who(actor), clock.now()
    draft.rejected_by, draft.rejected_at, draft.rejection_reason = None, None, ""
    audit(environment, draft, actor, "draft.approved", before)
    tell(environment, draft, "approved")


def reject(
    environment: Environment, draft: Draft, reason: str, *, actor: Actor, expected: Expected = ANYTHING
) -> Draft:
    """Say no, with the reason; also to a draft that was approved or is scheduled. It is published and audited.

    Raises PreconditionFailed, DraftChanged, DraftState and OwnDraft.
    """
    lock_expected(environment, draft, expected)
    check_reviewing(is_author=is_author(environment, draft, actor))
    if draft.state not in REJECTABLE:
        raise DraftState(draft.state, "rejected")
    _reject(environment, draft, reason, actor)
    return draft


def expire(environment: Environment, draft: Draft) -> None:
    """Reject a locked draft that nobody decided on in time."""
    _reject(environment, draft, EXPIRED, SYSTEM)


def _reject(environment: Environment, draft: Draft, reason: str, actor: Actor) -> None:
    before = draft.state
    withdraw(draft)
    draft.state = State.REJECTED
    draft.rejected_by, draft.rejected_at, draft.rejection_reason = who(actor), clock.now(), reason
    save(draft)
    audit(environment, draft, actor, "draft.rejected", before)
    tell(environment, draft, "rejected", reason=reason)


def has_run_out(draft: Draft) -> bool:
    """Return whether the time to decide is over, whether or not the worker has come by."""
    return draft.expires_at is not None and draft.expires_at <= clock.now()


def is_author(environment: Environment, draft: Draft, actor: Actor) -> bool:
    """Return whether this key or person wrote any version of the draft.

    Keys that descend from one and the same key count as one: whoever holds that one may hold them all. So does a key
    count as everybody who was shown its secret, or that of a key above it. A person does not count as the keys that
    they made: that is how people decide about what agents write.
    """
    versions = DraftVersion.objects.in_environment(environment).filter(draft=draft)
    authors = {(author["kind"], author["id"]) for author in versions.values_list("author", flat=True)}
    if (actor.kind, actor.id) in authors or actor.kind != "key":
        return (actor.kind, actor.id) in authors
    people = {(kind, identifier) for kind, identifier in authors if kind != "key"}
    if people and not people.isdisjoint(shown_to(environment.organization_id, actor.id)):
        return True
    keys = [identifier for kind, identifier in authors if kind == "key"]
    return are_of_one_family(environment.organization_id, actor.id, keys)


def audit(environment: Environment, draft: Draft, actor: Actor, action: str, before: str) -> None:
    """Record what was decided about a draft, which was in another state before."""
    record(
        environment.organization_id,
        actor,
        action,
        draft.pk,
        environment=environment,
        before={"state": before},
        after={"state": draft.state, "version": draft.version, "content_hash": draft.content_hash},
        reason=draft.rejection_reason,
    )


def tell(environment: Environment, draft: Draft, what: str, **more: Any) -> None:
    """Publish ``draft.<what>``, in the transaction of what happened."""
    data = {
        "draft_id": draft.pk,
        "inbox_id": draft.inbox_id,
        "version": draft.version,
        "content_hash": draft.content_hash,
        "subject": draft.subject,
        "to_addresses": [one["email"] for one in draft.to_addresses],
        "author": draft.author,
        f"{what}_by": getattr(draft, f"{what}_by"),
        f"{what}_at": clock.written(getattr(draft, f"{what}_at")),
        **more,
    }
    publish(environment.pk, [Happening(f"draft.{what}", data, draft.inbox_id)])
