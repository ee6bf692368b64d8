"""A real SMTP server on loopback that misbehaves on command, and remembers what it took.

    with running_sink() as sink:
        sink.url                                     # "smtp://127.0.0.1:41234"
        sink.once("end", "451 4.3.0 Later")          # the next mail's final dot; after that, as usual
        sink.always("rcpt bob@example.com", "550 5.1.1 No such user")
        sink.always("mail", Slow(0.5))               # answers as usual, half a second late
        sink.always("end", DROP)                     # takes the mail, then hangs up instead of answering
        ...
        sink.taken                                   # [Mail(sender, recipients, raw, …)], oldest first
        sink.copies("<1@example.com>")               # how often it took the mail with this Message-ID
        sink.heard                                   # every line that a client said, commands only
        sink.connections                             # how many there were

Stages are ``banner ehlo helo starttls auth mail rcpt data end rset noop quit``, and ``rcpt <address>`` for one
recipient alone. An action is a reply (a string), ``DROP``, ``HANG`` (never answers), ``GARBAGE`` (answers what no
client understands; at ``starttls``: says 220 and then no TLS), or ``Slow(seconds)``. ``once`` may be called several
times: actions queue up, and go before what is done ``always``.

Options of ``running_sink``: ``host`` and ``port`` (several sinks may have one port on 127.0.0.1, 127.0.0.2, …, or
"::1"), ``tls`` ("valid", "self_signed", "expired", "wrong_name") offers STARTTLS with such a certificate;
``implicit_tls=True`` speaks TLS from the first byte (URL ``smtps://``); ``users={"name": "password"}`` demands AUTH;
``extensions`` are further EHLO lines. ``authority()`` is the test's own certificate authority, which signed "valid",
"expired" and "wrong_name".
"""

from __future__ import annotations

import base64
import contextlib
import email
import re
import socket
import socketserver
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import trustme

DROP, HANG, GARBAGE = "<drop>", "<hang>", "<garbage>"
USUAL = {
    "banner": "220 sink.example ESMTP",
    "starttls": "220 2.0.0 Go ahead",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 Go ahead",
    "end": "250 2.0.0 Taken",
    "rset": "250 2.0.0 Ok",
    "noop": "250 2.0.0 Ok",
    "quit": "221 2.0.0 Bye",
}
ADDRESS = re.compile(r"<([^>]*)>")


@dataclass(frozen=True)
class Slow:
    """Answer as usual, but late."""

    seconds: float


@dataclass
class Mail:
    """A mail that was taken; ``acknowledged`` tells whether its sender was told."""

    sender: str
    recipients: list[str]
    raw: bytes
    parameters: str
    tls: str
    user: str
    acknowledged: bool = False
    at: float = field(default_factory=time.time)

    @property
    def message_id(self) -> str:
        return str(email.message_from_bytes(self.raw).get("Message-ID", "")).strip()


class _Gone(Exception):
    """The conversation ends here."""


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def _certificate(kind: str, host: str) -> trustme.LeafCert:
    names = [host, "localhost", "mx.example.com", "sink.example", "relay.example.com"]
    if kind == "self_signed":
        return trustme.CA().issue_cert(*names)
    if kind == "expired":
        now = datetime.now(tz=UTC)
        return authority().issue_cert(*names, not_before=now - timedelta(days=9), not_after=now - timedelta(days=2))
    return authority().issue_cert(*(["elsewhere.example"] if kind == "wrong_name" else names))


def _server_context(kind: str, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _certificate(kind, host).configure_cert(context)
    return context


@dataclass
class Sink:
    """The server: where it is, how it behaves, and what it saw."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: str = ""
    implicit_tls: bool = False
    users: dict[str, str] = field(default_factory=dict)
    patience: float = 60.0
    """Seconds after which it hangs up where it hangs."""
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 26214400", "ENHANCEDSTATUSCODES")
    taken: list[Mail] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    at_once: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._once: dict[str, deque[Any]] = defaultdict(deque)
        self._always: dict[str, Any] = {}
        self.context = _server_context(self.tls or "valid", self.host) if self.tls or self.implicit_tls else None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.implicit_tls else 'smtp'}://{host}:{self.port}"

    def once(self, stage: str, action: Any) -> None:
        """Do this the next time that the stage is reached."""
        self._once[stage].append(action)

    def always(self, stage: str, action: Any) -> None:
        """Do this whenever the stage is reached."""
        self._always[stage] = action

    def as_usual(self) -> None:
        """Behave from now on."""
        self._once.clear()
        self._always.clear()

    def copies(self, message_id: str) -> int:
        """Return how often the mail with this Message-ID was taken."""
        return sum(mail.message_id == message_id for mail in self.taken)

    def action(self, *stages: str) -> Any:
        """Return what to do at the first of these stages that anything was said about, or None."""
        with self.lock:
            for stage in stages:
                if self._once.get(stage):
                    return self._once[stage].popleft()
            return next((self._always[stage] for stage in stages if stage in self._always), None)


class _Conversation(socketserver.BaseRequestHandler):
    """One client, line by line."""

    server: _Server

    def setup(self) -> None:
        self.sink = self.server.sink
        with self.sink.lock:
            self.sink.connections += 1
            self.sink.at_once += 1
            self.sink.most_at_once = max(self.sink.most_at_once, self.sink.at_once)
        self.request.settimeout(60)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.secured, self.user = "", ""
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.parameters = ""

    def handle(self) -> None:
        with contextlib.suppress(_Gone, OSError, ssl.SSLError):
            if self.sink.implicit_tls:
                self._secure()
            self.file = self.request.makefile("rb")
            self._say("banner")
            while line := self.file.readline():
                self._hear(line.decode("utf-8", "replace").strip())

    def finish(self) -> None:
        with self.sink.lock:
            self.sink.at_once -= 1
        with contextlib.suppress(OSError, AttributeError):
            self.file.close()
        with contextlib.suppress(OSError):
            self.request.close()

    def _secure(self) -> None:
        assert self.sink.context
        self.request = self.sink.context.wrap_socket(self.request, server_side=True)
        self.secured = self.request.version() or ""

    def _write(self, text: str) -> None:
        self.request.sendall(text.encode() + b"\r\n")

    def _say(self, stage: str, usual: str = "", *narrower: str) -> str:
        """Answer at a stage; return what was said."""
        action = self.sink.action(*narrower, stage)
        reply = usual or USUAL[stage]
        if isinstance(action, Slow):
            self.sink.stopping.wait(action.seconds)
        elif action == HANG:
            self.sink.stopping.wait(self.sink.patience)
            raise _Gone
        elif action == DROP:
            raise _Gone
        elif action is not None and action != GARBAGE:
            reply = action
        self._write("\x00\x01 what?" if action == GARBAGE and stage != "starttls" else reply)
        if action == GARBAGE and stage == "starttls":
            self.request.sendall(b"this is no TLS\r\n" * 20)
            raise _Gone
        return reply

    def _hear(self, line: str) -> None:
        verb = line.partition(" ")[0].lower()
        with self.sink.lock:
            self.sink.heard.append(line)
        known = getattr(self, f"_{verb}", None) if verb.isalpha() and verb in KNOWN else None
        if known is None:
            self._write("500 5.5.2 What?")
            return
        known(line)

    def _ehlo(self, _: str) -> None:
        lines = ["sink.example", *self.sink.extensions]
        if self.sink.context and not self.secured:
            lines.append("STARTTLS")
        if self.sink.users and (self.secured or not self.sink.context):
            lines.append("AUTH PLAIN LOGIN")
        *first, last = lines
        self._say("ehlo", "\r\n".join([*(f"250-{each}" for each in first), f"250 {last}"]))

    def _helo(self, _: str) -> None:
        self._say("helo", "250 sink.example")

    def _starttls(self, _: str) -> None:
        if self._say("starttls").startswith("220"):
            self.file.close()
            self._secure()
            self.file = self.request.makefile("rb")

    def _auth(self, line: str) -> None:
        _, kind, *given = line.split(" ")
        words = self._plain(given) if kind.upper() == "PLAIN" else self._login(given)
        user, password = words
        accepted = self.sink.users.get(user) == password
        self.user = user if accepted else ""
        self._say("auth", "235 2.7.0 Welcome" if accepted else "535 5.7.8 Wrong user or password")

    def _plain(self, given: list[str]) -> tuple[str, str]:
        if not given:
            self._write("334 ")
            given = [self.file.readline().decode().strip()]
        _, user, password = base64.b64decode(given[0]).decode().split("\0")
        return user, password

    def _login(self, given: list[str]) -> tuple[str, str]:
        if not given:
            self._write("334 VXNlcm5hbWU6")
            given = [self.file.readline().decode().strip()]
        self._write("334 UGFzc3dvcmQ6")
        answers = [*given, self.file.readline().decode().strip()]
        user, password = (base64.b64decode(each).decode() for each in answers)
        return user, password

    def _mail(self, line: str) -> None:
        if self.sink.users and not self.user:
            self._write("530 5.7.0 Authentication required")
            return
        if self._say("mail").startswith("2"):
            found = ADDRESS.search(line)
            self.sender, self.recipients = found[1] if found else "", []
            self.parameters = line.rpartition(">")[2].strip()

    def _rcpt(self, line: str) -> None:
        found = ADDRESS.search(line)
        address = found[1] if found else ""
        if self._say("rcpt", "", f"rcpt {address}").startswith("2"):
            self.recipients.append(address)

    def _data(self, _: str) -> None:
        if not self.recipients:
            self._write("554 5.5.1 No valid recipients")
            return
        if not self._say("data").startswith("3"):
            return
        mail = Mail(self.sender or "", self.recipients, self._content(), self.parameters, self.secured, self.user)
        action = self.sink.action("end")
        if isinstance(action, str) and action[:1] in {"4", "5"}:
            self._write(action)
            return
        with self.sink.lock:
            self.sink.taken.append(mail)
        if action is not None:
            self.sink._once["end"].appendleft(action)
        self._say("end")
        mail.acknowledged = True
        self.sender, self.recipients = None, []

    def _content(self) -> bytes:
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise _Gone
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _rset(self, _: str) -> None:
        self.sender, self.recipients = None, []
        self._say("rset")

    def _noop(self, _: str) -> None:
        self._say("noop")

    def _quit(self, _: str) -> None:
        self._say("quit")
        raise _Gone


KNOWN = {"ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "rset", "noop", "quit"}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.address_family = socket.AF_INET6 if ":" in sink.host else socket.AF_INET
        super().__init__((sink.host, sink.port), _Conversation)
        sink.port = self.server_address[1]

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients may leave whenever they like."""


@contextlib.contextmanager
def running_sink(**options: Any) -> Iterator[Sink]:
    """Take mail for as long as the block lasts."""
    sink = Sink(**options)
    with _Server(sink) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            sink.stopping.set()
            server.shutdown()
            thread.join()


def wait_until(sink: Sink, count: int, seconds: float = 10.0) -> None:
    """Wait until the sink took so many mails."""
    until = time.monotonic() + seconds
    while len(sink.taken) < count:
        assert time.monotonic() < until, f"the sink took {len(sink.taken)} mails, not {count}"
        time.sleep(0.01)
