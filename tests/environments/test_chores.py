"""What the worker does about organizations, and about its own jobs."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from environments import clock
from environments.callers import SYSTEM
from environments.models import Invitation
from environments.services.members import INVITATION_LIFE, invite, revoke_invitation
from environments.tasks import expire_invitations, forget_finished_jobs, retry_stalled_jobs
from tests.world import World


def states(world: World) -> dict[str, str]:
    rows = Invitation.objects.in_organization(world.organization)
    return {row.email.partition("@")[0]: row.status for row in rows}


def invited(world: World, name: str) -> Invitation:
    invitation, _ = invite(world.organization.pk, f"{name}@acme.example", "member", actor=SYSTEM)
    return invitation


def test_an_invitation_runs_out_when_its_time_is_over_and_not_before(acme: World, globex: World) -> None:
    invited(acme, "fresh")
    with time_machine.travel(clock.now() - INVITATION_LIFE - timedelta(minutes=1)):
        for world in (acme, globex):
            invited(world, "late")
        revoke_invitation(invited(acme, "unwanted"), actor=SYSTEM)
    assert expire_invitations(0) == 2
    assert states(acme) == {"late": "expired", "unwanted": "revoked", "fresh": "pending"}
    assert states(globex) == {"late": "expired"}
    assert expire_invitations(0) == 0


def test_an_address_whose_invitation_ran_out_can_be_invited_again(acme: World) -> None:
    with time_machine.travel(clock.now() - INVITATION_LIFE - timedelta(minutes=1)):
        invited(acme, "late")
    expire_invitations(0)
    assert invited(acme, "late").status == "pending"


HEARTBEAT = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 s') RETURNING id"
BEGIN_JOB = "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s"
END_JOBS = "UPDATE procrastinate_events SET at = now() - %s * interval '1 day'"
JOBS = "SELECT id, status::text FROM procrastinate_jobs ORDER BY id"


def sql(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def begun(heartbeat: int) -> int:
    """Return a job that a worker is at who was last heard of so many seconds ago."""
    [(worker,)] = sql(HEARTBEAT, heartbeat)
    job = expire_invitations.defer(timestamp=0)
    sql(BEGIN_JOB, worker, job)
    return job


def test_the_job_of_a_killed_worker_starts_anew_and_that_of_a_living_one_goes_on(db: None) -> None:
    dead, living = begun(heartbeat=60), begun(heartbeat=5)
    assert retry_stalled_jobs(0) == 1
    assert sql(JOBS) == [(dead, "todo"), (living, "doing")]


def test_the_job_of_a_killed_worker_is_let_go_where_its_like_waits(db: None) -> None:
    begun(heartbeat=60)
    waiting = expire_invitations.defer(timestamp=0)
    assert retry_stalled_jobs(0) == 0
    assert sql(JOBS) == [(waiting, "todo")]


@pytest.mark.parametrize(("days", "left"), [(6, 1), (8, 0)])
def test_a_job_that_ended_is_remembered_for_a_week(db: None, days: int, left: int) -> None:
    sql("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", begun(heartbeat=0))
    sql(END_JOBS, days)
    forget_finished_jobs(0)
    assert len(sql(JOBS)) == left
