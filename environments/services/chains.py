"""Having a whole audit chain checked by the worker, which records what it finds."""

from dataclasses import asdict

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from environments.callers import Actor

JOB = "environments.tasks.verify_chain"


def ask_for_verification(organization_id: str, *, actor: Actor) -> None:
    """Have the organization's chain checked once the open transaction has committed; once, if it is asked for twice."""
    job = app.configure_task(JOB, queueing_lock=f"verify chain {organization_id}")
    try:
        with transaction.atomic():
            job.defer(organization_id=organization_id, asker=asdict(actor))
    except AlreadyEnqueued:
        return
