"""Erasing an environment: every row of every model behind the walls, children first, blobs too."""

from collections.abc import Iterator
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction

from environments import walls
from environments.errors import Conflict
from environments.models import Environment, EnvironmentOwned

BOOKKEEPING = {"event", "usagehour", "idempotencyrecord", "intakeentry", "sendingwindow", "recipienthour"}


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
    if not default_storage.exists(folder):
        return
    folders, files = default_storage.listdir(folder)
    for name in files:
        default_storage.delete(f"{folder}/{name}")
    for name in folders:
        erase_objects(f"{folder}/{name}")
    default_storage.delete(folder)


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
