"""Chores of organizations, run by the worker."""

from asgiref.sync import async_to_sync
from axes.handlers.proxy import AxesProxyHandler
from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status

from environments import clock
from environments.binding import inside
from environments.callers import Actor
from environments.models import Environment, Invitation, Member, Organization, User
from environments.services import audit, exports
from environments.services.accounts import NOBODY, RESET, forget_ended_sessions, may_sign_in, places_of, reset_link
from environments.services.members import MAIL_INVITATION, mailable_link
from environments.services.notices import mail_link, mail_to

HOURS_OF_FINISHED_JOBS = 7 * 24
DAYS_OF_SIGN_INS = 90
IN_A_WHILE = RetryStrategy(max_attempts=6, exponential_wait=6)


@app.periodic(cron="5 * * * *")
@app.task(queueing_lock="expire_invitations")
def expire_invitations(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Mark pending invitations whose time has run out; return how many."""
    pending = Invitation.everywhere.filter(status=Invitation.Status.PENDING, expires_at__lte=clock.now())
    return pending.update(status=Invitation.Status.EXPIRED, updated_at=clock.now())


@app.task(name="environments.tasks.mail_notice", retry=IN_A_WHILE)
def mail_notice(organization_id: str, member_id: str, notice: str, facts: dict[str, str]) -> bool:
    """Mail a notice to one member; return whether it was. Who has left the organization meanwhile gets none."""
    members = Member.objects.in_organization(organization_id).select_related("user")
    member = members.filter(pk=member_id, user__is_active=True).first()
    return member is not None and mail_to(member, notice, facts)


@app.task(name="environments.tasks.verify_chain")
def verify_chain(organization_id: str, asker: dict[str, str | None]) -> int:
    """Check the whole audit chain of an organization, as asked by somebody; return how many entries are broken."""
    if not Organization.objects.filter(pk=organization_id).exists():
        return 0
    return len(audit.verify(organization_id, actor=Actor(**asker)).broken)  # type: ignore[arg-type]


@app.task(name=RESET, retry=IN_A_WHILE)
def mail_password_reset(user_id: int) -> bool:
    """Mail a person the link behind which they choose a password; return whether it was. The link is made here."""
    user = User.objects.filter(pk=user_id).first() if user_id != NOBODY else None
    if user is None or not may_sign_in(user):
        return False
    facts = {"email": user.email, "link": reset_link(user)}
    instead = "an operator makes one with manage.py reset_password --email ADDRESS"
    places = [place.organization_id for place in places_of(user)]
    return mail_link(user.email, f"user {user.pk}", "password_reset", facts, organization_ids=places, instead=instead)


@app.task(name=MAIL_INVITATION, retry=IN_A_WHILE)
def mail_invitation(organization_id: str, invitation_id: str) -> bool:
    """Mail an invitation's link to its address; return whether it was. The link is made here."""
    found = mailable_link(organization_id, invitation_id)
    if found is None:
        return False
    invitation, link = found
    facts = {
        "email": invitation.email,
        "organization": invitation.organization.name,
        "role": invitation.role,
        "link": link,
        "until": f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC",
    }
    instead = "whoever invites makes one in the console, on the page of the invitation, and passes it on"
    places = [organization_id]
    return mail_link(invitation.email, invitation.pk, "invitation", facts, organization_ids=places, instead=instead)


@app.periodic(cron="35 * * * *")
@app.task(queueing_lock="forget_ended_sessions")
def forget_sessions(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Forget the sessions that have run out; return how many."""
    return forget_ended_sessions()


@app.periodic(cron="19 * * * *")
@app.task(queueing_lock="forget_sign_ins")
def forget_sign_ins(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Forget who signed in from where so many days ago; return how many times. Guesses are forgotten at the next."""
    return AxesProxyHandler.reset_logs(age_days=DAYS_OF_SIGN_INS)


@app.task(name="environments.tasks.make_export")
def make_export(environment_id: str, export_id: str) -> bool:
    """Make an export that was asked for; return whether it is ready now. It must be one of this environment's."""
    environment = Environment.everywhere.select_related("organization").filter(pk=environment_id).first()
    return environment is not None and exports.make(environment, export_id)


@app.periodic(cron="13 * * * *")
@app.task(queueing_lock="forget_exports")
def forget_exports(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Let go of the exports whose week is over, environment by environment; return how many."""
    forgotten = 0
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        with inside(environment_id):
            forgotten += exports.forget_expired(Environment(pk=environment_id))
    return forgotten


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="retry_stalled_jobs")
def retry_stalled_jobs(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Put back in the line the jobs whose worker was killed over them; return how many. Each may run twice."""
    stalled = list(async_to_sync(app.job_manager.get_stalled_jobs)())
    return sum(_put_back(job) for job in stalled)


def _put_back(job: Job) -> bool:
    """Let a job start anew; return False for one that is let go, since its like waits in the line already."""
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job.id, clock.now())  # type: ignore[arg-type] # it comes from the table
    except UniqueViolation:
        async_to_sync(app.job_manager.finish_job)(job, Status.FAILED, delete_job=True)
        return False
    return True


@app.periodic(cron="43 * * * *")
@app.task(queueing_lock="forget_finished_jobs")
def forget_finished_jobs(timestamp: int) -> None:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete the jobs that ended, well or not, more than a week ago."""
    async_to_sync(app.job_manager.delete_old_jobs)(
        HOURS_OF_FINISHED_JOBS, include_failed=True, include_cancelled=True, include_aborted=True
    )
