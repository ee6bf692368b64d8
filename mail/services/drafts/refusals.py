"""Why something cannot be done with a draft."""

from environments.errors import Conflict, Forbidden, Refusal


class PreconditionFailed(Refusal):
    """``If-Match`` names another state of the row than it has (RFC 9110 section 13.1.1)."""

    status = 412
    code = "precondition_failed"
    message = "This has changed since you read it."
    fix = "Read it again, look at what changed, then try again with its new ETag in If-Match."


class DraftChanged(Conflict):
    """The version in the body is not the draft's any more."""

    code = "draft_changed"
    message = "The draft was edited meanwhile."
    fix = "Read it again, then make your change to its current version."


class DraftState(Conflict):
    """Not in this state."""

    code = "draft_state"
    fix = "Look at the draft's state; the states and what leads out of each are in docs/drafts.md."

    def __init__(self, state: str, cannot: str) -> None:
        super().__init__(f"A draft in state {state} cannot be {cannot}.")


class ApprovalRequired(Conflict):
    """It was put before a reviewer, and may go out only with a yes to exactly this."""

    code = "approval_required"
    message = "This draft asked for an approval that it does not have, or not for what it holds now."
    fix = "Submit it, and send it when it is approved."


class ApprovalOutdated(Conflict):
    """What would go out is not what was asked about."""

    code = "approval_outdated"
    message = "What would be sent has changed since approval was asked for, for instance the name of the inbox."
    fix = "Submit the draft again."


class OwnDraft(Forbidden):
    """Whoever wrote a draft does not review it."""

    code = "own_draft"
    message = "Nobody reviews a draft that they wrote or edited themselves."
    fix = "Let another person, or another key with drafts:approve, look at it."


class TooManyVersions(Conflict):
    """Every version is kept, and so there is an end to them."""

    code = "too_many_versions"
    message = "This draft has as many versions as one can have."
    fix = "Create a new draft."
