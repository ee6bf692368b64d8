"""What a run says when it could not try the release before this one."""

MISSING = "This clone does not hold the release before this one."
