"""Make messages findable that were stored before there was a search, or by an older one."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Exists, OuterRef

from environments.binding import inside
from environments.models import Environment
from mail.models import Message, SearchEntry
from mail.services import search

BATCH = 200


class Command(BaseCommand):
    """Goes through the environments one at a time, in small transactions, beside a running server."""

    help = "Index messages that search does not find yet. Files in them are read by the worker afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to index everything anew."""
        parser.add_argument(
            "--again", action="store_true", help="index every message anew, after an upgrade that says so"
        )

    def handle(self, *_args: Any, again: bool, **_options: Any) -> None:
        """Index what is to be indexed, and say how much that was."""
        environments = Environment.everywhere.order_by("pk")
        number = sum(sum(_batches(environment, again=again)) for environment in environments.iterator())
        self.stdout.write(f"indexed {number} messages")


def _batches(environment: Environment, *, again: bool) -> Iterator[int]:
    """Index a batch after the other, the oldest first; yield how many were in each."""
    last = ""
    while True:
        with inside(environment):
            rows = Message.objects.in_environment(environment).select_for_update().order_by("pk")
            if last:
                rows = rows.filter(pk__gt=last)
            if not again:
                entries = SearchEntry.objects.in_environment(environment).filter(message=OuterRef("pk"))
                rows = rows.filter(~Exists(entries))
            batch = list(rows[:BATCH])
            search.index(environment, batch)
        if not batch:
            return
        last = batch[-1].pk
        yield len(batch)
