"""What breaks, and how it is mended."""

import contextlib
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from dnslib import QTYPE, RCODE, RR, A, DNSRecord

from bench.chaos import means
from bench.chaos.instance import House, Surroundings, is_root
from bench.chaos.receiver import receiving
from tests.mail.sink import HANG
from tests.names import Names
from tests.site.instance import wait_for

OUTAGE = 30.0
SHORT = 8.0
HALF_OPEN = 40
TOO_LARGE = 20 * 2**20
BESIDE = 2 * 2**20
MOST_LOG_FILES = 64


@dataclass(frozen=True)
class Fault:
    """Something that breaks: inside ``broken`` it is, and after it has been mended.

    ``seconds`` is for how long it stays broken. ``may_repeat`` says that an acknowledgement may be cut off from its
    record. ``why_not`` tells what is missing on this machine to break it.
    """

    name: str
    broken: Callable[[Surroundings], AbstractContextManager[None]]
    seconds: float = 0.0
    may_repeat: bool = True
    why_not: Callable[[], str] = lambda: ""


def killed(*names: str, everyone: bool = False) -> Callable[[Surroundings], AbstractContextManager[None]]:
    """Return what kills the first process of a kind, or all of them."""

    @contextmanager
    def broken(around: Surroundings) -> Iterator[None]:
        for name in names:
            wait_for(lambda: around.house.found(name))  # noqa: B023 - called at once
            for victim in around.house.found(name)[: None if everyone else 1]:
                victim.kill()
        yield

    return broken


@contextmanager
def web_worker_killed(around: Surroundings) -> Iterator[None]:
    """Kill one worker of the web server, which the web server replaces."""
    web_worker(around.house).kill()
    yield


def web_worker(house: House) -> psutil.Process:
    """Return one worker of the web server."""
    [web] = house.found("granian")
    return _workers(web)[0]


def _workers(web: psutil.Process) -> list[psutil.Process]:
    return [child for child in web.children() if "resource_tracker" not in " ".join(child.cmdline())]


@contextmanager
def supervisor_killed(around: Surroundings) -> Iterator[None]:
    """Kill the supervisor, whose children end with it, and start it as the system would."""
    around.house.process.kill()
    around.house.process.wait()
    yield
    around.house.start_again()


@contextmanager
def backends_killed(around: Surroundings) -> Iterator[None]:
    """Kill one process of PostgreSQL that serves a connection: PostgreSQL ends all others, and recovers."""
    serving = [one for one in around.house.postgres()[1:] if "agentpost_app" in " ".join(one.cmdline())]
    random.choice(serving).kill()  # noqa: S311 - guards nothing
    yield


@contextmanager
def postgres_restarted(around: Surroundings) -> Iterator[None]:
    """Stop PostgreSQL in good order; the supervisor starts it."""
    around.house.postgres()[0].send_signal(signal.SIGINT)
    yield


@contextmanager
def postgres_hanging(around: Surroundings) -> Iterator[None]:
    """Stop every process of PostgreSQL where it is."""
    stopped = around.house.postgres()
    _signal(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(stopped, signal.SIGCONT)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@contextmanager
def postgres_away(around: Surroundings) -> Iterator[None]:
    """Stop PostgreSQL, and close its folder to it, so that it cannot start."""
    folder = around.house.folder / "postgres"
    folder.chmod(0o000)
    around.house.postgres()[0].send_signal(signal.SIGINT)
    try:
        yield
    finally:
        folder.chmod(0o700)


@contextmanager
def disk_of_objects_full(around: Surroundings) -> Iterator[None]:
    """Fill the file system of the object store."""
    with _full(around.house.folder / "blobs"):
        yield


@contextmanager
def disk_of_postgres_full(around: Surroundings) -> Iterator[None]:
    """Fill the file system of the database, and have its log use up the files that it keeps ready."""
    with _full(around.house.folder):
        with contextlib.suppress(psycopg.Error), around.house.database() as connection:
            for _ in range(MOST_LOG_FILES):
                connection.execute("SELECT pg_logical_emit_message(true, 'chaos', 'x'), pg_switch_wal()")
        yield


@contextmanager
def _full(folder: Path) -> Iterator[None]:
    ballast = means.filled(folder)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def disk_slow(around: Surroundings) -> Iterator[None]:
    """Have every fsync of PostgreSQL and of the SMTP processes take a quarter of a second."""
    with means.slow_syncs([*around.house.postgres(), *around.house.found("smtpd")], 0.25):
        yield


class Silent(Names):
    """Answers nothing."""

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        raise TimeoutError


class Failing(Names):
    """Answers SERVFAIL."""

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        reply = request.reply()
        reply.header.rcode = RCODE.SERVFAIL
        return reply


class Lying(Names):
    """Answers whatever was asked with the address of somebody else's name."""

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        reply = request.reply()
        reply.add_answer(RR("liar.example", QTYPE.A, ttl=1, rdata=A("127.0.0.1")))
        return reply


def names_broken(names: type[Names]) -> Callable[[Surroundings], AbstractContextManager[None]]:
    """Return what puts another name server in the place of the one that knows no name."""

    @contextmanager
    def broken(around: Surroundings) -> Iterator[None]:
        around.names.names = names()
        try:
            yield
        finally:
            around.names.names = Names()

    return broken


def out_of_memory(
    find: Callable[[House], psutil.Process], feed: Callable[[Surroundings], None]
) -> Callable[[Surroundings], AbstractContextManager[None]]:
    """Return what takes a process's memory away and has it take in what needs more, until the kernel kills it."""

    @contextmanager
    def broken(around: Surroundings) -> Iterator[None]:
        with means.memory_group(f"agentpost-chaos-{around.house.process.pid}") as group:
            victim = find(around.house)
            means.confine(group, victim, BESIDE)
            deadline = time.monotonic() + OUTAGE
            while victim.is_running() and time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    feed(around)
            victim.wait(SHORT)  # until its parent has noticed
        yield

    return broken


def feed_smtp(around: Surroundings) -> None:
    """Send most of a large mail, of which nobody expects anything."""
    with _half_a_mail(around) as connection:
        connection.sendall(b"\r\n".join([b"x" * 70] * (TOO_LARGE // 72)))


def feed_web(around: Surroundings) -> None:
    """Make a call with a large body, which is refused."""
    around.house.opened("POST", "/api/v1/inboxes", b" " * TOO_LARGE + b"{}", timeout=5.0).close()


@contextmanager
def clients_vanish(around: Surroundings) -> Iterator[None]:
    """Have clients vanish in the middle of DATA and of an upload, and leave others that never say another word."""
    left = [_half_a_mail(around) for _ in range(HALF_OPEN)] + [_half_a_call(around) for _ in range(HALF_OPEN)]
    for connection in left[::2]:
        if is_root():
            means.vanish(connection)
    yield
    for connection in left:
        connection.close()


def _half_a_mail(around: Surroundings) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", around.house.smtp_port), 10)
    lines = connection.makefile("rb")
    lines.readline()
    recipient = around.house.told("inbox")
    for command in ("HELO vanishing.example", "MAIL FROM:<half@chaos.example>", f"RCPT TO:<{recipient}>", "DATA"):
        connection.sendall(f"{command}\r\n".encode())
        lines.readline()
    connection.sendall(b"Subject: half\r\nMessage-ID: <half@chaos.example>\r\n\r\nIt is cut o")
    return connection


def _half_a_call(around: Surroundings) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", around.house.http_port), 10)
    credentials = "".join(f"{name}: {value}\r\n" for name, value in around.house.credentials().items())
    top = f"POST /api/v1/inboxes HTTP/1.1\r\nHost: 127.0.0.1\r\n{credentials}Content-Length: 100000\r\n\r\n"
    connection.sendall(top.encode() + b'{"username": "cut')
    return connection


def relay_hangs(stage: str) -> Callable[[Surroundings], AbstractContextManager[None]]:
    """Return what has the relay say nothing more from a stage of its conversation on."""

    @contextmanager
    def broken(around: Surroundings) -> Iterator[None]:
        around.relay.always(stage, HANG)
        try:
            yield
        finally:
            around.relay.as_usual()

    return broken


@contextmanager
def receiver_drips(around: Surroundings) -> Iterator[None]:
    """Tell everything to a second receiver too, whose answers come an octet each second."""
    with receiving() as slow:
        slow.pause = 1.0
        endpoint = around.house.listen(slow)
        try:
            yield
        finally:
            around.house.call("DELETE", f"/api/v1/webhook-endpoints/{endpoint}")


def clock_steps(seconds: int) -> Callable[[Surroundings], AbstractContextManager[None]]:
    """Return what moves the clock of every process, and back again."""

    @contextmanager
    def broken(around: Surroundings) -> Iterator[None]:
        means.set_clock(around.house.folder, seconds)
        try:
            yield
        finally:
            means.set_clock(around.house.folder, 0)

    return broken
