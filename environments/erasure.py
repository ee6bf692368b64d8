"""Erasing an environment: every row of every model behind the walls, children first, blobs too."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction

from environments import clock, walls
from environments.contributions import contributed
from environments.errors import Conflict
from environments.ids import decode, is_id
from environments.models import AuditEntry, Environment, EnvironmentOwned
from environments.object_store import object_store
from environments.scanning import Scan

BOOKKEEPING = {"event", "export", "usagehour", "idempotencyrecord", "intakeentry", "sendingwindow", "recipienthour"}
COUNT = "(SELECT count(*) FROM (SELECT FROM {table} WHERE environment_id = %(here)s LIMIT %(most)s) one)"
JOBS_AT_ONCE = 1000
JOBS = """
    SELECT job.id, argument.value
      FROM (SELECT id, args FROM procrastinate_jobs WHERE id > %s ORDER BY id LIMIT %s) job
      LEFT JOIN LATERAL jsonb_each_text(job.args) argument ON true
"""


@dataclass(frozen=True)
class Certificate:
    """What was erased: which environment, how many rows of each kind, and the audit entry that says so for ever.

    ``scan`` is what was looked for afterwards, if it was.
    """

    environment: Environment
    counts: dict[str, int]
    entry: AuditEntry
    scan: Scan | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the certificate as commands and the console show it."""
        entry = self.entry
        return {
            "environment_id": entry.environment_id,
            "organization_id": entry.organization_id,
            "slug": self.environment.slug,
            "erased": self.counts,
            "erased_at": clock.written(entry.at),
            "erased_by": {"kind": entry.actor_kind, "id": entry.actor_id or None, "name": entry.actor_name},
            "reason": entry.reason,
            "audit_entry_id": entry.pk,
            "audit_entry_hash": bytes(entry.hash).hex(),
            **({"scan": self.scan.as_json()} if self.scan else {}),
        }


def count_up_to(environment: Environment, most: int) -> dict[type[EnvironmentOwned], int]:
    """Return how many rows of each kind the environment has, none counted beyond ``most``: one query.

    Runs inside the environment. Kinds of which there is nothing are left out.
    """
    models = list(children_first())
    counted = ", ".join(COUNT.format(table=model._meta.db_table) for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counted}", {"here": decode("env", environment.pk), "most": most})
        counts = cursor.fetchone()
    return {model: count for model, count in zip(models, counts, strict=True) if count}


def erase_rows(environment: Environment, *, force: bool) -> dict[str, int]:
    """Delete every row of the environment that the transaction is bound to, and count them by model.

    Raises Conflict when there is anything but bookkeeping and ``force`` is not set.
    """
    counts = {
        str(model._meta.model_name): model.objects.in_environment(environment).count() for model in children_first()
    }
    if not force and any(count for name, count in counts.items() if name not in BOOKKEEPING):
        raise Conflict("The environment is not empty.", fix="Empty it, or add ?force=true to erase all that is in it.")
    forget_jobs(environment)
    for model in children_first():
        model.before_erasure(environment)
        model.objects.in_environment(environment).delete()
    for erase in contributed("erasing", "ALSO"):
        erase(environment)
    transaction.on_commit(partial(erase_objects, environment.pk))
    return {name: count for name, count in counts.items() if count}


def forget_jobs(environment: Environment) -> None:
    """Delete the jobs that name the environment or a row of it, but for those that are being done.

    Runs inside the environment, while its rows are there.
    """
    last, ours = 0, set()
    with connection.cursor() as cursor:
        while jobs := _jobs(cursor, last):
            last = max(job for job, _ in jobs)
            mine = {environment.pk, *_rows_among({named for _, named in jobs if named}, environment)}
            ours |= {job for job, named in jobs if named in mine}
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = ANY (%s) AND status <> 'doing'", [list(ours)])


def _jobs(cursor: Any, after: int) -> list[tuple[int, str | None]]:
    """Return the next jobs, one line for each of their arguments."""
    cursor.execute(JOBS, [after, JOBS_AT_ONCE])
    return cursor.fetchall()


def _rows_among(names: set[str], environment: Environment) -> Iterator[str]:
    """Yield those of the names that are ids of rows of the environment."""
    for model in walls.environment_owned():
        prefix = model._meta.pk.prefix  # type: ignore[attr-defined] # a PrefixedIDField
        ids = [name for name in names if is_id(prefix, name)]
        if ids:
            yield from model.objects.in_environment(environment).filter(pk__in=ids).values_list("pk", flat=True)


def erase_objects(folder: str) -> None:
    """Delete every object of the store whose key starts with this folder: an environment's id."""
    object_store().erase(folder)


def children_first() -> Iterator[type[EnvironmentOwned]]:
    """Yield the models behind the walls so that none comes after one that it refers to."""
    waiting = walls.environment_owned()
    while waiting:
        referred = {
            field.related_model
            for model in waiting
            for field in walls.same_owner_keys(model)
            if field.related_model is not model and field.database_action != "SET NULL"
        }
        free = [model for model in waiting if model not in referred]
        yield from free
        waiting = [model for model in waiting if model in referred]
