"""The newest messages without a filter: what is asked most, and so read without a model for each row."""

from collections import namedtuple
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from django.db.models import JSONField, QuerySet, TextField
from django.db.models.functions import Cast

from environments.models import Environment
from environments.remembered import Remembered
from mail.models import Message

NAMES = (
    "id", "environment_id", "inbox_id", "thread_id", "direction", "status", "subject", "from_email", "from_name",
    "to_addresses", "cc_addresses", "bcc_addresses", "reply_to_addresses", "message_id_header", "in_reply_to",
    "references", "date", "snippet", "has_attachments", "headers", "size", "authentication", "flags", "flag_evidence",
    "automatic", "report", "quarantine_reasons", "metadata", "send_at", "answers_id", "created_at", "updated_at",
)  # fmt: skip
AS_TEXT = [isinstance(Message._meta.get_field(name.removesuffix("_id")), JSONField) for name in NAMES]
WRITTEN = [number for number, is_json in enumerate(AS_TEXT) if is_json and NAMES[number] != "authentication"]
AUTHENTICATION = NAMES.index("authentication")


class Listed(namedtuple("Listed", NAMES)):  # type: ignore[misc]  # noqa: PYI024 - its names are those of a model
    """A message as a list shows it: with the attributes of the model, what is JSON in the form that is sent."""

    __slots__ = ()

    @property
    def pk(self) -> str:
        """Return the id, as the model does."""
        return str(self.id)  # type: ignore[attr-defined]


def newest(environment: Environment, inbox_id: str | None, after: str | None, limit: int) -> list[Listed]:
    """Return up to so many messages that are not in quarantine, older than ``after``; of one inbox, if one is named."""
    given = [identifier for identifier in (inbox_id, after) if identifier]
    rows = _newest(bool(inbox_id), bool(after), limit)(environment.pk, *given)
    return [_listed(row) for row in rows]


@cache
def _newest(is_of_inbox: bool, is_after: bool, limit: int) -> Remembered[Any]:  # noqa: FBT001 - parts of a key
    def build(environment_id: str, *ids: str) -> QuerySet[Any, Any]:
        rows = Message.objects.in_environment(Environment(pk=environment_id))
        rows = rows.exclude(status=Message.Status.QUARANTINED).order_by("-pk")
        rows = rows.filter(inbox=ids[0]) if is_of_inbox else rows
        rows = rows.filter(pk__lt=ids[-1]) if is_after else rows
        columns = (Cast(name, TextField()) if is_json else name for name, is_json in zip(NAMES, AS_TEXT, strict=True))
        return rows.values_list(*columns)[:limit]

    return Remembered(build, "env", *["inb"] * is_of_inbox, *["msg"] * is_after)


def _listed(row: Sequence[Any]) -> Listed:
    values = list(row)
    for place in WRITTEN:
        if values[place] is not None:
            values[place] = orjson.Fragment(values[place])
    values[AUTHENTICATION] = orjson.loads(values[AUTHENTICATION])
    return Listed._make(values)
