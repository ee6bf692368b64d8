"""Chores of organizations, run by the worker."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from environments import clock
from environments.models import Invitation, Member
from environments.services.notices import mail_to


@app.periodic(cron="5 * * * *")
@app.task(queueing_lock="expire_invitations")
def expire_invitations(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Mark pending invitations whose time has run out; return how many."""
    pending = Invitation.everywhere.filter(status=Invitation.Status.PENDING, expires_at__lte=clock.now())
    return pending.update(status=Invitation.Status.EXPIRED, updated_at=clock.now())


@app.task(name="environments.tasks.mail_notice", retry=RetryStrategy(max_attempts=6, exponential_wait=6))
def mail_notice(organization_id: str, member_id: str, notice: str, facts: dict[str, str]) -> bool:
    """Mail a notice to one member; return whether it was. Who has left the organization meanwhile gets none."""
    members = Member.objects.in_organization(organization_id).select_related("user")
    member = members.filter(pk=member_id, user__is_active=True).first()
    return member is not None and mail_to(member, notice, facts)
