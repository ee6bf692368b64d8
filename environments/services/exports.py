"""Exports: asked for by people, made by the worker, fetched while they are kept, and forgotten."""

import hashlib
import logging
from datetime import timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from procrastinate.contrib.django import app

from environments import clock
from environments.binding import inside
from environments.callers import Actor
from environments.errors import Conflict, NotFound, PersonRequired
from environments.locks import lock
from environments.models import Environment, Export
from environments.services.archive import write_archive
from environments.services.audit import record

logger = logging.getLogger(__name__)

JOB = "environments.tasks.make_export"
KEPT = timedelta(days=7)
LONGEST = timedelta(days=1)  # that one may be in the making, before it counts as failed
FAILED = "It could not be made; the server's log says why."
State = Export.State


def request_export(environment: Environment, *, actor: Actor, reason: str = "") -> Export:
    """Have an archive of the environment made by the worker, and return it as it waits for that, audited.

    Runs inside the environment. Raises PersonRequired, and Conflict while another one is being made.
    """
    if not actor.is_person:
        raise PersonRequired(fix="Do it in the console, or with manage.py export_environment.")
    export = Export(environment=environment, requested_by=actor.name)
    try:
        with transaction.atomic():
            export.save(force_insert=True)
    except IntegrityError as problem:
        raise Conflict("An export is being made already.", fix="Wait until it is ready.") from problem
    _record(export, environment, actor, "requested", reason=reason)
    app.configure_task(JOB).defer(environment_id=environment.pk, export_id=export.pk)
    return export


def make(environment: Environment, export_id: str) -> bool:
    """Make an archive that was asked for; return whether it is ready now. Safe to run twice.

    The archive is known only in its own environment, so that an id of another one's finds nothing.
    """
    with inside(environment):
        if not _unfinished(environment, export_id).update(state=State.RUNNING):
            return False
    try:
        with TemporaryFile() as file:
            manifest = write_archive(environment, file)
            return _store(environment, export_id, file, manifest)
    except Exception:
        logger.exception("Export %s failed", export_id)
        with inside(environment):
            _finish(environment, export_id, state=State.FAILED, error=FAILED)
        return False


def _store(environment: Environment, export_id: str, file: IO[bytes], manifest: dict[str, Any]) -> bool:
    """Put the archive into the object store, and take it out again where nobody waits for it any more."""
    size, key = file.tell(), Export(pk=export_id, environment_id=environment.pk).object_key
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # it has all that is needed
    file.seek(0)
    default_storage.delete(key)  # of a run that was cut off
    default_storage.save(key, File(file))
    ends = {"size": size, "sha256": sha256, "manifest": manifest, "expires_at": clock.now() + KEPT}
    with inside(environment):
        is_wanted = _finish(environment, export_id, state=State.READY, **ends)
    if not is_wanted:
        default_storage.delete(key)
    return is_wanted


def _unfinished(environment: Environment, export_id: str) -> Any:
    return Export.objects.in_environment(environment).filter(pk=export_id, state__in=Export.UNFINISHED)


def _finish(environment: Environment, export_id: str, **ends: Any) -> bool:
    return bool(_unfinished(environment, export_id).update(finished_at=clock.now(), **ends))


def open_archive(export: Export, environment: Environment, *, actor: Actor) -> IO[bytes]:
    """Return the bytes of an archive that is ready, audited. Runs inside the environment. Raises NotFound."""
    if export.state != State.READY or export.expires_at is None or export.expires_at <= clock.now():
        raise NotFound("This export is not to be had.", fix="Ask for a new one.")
    try:
        opened: IO[bytes] = default_storage.open(export.object_key, "rb")
    except FileNotFoundError:
        raise NotFound("This export is not to be had any more.", fix="Ask for a new one.") from None
    _record(export, environment, actor, "downloaded")
    return opened


def delete_export(export: Export, environment: Environment, *, actor: Actor) -> None:
    """Forget an archive before its time; one that is being made is thrown away when it is done. Raises NotFound."""
    with transaction.atomic():
        lock(export, Export.objects.in_environment(environment))
        _record(export, environment, actor, "deleted")
        key = export.object_key
        export.delete()
        transaction.on_commit(partial(default_storage.delete, key))


def forget_expired(environment: Environment) -> int:
    """Let go of the archives whose week is over, and of what has been in the making for too long; return how many.

    Runs inside the environment. The rows stay, as a record.
    """
    rows, now = Export.objects.in_environment(environment), clock.now()
    over = list(rows.filter(state=State.READY, expires_at__lte=now))
    rows.filter(pk__in=[export.pk for export in over]).update(state=State.EXPIRED)
    for export in over:
        transaction.on_commit(partial(default_storage.delete, export.object_key))
    stuck = rows.filter(state__in=Export.UNFINISHED, created_at__lte=now - LONGEST)
    error = "It was not finished within a day: is the worker running?"
    return len(over) + stuck.update(state=State.FAILED, finished_at=now, error=error)


def _record(export: Export, environment: Environment, actor: Actor, verb: str, **details: Any) -> None:
    action = f"environment.export_{verb}"
    record(environment.organization_id, actor, action, export.pk, environment=environment, **details)
