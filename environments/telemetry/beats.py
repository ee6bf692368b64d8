"""Every process writes once a second that it is alive, with what it has counted, into a row of its own.

Whoever asks for the readiness of the installation reads all of them, whichever host they are on
(docs/decisions/0068-beats-and-figures.md).
"""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import NamedTuple

import psutil
import psycopg
from django.db import connections

from environments.telemetry import metrics

EVERY = 1.0  # seconds
FIGURES_EVERY = 5  # beats
STALE = 3.0  # seconds without a beat: the process is dead or hangs
FIGURES_KEPT = 60.0  # seconds after which a silent process's figures are not shown any more
FORGOTTEN = 600.0  # seconds after which a silent process of another host is no trouble any more
PATIENCE = 2  # seconds to connect, and for a statement
NOT_OURS = {"cursor_factory", "context"}  # of Django's own connections

BEAT = """
INSERT INTO environments_beat AS beat (id, kind, host, pid, started, at, figures)
VALUES (%s, %s, %s, %s, %s, clock_timestamp(), %s)
ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, figures = coalesce(EXCLUDED.figures, beat.figures)
"""
READ = """
SELECT id, kind, host, pid, started, extract(epoch FROM clock_timestamp() - at)::double precision
  FROM environments_beat
 WHERE at > clock_timestamp() - make_interval(secs => %s)
"""
FORGET = "DELETE FROM environments_beat WHERE at < clock_timestamp() - make_interval(secs => %s)"


class LastBeat(NamedTuple):
    """The last sign of life of a process; ``age`` is in seconds, ``started`` in those of the epoch."""

    id: str
    kind: str
    host: str
    pid: int
    started: float
    age: float

    @property
    def is_fresh(self) -> bool:
        return self.age < STALE

    @property
    def hangs(self) -> bool:
        """Whether it is silent and, as far as can be told from here, there: a dead one of this host is replaced."""
        return not self.is_fresh and (self.host != socket.gethostname() or _is_there(self.pid, self.started))


def _is_there(pid: int, started: float) -> bool:
    with suppress(psutil.Error):
        return abs(psutil.Process(pid).create_time() - started) < EVERY
    return False


def connect() -> psycopg.Connection:
    """Return a connection of its own to the database that waits for nothing longer than ``PATIENCE``.

    Unless the server is stopped in the middle of an answer: call it in a thread that may be left behind.
    """
    parameters = connections["default"].get_connection_params()
    ours = {name: value for name, value in parameters.items() if name not in NOT_OURS}
    connection = psycopg.connect(autocommit=True, **{**ours, "connect_timeout": PATIENCE})
    connection.execute(f"SET statement_timeout = '{PATIENCE}s'")
    return connection


def beats(connection: psycopg.Connection) -> list[LastBeat]:
    """Return the last sign of life of every process that is not forgotten."""
    return [LastBeat(*row) for row in connection.execute(READ, [FORGOTTEN])]


class Heart:
    """A thread that writes this process's beats for as long as ``is_well`` says so."""

    def __init__(self, kind: str, is_well: Callable[[], bool] = lambda: True) -> None:
        process = psutil.Process()
        self._kind, self._is_well = kind, is_well
        self._row = (kind, socket.gethostname(), process.pid, process.create_time())
        self.id = f"{kind}@{socket.gethostname()}:{process.pid}"
        self._stopping = threading.Event()
        self._connection: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, and leave: this process ends as it was asked to."""
        self._stopping.set()
        self._thread.join(PATIENCE)

    def beat(self, number: int = 0) -> None:
        """Write one beat, every few with the figures. Raises what the database raises."""
        if self._connection is None or self._connection.closed:
            self._connection = connect()
        figures = metrics.snapshot() if number % FIGURES_EVERY == 0 else None
        self._connection.execute(BEAT, [self.id, *self._row, figures])
        if number == 0:
            self._connection.execute(FORGET, [FORGOTTEN])

    def leave(self) -> None:
        """Take the row away, and close the connection. Raises what the database raises."""
        if self._connection is not None:
            self._connection.execute("DELETE FROM environments_beat WHERE id = %s", [self.id])
            self._connection.close()

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(EVERY if number else 0):
            with self._letting_go():
                if self._is_well():
                    self.beat(number)
            number += 1
        with self._letting_go():
            self.leave()

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """Whatever is wrong with the database is seen by who misses the beats; the next one connects anew."""
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it is, the next beat is due
            if self._connection:
                self._connection.close()


@contextmanager
def beating(kind: str) -> Iterator[None]:
    """Write beats for the block."""
    heart = Heart(kind)
    heart.start()
    try:
        yield
    finally:
        heart.stop()


@asynccontextmanager
async def loop_beating(kind: str) -> AsyncIterator[None]:
    """Write beats for the block, as long as the running event loop has its turns."""
    pulse = time.monotonic()

    async def feel() -> None:
        nonlocal pulse
        while True:
            pulse = time.monotonic()
            await asyncio.sleep(EVERY / 2)

    heart, feeling = Heart(kind, lambda: time.monotonic() - pulse < 2 * EVERY), asyncio.create_task(feel())
    heart.start()
    try:
        yield
    finally:
        feeling.cancel()
        await asyncio.to_thread(heart.stop)
