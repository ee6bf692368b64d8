"""Waking the sender, which listens on a channel of PostgreSQL's."""

from django.db import connection

SENDER_CHANNEL = "agentpost_hand_overs"


def wake_sender() -> None:
    """Tell the sender, once this transaction has committed, that mail may leave that could not."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {SENDER_CHANNEL}")
