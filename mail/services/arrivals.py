"""Telling those who wait for mail in an inbox that some has come."""

from collections.abc import Iterable

from django.db import connection

CHANNEL = "agentpost_arrivals"  # its payload is the inbox's id


def announce_arrivals(inbox_ids: Iterable[str]) -> None:
    """Wake whoever waits for mail in these inboxes when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, id) FROM unnest(%s::text[]) id", [CHANNEL, sorted(set(inbox_ids))])
