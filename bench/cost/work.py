"""What is done with a server so that its cost is seen: mail comes in, and AgentPost also tells of it and lists it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.cost.mails import bring
from bench.cost.use import Uses, of, of_house
from bench.events.receiver import Receiver
from bench.peers import Maildirs
from bench.processes import wait_for
from tests.site.instance import Instance

SETTLING = 900.0
PAGE = 100
ON_DISK = """
    SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint,
           (pg_current_wal_insert_lsn() - '0/0')::bigint
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Stored:
    """Bytes on disk; those of tables, indexes and WAL are not known of who has none."""

    objects: int
    tables: int | None = None
    indexes: int | None = None
    wal: int | None = None


class Work(Protocol):
    """A server that has something to do."""

    def do(self, size: str, messages: int) -> int:
        """Do it with so many more messages, until nothing waits; return the bytes of the mails."""

    def use(self) -> Uses:
        """Return what its processes use, by kind."""

    def stored(self) -> Stored:
        """Return what it has on disk."""


class OfAgentPost:
    """Mail that comes in by SMTP, is told of by webhook, and is listed over the API."""

    def __init__(self, house: Instance, receiver: Receiver) -> None:
        house.call("POST", "/api/v1/webhook-endpoints", {"url": receiver.url(), "events": ["message.received"]})
        self._house, self._receiver = house, receiver
        self._address, self._done = house.told("inbox"), 0

    def do(self, size: str, messages: int) -> int:
        """Do it with so many more, until all is told and nothing waits; return the bytes of the mails."""
        total = bring(self._house.smtp_port, self._address, size, range(self._done, self._done + messages))
        self._done += messages
        wait_for(lambda: self._receiver.count() >= self._done, SETTLING)
        self._list(messages)
        return total

    def _list(self, messages: int) -> None:
        """List as many messages as came, a page after the other."""
        cursor = ""
        for _ in range(max(1, messages // PAGE)):
            page = self._house.get(f"/api/v1/messages?limit={PAGE}{cursor}")
            if not page["has_more"]:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def use(self) -> Uses:
        """Return what its processes use, by kind."""
        return of_house(self._house)

    def stored(self) -> Stored:
        """Return what it has on disk, and how much WAL it has written."""
        self._house.in_database("CHECKPOINT")
        [(tables, indexes, wal)] = self._house.in_database(ON_DISK)
        return Stored(_in_blocks(self._house.folder / "blobs"), tables, indexes, wal)


class OfPeer:
    """Mail that comes in by SMTP and lies in maildirs then."""

    def __init__(self, peer: Maildirs) -> None:
        self._peer, self._done = peer, 0

    def do(self, size: str, messages: int) -> int:
        """Bring so many more, until all lie where they stay; return their bytes."""
        [address] = self._peer.addresses
        total = bring(self._peer.port, address, size, range(self._done, self._done + messages))
        self._done += messages
        wait_for(self._peer.is_settled, SETTLING)
        return total

    def use(self) -> Uses:
        """Return what its processes use, by name."""
        return of(self._peer.processes())

    def stored(self) -> Stored:
        """Return what its maildirs hold."""
        return Stored(_in_blocks(self._peer.folder))


def _in_blocks(folder: Path) -> int:
    """Return the bytes of all files, in whole blocks of the file system."""
    return sum((Path(top) / name).stat().st_blocks * 512 for top, _, names in os.walk(folder) for name in names)
