"""An archive made an environment again: all of it in one transaction, or nothing.

Rows come column by column, checked against the models; the database's own constraints hold what refers to what. Each
app lists in ``imports.py`` the ``STEPS`` that follow once the rows are there. At the end everything is shown once, as
the API would: what cannot be shown is not taken in.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import DatabaseError, DataError, connection, transaction

from environments.binding import inside
from environments.callers import Actor
from environments.columns import LOW, Renaming, WrongValue, later_columns, read_column, shifted
from environments.contributions import contributed
from environments.erasure import children_first
from environments.exporting import Table
from environments.exports import SETTINGS, settings_columns
from environments.models import AuditEntry, Environment, Organization
from environments.object_store import is_broken_off, object_store, removed_on_failure
from environments.resolution import SLUG
from environments.services.audit import record
from environments.services.environments import MESSAGE_RETENTION, create_environment
from environments.services.limits import BOUNDS
from environments.services.unpacking import Archive, ArchiveRefused

AT_ONCE = 200  # rows
OCTETS_AT_ONCE = 2**24
Weighed = tuple[int, dict[str, Any]]  # a row, behind the octets that it has in its archive
MOST_SHIFT = LOW - 1


@dataclass
class Import:
    """An import under way: into which environment, from what, what ids become, and what somebody must be told.

    ``secrets`` are shown once, by the id of what they are of; ``remarks`` are sentences.
    """

    environment: Environment
    archive: Archive
    renaming: Renaming
    actor: Actor
    counts: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


Step = Callable[[Import], None]


def import_archive(
    organization: Organization,
    archive: Archive,
    *,
    actor: Actor,
    slug: str | None = None,
    name: str | None = None,
    new_ids: bool = False,
) -> Import:
    """Make a new environment of the organization out of an archive, and return what came of it.

    Ids stay as they are, unless this server has an environment of that id, another organization had it, or ``new_ids``
    is set; then each is another one. It lets no mail out, deletes none, posts no webhook, and holds no secret of where
    it comes from. Raises ArchiveRefused, and whatever ``create_environment`` raises, and leaves nothing then.
    """
    former = archive.manifest["environment_id"]
    given = _settings(archive)
    remarks = [*_keep_for_ever(given), *_let_nobody_out(given)]
    with removed_on_failure(), _going_together(), transaction.atomic():
        _take_turns(former)
        shift = 1 + secrets.randbelow(MOST_SHIFT) if new_ids or _is_taken(former, organization) else 0
        renaming = _renaming(former, shift)
        here = renaming.of(former)
        if next(object_store().objects(here), None):
            raise ArchiveRefused(f"The object store has objects of {here} already: say --new-ids.")
        environment = _created(organization, here, {**given, **_named(slug, name)}, actor)
        done = Import(environment, archive, renaming, actor, remarks=remarks)
        with inside(environment):
            _fill(done)
            _record(done)
    return done


@contextmanager
def _going_together() -> Iterator[None]:
    """Refuse the archive for what the database does not take, unless it broke off: then nobody knows what became."""
    try:
        yield
    except DatabaseError as problem:
        if is_broken_off(problem):
            raise
        raise ArchiveRefused(f"Its rows do not go together: {_sentence(problem)}") from problem
    except UnicodeEncodeError as problem:
        raise ArchiveRefused("It has text that is not to be written in UTF-8.") from problem


def _take_turns(former: str) -> None:
    """Wait until nobody else imports what was this environment; others wait until our transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"import {former}"])


def _is_taken(former: str, organization: Organization) -> bool:
    """Return whether the id is another environment's, or was one's of another organization, as its record says."""
    told_of_elsewhere = AuditEntry.everywhere.filter(environment_id=former).exclude(organization=organization)
    return Environment.everywhere.filter(pk=former).exists() or told_of_elsewhere.exists()


def _keep_for_ever(given: dict[str, Any]) -> list[str]:
    """Take the days that mail is kept out of the settings: much of it is older. Return what to tell of that."""
    days = given.pop(MESSAGE_RETENTION)
    return [] if days is None else [f"Mail was deleted after {days} days there; here it stays until you say so."]


def _let_nobody_out(given: dict[str, Any]) -> list[str]:
    """Take whom mail is let out to out of the settings; return what to tell of that."""
    outlets = [given.pop("allowlist"), given.pop("redirect_address")]
    return (
        ["Allowlist and redirect address did not come along: whoever lets mail out says to whom."]
        if any(outlets)
        else []
    )


def _named(slug: str | None, name: str | None) -> dict[str, str]:
    return {key: value for key, value in (("slug", slug), ("name", name)) if value}


def _renaming(former: str, shift: int) -> Renaming:
    """Return the new ids of what the archive brings, and of the environment itself and no other."""
    kinds = frozenset(table.prefix for table in tables())
    return Renaming(shift, kinds, {former: shifted(former, shift)})


def tables() -> list[Table]:
    """Return the tables of an archive, none before one whose rows it must have."""
    known = {table.model: table for table in contributed("exports", "TABLES")}
    return [known[model] for model in reversed(list(children_first())) if model in known]


# --- The environment itself -------------------------------------------------------------------------------------------


def _settings(archive: Archive) -> dict[str, Any]:
    """Return what the archive says of the environment itself."""
    rows = [row for _, row in islice(_checked(archive, SETTINGS, settings_columns(), Renaming(0, frozenset(), {})), 2)]
    if len(rows) != 1:
        raise ArchiveRefused(f"{SETTINGS} has {archive.files[SETTINGS]['count']} lines, and not one.")
    given = rows[0]
    if not SLUG.fullmatch(given["slug"]):
        raise ArchiveRefused(f"{SETTINGS}: slug must be 1 to 63 lower-case letters, digits and inner hyphens.")
    return given


def _created(organization: Organization, here: str, given: dict[str, Any], actor: Actor) -> Environment:
    fields = {"id": here, **given}
    name = fields.pop("name")
    try:
        with transaction.atomic():
            return create_environment(organization, name, actor=actor, **fields)[0]
    except DataError as problem:
        raise ArchiveRefused(f"{SETTINGS}: {_sentence(problem)}") from problem


# --- Rows -------------------------------------------------------------------------------------------------------------


def _fill(done: Import) -> None:
    """Store rows, then what they leave open, then let each app do its part, and show everything once."""
    listed = tables()
    if unknown := set(done.archive.names("rows")) ^ {SETTINGS, *(table.file for table in listed)}:
        raise ArchiveRefused(f"{min(unknown)} is missing, or is no table that this release knows.")
    later = _stored(done, listed)
    for table, columns in later.items():
        _refer(done, table, columns)
    for step in contributed("imports", "STEPS"):
        with understood():
            step(done)
    _show(done)


def _stored(done: Import, listed: Sequence[Table]) -> dict[Table, list[str]]:
    """Store the rows of all tables; return the columns that refer to rows which came later, by table."""
    stored: set[Any] = set()
    later = {}
    for table in listed:
        open_columns = [column.attname for column in later_columns(table.model, stored)]
        if open_columns:
            later[table] = open_columns
        done.counts[table.model._meta.label_lower] = _store(done, table, open_columns)
        stored.add(table.model)
    return later


def _store(done: Import, table: Table, open_columns: Sequence[str]) -> int:
    number, rows = 0, _checked(done.archive, table.file, table.columns, done.renaming)
    for some in _by_the_load(rows):
        made = [_made(done, table, values, open_columns) for values in some]
        table.model.objects.in_environment(done.environment).bulk_create(made)
        number += len(made)
    return number


def _made(done: Import, table: Table, values: Mapping[str, Any], open_columns: Sequence[str]) -> Any:
    row = table.model(environment=done.environment, **{**values, **dict.fromkeys(open_columns)})
    table.arrive(row)
    return row


def _refer(done: Import, table: Table, columns: Sequence[str]) -> None:
    """Fill in the columns that refer to rows which came later."""
    key = table.model._meta.pk.attname
    rows = _checked(done.archive, table.file, table.columns, done.renaming)
    referring = ((octets, row) for octets, row in rows if any(row[column] for column in columns))
    for some in _by_the_load(referring):
        made = [table.model(**{column: row[column] for column in (key, *columns)}) for row in some]
        names = [table.model._meta.get_field(column).name for column in columns]
        table.model.objects.in_environment(done.environment).bulk_update(made, names)


def _by_the_load(rows: Iterator[Weighed]) -> Iterator[list[dict[str, Any]]]:
    """Yield some rows at a time, no more than memory is meant for."""
    some: list[dict[str, Any]] = []
    load = 0
    for octets, row in rows:
        some.append(row)
        load += octets
        if len(some) == AT_ONCE or load >= OCTETS_AT_ONCE:
            yield some
            some, load = [], 0
    if some:
        yield some


def _checked(archive: Archive, file: str, columns: Sequence[Any], renaming: Renaming) -> Iterator[Weighed]:
    """Yield the rows of a file, each with a right value in exactly these columns. Raises ArchiveRefused."""
    if file not in archive.files:
        raise ArchiveRefused(f"{file} is missing.")
    by_name = {column.attname: column for column in columns}
    for number, octets, row in archive.rows(file):
        if row.keys() != by_name.keys():
            other = min(row.keys() ^ by_name.keys())
            raise ArchiveRefused(f"{file}, line {number}: {other[:100]!r} is missing, or is no column of it.")
        values = {}
        for name, column in by_name.items():
            try:
                values[name] = read_column(column, row[name], renaming)
            except WrongValue as problem:
                raise ArchiveRefused(f"{file}, line {number}: {name} must be {problem}.") from None
            except (TypeError, RecursionError):
                raise ArchiveRefused(f"{file}, line {number}: {name} cannot be read.") from None
        _demand_bounds(f"{file}, line {number}", values)
        yield octets, values


def _demand_bounds(where: str, values: Mapping[str, Any]) -> None:
    for name in values.keys() & BOUNDS.keys():
        least, most = BOUNDS[name]
        if values[name] is not None and not least <= values[name] <= most:
            raise ArchiveRefused(f"{where}: {name} must be from {least} to {most}.")


def _sentence(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]


# --- The end ----------------------------------------------------------------------------------------------------------


def _show(done: Import) -> None:
    """Make of the environment what an export of it holds in the form of the API, and throw it away."""
    for files in contributed("exports", "FILES"):
        for file in (file for file in files(done.environment) if "/" not in file.name):
            with understood():
                for _ in file.pieces:
                    pass


@contextmanager
def understood() -> Iterator[None]:
    """Refuse the archive where the block stumbles over what is inside a value of JSON, which no column tells."""
    try:
        yield
    except (TypeError, KeyError, AttributeError, IndexError) as problem:
        raise ArchiveRefused(f"What it says cannot be shown: {problem!r}") from problem


def _record(done: Import) -> None:
    here, manifest = done.environment, done.archive.manifest
    after = {
        "from": manifest["environment_id"],
        "made_at": str(manifest.get("created_at"))[:40],
        "rows": {name: count for name, count in done.counts.items() if count},
    }
    record(here.organization_id, done.actor, "environment.imported", here.pk, environment=here, after=after)
