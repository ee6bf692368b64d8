"""Sending drafts, now or when they are due; what is due is decided on again, by the one way out."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from environments import clock
from environments.binding import finish
from environments.callers import Actor
from environments.errors import Refusal
from environments.models import Environment
from environments.object_store import removed_on_failure
from mail.models import Draft, DraftFile
from mail.services import quotas
from mail.services.compose import File
from mail.services.drafts import approval, content
from mail.services.drafts.following import state_of
from mail.services.drafts.policy import Sending, check_sending
from mail.services.drafts.refusals import ApprovalOutdated, DraftState
from mail.services.drafts.rows import ANYTHING, Expected, actor_of, lock_expected, save, who
from mail.services.outbound import Plan
from mail.services.replies import answer_once
from mail.services.send import plan, send

logger = logging.getLogger(__name__)
State = Draft.State
NOT_NOW = {"quota_exceeded", "recipient_domain_limit", "transport_not_configured", "domain_not_verified"}
LATER, LATEST = timedelta(minutes=1), timedelta(days=5)
BROKEN = ("internal_error", "Something went wrong on our side.")


def send_draft(
    environment: Environment, draft: Draft, *, actor: Actor, may_send: bool, expected: Expected = ANYTHING
) -> Draft:
    """Send a draft, or schedule it for its ``send_at``.

    ``may_send`` tells whether the caller may send mail without being asked about it. Raises PreconditionFailed,
    DraftChanged, what ``check_sending`` raises, and what ``send`` raises; the draft then stays as it was.
    """
    lock_expected(environment, draft, expected)
    is_author = approval.is_author(environment, draft, actor)
    asked = Sending(
        state=draft.state,
        is_approved=_is_approved_as_it_is(environment, draft),
        was_submitted=draft.submitted_at is not None,
        may_send=may_send,
        is_person=actor.is_person,
        is_author=is_author,
    )
    check_sending(asked)
    if actor.is_person and not is_author and not asked.is_approved:
        approval.mark_approved(environment, draft, actor=actor)
    draft.sent_by, draft.error = who(actor), None
    if draft.send_at and draft.send_at > clock.now():
        draft.state, draft.due_at = State.SCHEDULED, draft.send_at
    else:
        _hand_over(environment, draft, actor)
    save(draft)
    return draft


def call_back(environment: Environment, draft: Draft, *, actor: Actor, expected: Expected = ANYTHING) -> Draft:
    """Take a scheduled draft off its schedule; an approval stays with it, and it may be sent again. It is audited.

    Raises PreconditionFailed, DraftChanged and DraftState.
    """
    lock_expected(environment, draft, expected)
    if draft.state != State.SCHEDULED:
        raise DraftState(draft.state, "called back")
    draft.state = State.APPROVED if _is_approved_as_it_is(environment, draft) else State.DRAFT
    draft.due_at, draft.error, draft.sent_by = None, None, None
    save(draft)
    approval.audit(environment, draft, actor, "draft.called_back", State.SCHEDULED)
    return draft


def foresee(environment: Environment, draft: Draft, files: Sequence[DraftFile], *, actor: Actor) -> Plan:
    """Return what would become of a draft if it were sent now, and write nothing; ``files`` are those it has.

    Raises what sending it would raise, save RecipientBlocked. The bytes of files are not read.
    """
    names = [File(file.filename, file.content_type, b"", file.content_id or None) for file in files]
    outgoing = content.outgoing_of(draft, names)
    planned = plan(environment, draft.inbox, outgoing)
    if refusal := quotas.would_exceed(environment, draft.inbox, actor, outgoing, planned.emails):
        raise refusal
    return planned


def _is_approved_as_it_is(environment: Environment, draft: Draft) -> bool:
    return draft.is_approved and content.current_hash(environment, draft) == draft.approved_hash


def _hand_over(environment: Environment, draft: Draft, actor: Actor) -> None:
    """Send a locked draft; the caller saves it. A key does not answer a message that has an answer by now."""
    if draft.answers and actor.kind == "key":
        answer_once(environment, draft.answers)
    files = content.loaded(content.files_of(environment, draft))
    message = send(environment, draft.inbox, content.outgoing_of(draft, files), actor=actor)
    draft.message, draft.state, draft.due_at = message, state_of(message.status), None


def attend(environment: Environment, draft_id: str) -> bool:
    """Do what is due with a draft: send it, or give up waiting for its approval; return whether anything was.

    Runs in a transaction inside the environment. A draft that another worker attends to is left to it.
    """
    rows = Draft.objects.in_environment(environment).filter(pk=draft_id, due_at__lte=clock.now())
    draft = rows.select_for_update(skip_locked=True).first()
    if draft is None:
        return False
    if draft.state == State.PENDING_APPROVAL:
        approval.expire(environment, draft)
    else:
        _send_scheduled(environment, draft)
    return True


def put_off(environment: Environment, draft_id: str) -> None:
    """Look at a draft that broke the attention given to it later again, or after five days no more.

    Runs in a transaction inside the environment.
    """
    rows = Draft.objects.in_environment(environment).filter(pk=draft_id, due_at__lte=clock.now())
    draft = rows.select_for_update(skip_locked=True).first()
    if draft is None:
        return
    if draft.state == State.SCHEDULED and _is_late(draft):
        _fail(draft, *BROKEN)
        save(draft)
    else:  # and nothing but that, since to save the whole row may be what breaks
        Draft.objects.in_environment(environment).filter(pk=draft.pk).update(due_at=clock.now() + LATER)


def _send_scheduled(environment: Environment, draft: Draft) -> None:
    """Send a draft that is due; one that is refused for now stays due, any other has failed and says why."""
    try:
        with transaction.atomic(), removed_on_failure():
            _check_still_approved(environment, draft)
            _hand_over(environment, draft, actor_of(draft.sent_by))
    except Refusal as refusal:
        finish(refusal)
        _put_off_or_fail(draft, refusal)
    except (OperationalError, InterfaceError):  # which the next round may be spared
        raise
    except Exception:  # a draft that cannot be sent must not keep others from being
        logger.exception("Draft %s could not be sent", draft.pk)
        _fail(draft, *BROKEN)
    save(draft)


def _check_still_approved(environment: Environment, draft: Draft) -> None:
    if draft.is_approved and not _is_approved_as_it_is(environment, draft):
        raise ApprovalOutdated


def _put_off_or_fail(draft: Draft, refusal: Refusal) -> None:
    if refusal.code in NOT_NOW and not _is_late(draft):
        draft.due_at = clock.now() + LATER
        draft.error = _told(refusal.code, refusal.message)
    else:
        details = "; ".join(detail["message"] for detail in refusal.details)
        _fail(draft, refusal.code, f"{refusal.message} {details}".strip())


def _is_late(draft: Draft) -> bool:
    return draft.send_at is not None and clock.now() - draft.send_at > LATEST


def _fail(draft: Draft, code: str, message: str) -> None:
    draft.state, draft.due_at, draft.error = State.FAILED, None, _told(code, message)


def _told(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}
