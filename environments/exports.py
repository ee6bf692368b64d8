"""What an archive tells of the environment itself, of who belongs there, of what it used and of what was done."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import QuerySet

from environments.columns import written_columns
from environments.exporting import File, Files, Table, line, lines, row_line
from environments.models import AuditEntry, Environment, EnvironmentMembership, Export, UsageHour
from environments.present import audit_json, environment_json, environment_member_json
from environments.services.environments import POLICIES, RETENTION
from environments.services.limits import LIMITS
from environments.services.members import memberships

SETTINGS = "rows/environments.environment.jsonl"
KEPT = (
    "name", "slug", "description", "metadata", "is_locked", "outbound_paused", "inbound_paused", "webhooks_paused",
    "pauses_by_people", "pause_reasons", "storage_quota", "allowlist", "redirect_address", "deliverability_since",
    *POLICIES, *RETENTION, *LIMITS,
)  # fmt: skip


def _itself(environment: Environment) -> Iterator[File]:
    yield File("environment.json", iter([line(environment_json(environment))]))


def settings_columns() -> list[models.Field]:
    """Return the columns of an environment that come with an archive: its id, owner, mode and times do not."""
    return [column for column in written_columns(Environment) if column.name in KEPT]


def _settings(environment: Environment) -> Iterator[File]:
    """Yield the settings as they are now, not as the caller read them once."""
    rows = Environment.objects.in_organization(environment.organization_id).filter(pk=environment.pk)
    yield File(SETTINGS, (row_line(settings_columns(), row) for row in rows))


def _members(_: Environment, rows: Sequence[EnvironmentMembership]) -> list[dict[str, Any]]:
    return [environment_member_json(row) for row in rows]


def _usage(_: Environment, rows: Sequence[UsageHour]) -> list[dict[str, Any]]:
    return [{"hour": row.hour, **{name: getattr(row, name) for name in UsageHour.COUNTERS}} for row in rows]


def _entries_of(environment: Environment) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.in_organization(environment.organization_id)
    return rows.filter(environment_id=environment.pk)


def _audit(_: Environment, rows: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    return [audit_json(row) for row in rows]


FILES: Sequence[Files] = (
    _itself,
    _settings,
    lines("members", memberships, _members),
    lines("usage", UsageHour.objects.in_environment, _usage),
    lines("audit", _entries_of, _audit),
)
TABLES: Sequence[Table] = (Table(UsageHour),)
LEFT_OUT = {Export: "an archive holds no archives"}
