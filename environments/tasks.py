"""Chores of organizations, run by the worker."""

from procrastinate.contrib.django import app

from environments import clock
from environments.models import Invitation


@app.periodic(cron="5 * * * *")
@app.task(queueing_lock="expire_invitations")
def expire_invitations(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Mark pending invitations whose time has run out; return how many."""
    pending = Invitation.everywhere.filter(status=Invitation.Status.PENDING, expires_at__lte=clock.now())
    return pending.update(status=Invitation.Status.EXPIRED, updated_at=clock.now())
