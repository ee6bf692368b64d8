"""Chores of keys, run by the worker."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from procrastinate.contrib.django import app

from apikeys.models import IdempotencyRecord, KeyWindow, RateWindow, StreamTicket
from environments import clock
from environments.binding import inside
from environments.ids import decode, encode, first_at
from environments.models import Environment
from environments.services import usage


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="count_api_calls")
def count_api_calls(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Move the calls of past minutes from the rate windows into the usage of their environments; return how many."""
    with transaction.atomic():
        calls = _taken(clock.now().replace(second=0, microsecond=0))
        for (environment_id, hour), number in sorted(calls.items()):
            with inside(environment_id):
                usage.count(environment_id, {"api_calls": number}, at=hour)
    return sum(calls.values())


def _taken(before: datetime) -> dict[tuple[str, datetime], int]:
    """Remove the windows before this minute; return the calls of environments by hour."""
    windows = RateWindow.objects.filter(minute__lt=before).select_for_update(skip_locked=True)
    found = list(windows.values_list("pk", "subject", "minute", "calls"))
    RateWindow.objects.filter(pk__in=[pk for pk, *_ in found]).delete()
    subjects = {subject for _, subject, _, _ in found}
    named = [encode("env", subject) for subject in subjects]
    known = Environment.everywhere.filter(pk__in=named).values_list("pk", flat=True)
    environments = {decode("env", pk): pk for pk in known}
    calls: dict[tuple[str, datetime], int] = defaultdict(int)
    for _, subject, minute, number in found:
        if subject in environments:
            calls[environments[subject], minute.replace(minute=0)] += number
    return calls


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="forget_idempotency_keys")
def forget_idempotency_keys(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete answers that are older than a day, environment by environment; return how many."""
    forgotten = 0
    for environment_id in Environment.everywhere.values_list("pk", flat=True).iterator():
        with inside(environment_id):
            rows = IdempotencyRecord.objects.in_environment(Environment(pk=environment_id))
            forgotten += rows.filter(expires_at__lt=clock.now()).delete()[0]
    return forgotten


@app.periodic(cron="27 * * * *")
@app.task(queueing_lock="forget_key_windows")
def forget_key_windows(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete what keys sent in days that are over; return how many counts."""
    until = clock.now() - timedelta(days=2)
    return KeyWindow.everywhere.filter(pk__lt=first_at("kwn", until)).delete()[0]


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="forget_stream_tickets")
def forget_stream_tickets(timestamp: int) -> int:  # noqa: ARG001 - procrastinate tells when it was due
    """Delete the tickets that nobody redeemed in time; return how many."""
    return StreamTicket.everywhere.filter(expires_at__lt=clock.now()).delete()[0]
