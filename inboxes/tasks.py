"""Chores of domains, run by the worker."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.errors import NotFound
from environments.gates import environment_id_of
from environments.models import Environment
from inboxes.models import AddressHold, Domain
from inboxes.services import signing_keys, verification

OFTEN, SELDOM, DAILY = timedelta(minutes=50), timedelta(hours=6), timedelta(hours=23)
FRESH = timedelta(days=14)


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="recheck_domains")
def recheck_domains(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Have every domain that is due checked against DNS, and retire keys; return how many domains were due.

    A verified domain is due every six hours, one that fails, or has
    waited for less than two weeks, every hour, others once a day.
    """
    due: list[str] = []
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        environment = Environment(pk=environment_id)
        with inside(environment):
            signing_keys.retire_due(environment)
            due += Domain.objects.in_environment(environment).filter(_is_due()).values_list("pk", flat=True)
    for domain_id in due:
        _defer(domain_id)
    return len(due)


def _is_due() -> Q:
    now, verified = clock.now(), Q(status=Domain.Status.VERIFIED)
    often, seldom, daily = (Q(checked_at=None) | Q(checked_at__lt=now - pause) for pause in (OFTEN, SELDOM, DAILY))
    is_fresh, is_failing = Q(created_at__gt=now - FRESH), Q(failing_since__isnull=False)
    return (often & ((~verified & is_fresh) | (verified & is_failing))) | (seldom & verified) | daily


def _defer(domain_id: str) -> None:
    try:
        with transaction.atomic():
            recheck_domain.configure(queueing_lock=f"recheck {domain_id}").defer(domain_id=domain_id)
    except AlreadyEnqueued:
        return


@app.periodic(cron="29 * * * *")
@app.task(queueing_lock="forget_address_holds")
def forget_address_holds(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Forget the addresses that are not held any more; return how many."""
    return AddressHold.objects.filter(until__lt=clock.now()).delete()[0]


@app.task(name="inboxes.tasks.recheck_domain")
def recheck_domain(domain_id: str) -> str:
    """Check one domain against DNS; return its status afterwards, or an empty string when it has gone.

    The domain says whose it is, and nobody else does.
    """
    environment_id = environment_id_of(Domain, domain_id)
    environment = Environment.everywhere.filter(pk=environment_id).first() if environment_id else None
    if environment is None:
        return ""
    try:
        with inside(environment):
            domain = Domain.objects.in_environment(environment).filter(pk=domain_id).first()
            if domain is None:
                return ""
            check = verification.begin(domain, environment, at_once=True)
        answers = verification.ask(check)
        with inside(environment):
            return verification.conclude(check, environment, answers, actor=SYSTEM).status
    except NotFound:  # deleted meanwhile
        return ""
