"""Audit entries as a file: what the person may see, as the list is narrowed, in one stream, and on the record."""

import csv
from collections.abc import Iterator
from typing import Any

import orjson
from django import forms
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from environments import clock
from environments.console.forms import ActionForm
from environments.console.permissions import ORGANIZATION_WIDE
from environments.console.reach import ConsoleRequest
from environments.models import AuditEntry
from environments.present import audit_json
from environments.services.audit import record

MOST, BATCH = 10_000, 500
COLUMNS = (
    *("at", "action", "actor_kind", "actor_id", "actor_name", "address", "target_id", "environment_id", "reason"),
    *("before", "after", "id", "hash"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would carry out
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class ExportForm(ActionForm):
    """In which form."""

    format = forms.ChoiceField(choices=[("csv", "CSV, for spreadsheets"), ("json", "JSON")])


class Echo:
    """A file whose writer gets back what it wrote."""

    def write(self, text: str) -> str:
        """Return the text."""
        return text


def exported(
    request: ConsoleRequest, rows: QuerySet[AuditEntry], kind: str, asked: dict[str, str]
) -> StreamingHttpResponse:
    """Return the newest ``MOST`` of these rows as a file, once it is recorded who takes them."""
    console = request.console
    here = None if console.role in ORGANIZATION_WIDE else console.here
    told = {"format": kind, "filters": asked, "most": MOST}
    target = here.pk if here else console.here.organization_id
    record(console.here.organization_id, console.actor, "audit.exported", target, environment=here, after=told)
    lines = _csv(rows) if kind == "csv" else _json(rows)
    name = f"audit-{clock.now():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type=TYPES[kind], headers=headers)


def _batches(rows: QuerySet[AuditEntry]) -> Iterator[list[AuditEntry]]:
    """Yield the rows, newest first, so many at a time; each batch is a query behind the one before."""
    left, ordered = MOST, rows.order_by("-pk")
    behind = ordered
    while left > 0 and (batch := list(behind[: min(BATCH, left)])):
        yield batch
        left, behind = left - len(batch), ordered.filter(pk__lt=batch[-1].pk)


def _csv(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for batch in _batches(rows):
        yield "".join(writer.writerow([_cell(entry, name) for name in COLUMNS]) for entry in batch)


def _cell(entry: AuditEntry, name: str) -> str:
    value: Any = getattr(entry, name)
    if value is None:
        return ""
    if name == "at":
        return str(clock.written(value))
    if name == "hash":
        return bytes(value).hex()
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(rows: QuerySet[AuditEntry]) -> Iterator[bytes]:
    yield b"["
    is_first = True
    for batch in _batches(rows):
        written = b",\n".join(orjson.dumps(audit_json(entry)) for entry in batch)
        yield written if is_first else b",\n" + written
        is_first = False
    yield b"]\n"
