"""A whole AgentPost that is open for business: live, with a relay, a receiver and a name server that we hold."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.postgres_roles import SUPERUSER
from bench.chaos.receiver import Receiver, receiving
from bench.report import ROOT
from environments.ids import encode
from tests.mail.sink import Sink, running_sink
from tests.names import NameServer, name_server
from tests.site.instance import Instance

OWNER = "admin@agentpost.localhost"
READY_WITHIN = 90.0  # seconds after a fault is mended
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]*>)", re.IGNORECASE | re.MULTILINE)
HANGS_FOR = 8.0  # what a relay that hangs holds a connection


class House(Instance):
    """The product as ``make run`` starts it, on a data folder of its own."""

    def __init__(self, folder: Path, relay: Sink, names: NameServer, **settings: str) -> None:
        super().__init__(
            folder,
            AGENTPOST_RELAY_URL=f"{relay.url}?security=none",
            AGENTPOST_PRIVATE_TARGETS="127.0.0.0/8",
            AGENTPOST_DNS_SERVERS=names.address,
            AGENTPOST_REQUESTS_PER_MINUTE="1000000",
            **settings,
        )
        self.relay, self.names = relay, names
        self.endpoint_id = ""
        self.known: dict[str, str] = {}

    def told(self, what: str) -> str:
        """Return what the first run printed behind a word, which is looked for once."""
        if what not in self.known:
            self.known[what] = super().told(what)
        return self.known[what]

    def last_event(self) -> str:
        """Return the id of the newest event of the log."""
        [(newest,)] = self.in_database("SELECT id FROM webhooks_event ORDER BY number DESC LIMIT 1")
        return encode("evt", newest)

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ``manage.py`` on this data and return how it ended."""
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def made(self, *arguments: str) -> dict[str, Any]:
        """Return what a command that provisions made. Raises RuntimeError."""
        done = self.manage(*arguments, "--json")
        if done.returncode:
            raise RuntimeError(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def open_for_business(self, receiver: Receiver) -> None:
        """Let the mail of the environment out, and tell the receiver of all that happens in it."""
        where = ("--organization=my-organization", "--environment=development")
        self.made("set_delivery_mode", *where, "--mode=live", "--reason=measurement", f"--by={OWNER}")
        key = self.made(
            "create_api_key", *where, "--name=Measurement", "--scopes=*"
        )  # the first one reaches nothing live
        self.known["API key"] = key["key"]
        self.endpoint_id = self.listen(receiver)

    def listen(self, receiver: Receiver) -> str:
        """Have everything told to a receiver; return the endpoint's id."""
        body = {"url": receiver.url, "events": ["*"]}
        return str(self.call("POST", "/api/v1/webhook-endpoints", body)["id"])

    def database(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Return a connection that no wall stops."""
        return psycopg.connect(EmbeddedPostgres(self.folder).url(SUPERUSER), autocommit=True, connect_timeout=5)

    def octets(self, key: str) -> int | None:
        """Return the size of an object in the store, None when it is missing."""
        path = self.folder / "blobs" / key
        return path.stat().st_size if path.exists() else None

    def found(self, name: str) -> list[psutil.Process]:
        """Return the processes of a kind that the supervisor keeps."""
        with contextlib.suppress(psutil.Error):
            return [child for child in self.children() if name in " ".join(child.cmdline())]
        return []

    def postgres(self) -> list[psutil.Process]:
        """Return the postmaster, and behind it all that it started."""
        with contextlib.suppress(psutil.Error):
            return [one for master in self.found("bin/postgres") for one in (master, *master.children(recursive=True))]
        return []

    def start_again(self) -> None:
        """Start after a death, again and again as the system's service manager would, until it is ready."""
        deadline = time.monotonic() + 2 * READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:  # processes of the one before may still be leaving
                self._spawn()
            if self.found("granian") and self.is_ready():  # not one that is leaving
                return
            time.sleep(0.1)
        raise TimeoutError("it does not start again")

    def _spawn(self) -> None:
        command = [sys.executable, "manage.py", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def kill_all(self) -> None:
        """End every process of it, whatever state it is in."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL)
        self.process.kill()
        self.process.wait()


@dataclass
class Surroundings:
    """A house, and whom it deals with."""

    house: House
    relay: Sink
    receiver: Receiver
    names: NameServer
    _copies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def copies(self) -> dict[str, list[float]]:
        """Return when the relay took mails, by Message-ID, as seconds since 1970; the mails themselves are let go."""
        with self.relay.lock:
            fresh = self.relay.taken[:]
            self.relay.taken.clear()
        for mail in fresh:
            found = MESSAGE_ID.search(mail.raw)
            self._copies[found[1].decode() if found else ""].append(mail.at)
        return self._copies


@contextlib.contextmanager
def standing(folder: Path, **settings: str) -> Iterator[Surroundings]:
    """Run a house with everything around it until the block ends."""
    with running_sink(patience=HANGS_FOR) as relay, receiving() as receiver, name_server() as names:
        house = House(folder, relay, names, **settings)
        try:
            with house:
                house.open_for_business(receiver)
                yield Surroundings(house, relay, receiver, names)
        except subprocess.TimeoutExpired:
            house.kill_all()
            raise


def is_root() -> bool:
    """Whether the faults that need root can be made."""
    return os.geteuid() == 0
