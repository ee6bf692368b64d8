"""Chores of the event log, run by the worker."""

from procrastinate.contrib.django import app

from environments.models import Environment
from webhooks.services import retention


@app.periodic(cron="47 * * * *")
@app.task(queueing_lock="forget_events")
def forget_events(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete the events whose time in the log is over, environment by environment; return how many."""
    return sum(retention.forget_events(environment) for environment in Environment.everywhere.iterator())
