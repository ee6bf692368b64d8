"""Erasing an environment: every row of every model behind the walls, children first, blobs too."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction

from environments import clock, walls
from environments.errors import Conflict
from environments.ids import decode
from environments.models import AuditEntry, Environment, EnvironmentOwned
from environments.object_store import object_store

BOOKKEEPING = {"event", "export", "usagehour", "idempotencyrecord", "intakeentry", "sendingwindow", "recipienthour"}
COUNT = "(SELECT count(*) FROM (SELECT FROM {table} WHERE environment_id = %(here)s LIMIT %(most)s) one)"


@dataclass(frozen=True)
class Certificate:
    """What was erased: which environment, how many rows of each kind, and the audit entry that says so for ever."""

    environment: Environment
    counts: dict[str, int]
    entry: AuditEntry

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
    for model in children_first():
        model.before_erasure(environment)
        model.objects.in_environment(environment).delete()
    transaction.on_commit(partial(erase_objects, environment.pk))
    return {name: count for name, count in counts.items() if count}


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
