"""What an archive tells of the environment itself, of who belongs there, of what it used and of what was done."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from environments.exporting import File, Files, line, lines
from environments.models import AuditEntry, Environment, EnvironmentMembership, UsageHour
from environments.present import audit_json, environment_json, environment_member_json
from environments.services.members import memberships


def _itself(environment: Environment) -> Iterator[File]:
    yield File("environment.json", iter([line(environment_json(environment))]))


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
    lines("members", memberships, _members),
    lines("usage", UsageHour.objects.in_environment, _usage),
    lines("audit", _entries_of, _audit),
)
