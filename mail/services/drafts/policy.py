"""Who may let a draft out, and who may say yes to one: two questions, each answered in one place."""

from dataclasses import dataclass

from apikeys.scopes import SEND
from environments.errors import MissingScope
from mail.models import Draft
from mail.services.drafts.refusals import ApprovalRequired, DraftState, OwnDraft

State = Draft.State
OVER = (State.SCHEDULED, State.SENDING, State.SENT)


@dataclass(frozen=True)
class Sending:
    """What is asked before a draft is sent.

    ``is_approved`` tells whether somebody said yes to exactly what it holds now; ``was_submitted`` whether anybody was
    ever asked; ``may_send`` whether the caller may send mail without being asked about it; ``is_person`` whether they
    are a person; ``is_author`` whether they wrote or edited the draft.
    """

    state: str
    is_approved: bool
    was_submitted: bool
    may_send: bool
    is_person: bool
    is_author: bool


def check_sending(asked: Sending) -> None:
    """Raise DraftState, ApprovalRequired or MissingScope unless the draft may be sent.

    An approval lets the mail out, whoever calls. Without one, a draft that nobody was asked about is sent by whoever
    may send mail; one that was submitted, only by a person who did not write it, and whose sending is the approval.
    """
    if asked.state in OVER:
        raise DraftState(asked.state, "sent")
    if asked.state == State.REJECTED:
        raise ApprovalRequired
    if asked.is_approved:
        return
    if asked.was_submitted and (not asked.is_person or asked.is_author):
        raise ApprovalRequired
    if not asked.may_send:
        raise MissingScope(SEND)


def check_reviewing(*, is_author: bool) -> None:
    """Raise OwnDraft for whoever wrote or edited the draft."""
    if is_author:
        raise OwnDraft
