"""Labels: lower-case strings on messages and on threads, independently."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Collate

from environments.errors import field_error
from environments.models import Environment
from environments.remembered import Remembered
from environments.writing import insert
from mail.models import Message, MessageLabel, Thread, ThreadLabel

FORM = re.compile(r"[^\s,\x00-\x1f](?:[^,\x00-\x1f]{0,98}[^\s,\x00-\x1f])?")
MOST = 50
Labelled = Message | Thread


def normalised(labels: Iterable[str]) -> list[str]:
    """Return labels as they are stored: in lower case, each once. Raises ValidationFailed."""
    wanted = list(dict.fromkeys(label.strip().lower() for label in labels))
    bad = [label for label in wanted if not FORM.fullmatch(label)]
    if bad or len(wanted) > MOST:
        raise field_error("labels", f"At most {MOST} labels, each of 1 to 100 characters without commas.")
    return wanted


def add(environment: Environment, rows: Sequence[Labelled], labels: Iterable[str]) -> None:
    """Put labels on messages, or on threads; those they have already stay."""
    wanted = normalised(labels)
    for model, name, ours in _by_kind(rows):
        fresh = [model(environment_id=environment.pk, label=label, **{name: row}) for row in ours for label in wanted]
        insert(environment, fresh, on_conflict="DO NOTHING")


def remove(environment: Environment, rows: Sequence[Labelled], labels: Iterable[str]) -> None:
    """Take labels off messages, or off threads."""
    wanted = normalised(labels)
    for model, name, ours in _by_kind(rows):
        model.objects.in_environment(environment).filter(label__in=wanted, **{f"{name}__in": ours}).delete()


def replace(environment: Environment, row: Labelled, labels: Iterable[str]) -> None:
    """Make these the labels of a message, or of a thread."""
    wanted = normalised(labels)
    for model, name, _ in _by_kind([row]):
        model.objects.in_environment(environment).filter(**{name: row}).exclude(label__in=wanted).delete()
    add(environment, [row], wanted)


def of(environment: Environment, rows: Sequence[Labelled]) -> dict[str, list[str]]:
    """Return the labels of each row by its id, sorted, in one query."""
    found: dict[str, list[str]] = {}
    for model, name, ours in _by_kind(rows):
        found |= _of_ids(environment, model, name, [row.pk for row in ours])
    return found


def of_messages(environment: Environment, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the same for messages, of which no more than the ids need be known."""
    return _of_ids(environment, MessageLabel, "message", ids)


def _of_ids(environment: Environment, model: Any, name: str, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {identifier: [] for identifier in ids}
    for owner, label in _of_rows(model, name)(environment.pk, list(ids)):
        found[owner].append(label)
    return found


@cache
def _of_rows(model: Any, name: str) -> Remembered[Any]:
    def build(environment_id: str, ids: Sequence[str]) -> QuerySet[Any, Any]:
        rows: QuerySet[Any] = model.objects.in_environment(Environment(pk=environment_id))
        return rows.filter(**{f"{name}__in": ids}).order_by("label").values_list(f"{name}_id", "label")

    return Remembered(build, "env", [model._meta.get_field(name).target_field.prefix])


def counts(environment: Environment, after: str, limit: int) -> list[dict[str, Any]]:
    """Return the next labels after this one, by name, each with the number of its messages and threads."""
    found: dict[str, dict[str, Any]] = {}
    for model, key in ((MessageLabel, "message_count"), (ThreadLabel, "thread_count")):
        by_name = model.objects.in_environment(environment).annotate(name=Collate("label", "C"))  # as Python sorts
        rows = by_name.filter(name__gt=after).values_list("name").annotate(Count("pk")).order_by("name")
        for label, count in rows[:limit]:
            empty = {"name": label, "message_count": 0, "thread_count": 0}
            found.setdefault(label, empty)[key] = count
    return [found[label] for label in sorted(found)[:limit]]


def _by_kind(rows: Sequence[Labelled]) -> Iterable[tuple[Any, str, list[Labelled]]]:
    """Yield label model, its field and the rows, for messages and for threads."""
    for kind, model, name in ((Message, MessageLabel, "message"), (Thread, ThreadLabel, "thread")):
        ours = [row for row in rows if isinstance(row, kind)]
        if ours:
            yield model, name, ours
