"""What attacks have in common: an instance, a neighbour who wants to be served meanwhile, and what is counted."""

import smtplib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import psutil

from tests.site.instance import Instance

PAUSE = 0.3  # seconds between two things that the neighbour wants
MOST_MEMORY = 1_000  # MiB that all processes together may have grown by


@dataclass(frozen=True)
class Held:
    """How often an attack was tried and how often a promise was broken; ``note`` tells what else is to be known."""

    attack: str
    promise: str
    tried: int
    broken: int
    note: str = ""


class Neighbour:
    """Somebody else, who sends mail and asks the API while the block runs."""

    def __init__(self, instance: Instance) -> None:
        self._instance, self._over = instance, threading.Event()
        self._thread = threading.Thread(target=self._want)
        self.wanted, self.failed, self.mailed, self.longest = 0, 0, 0, 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _want(self) -> None:
        while not self._over.wait(PAUSE):
            began = time.monotonic()
            self.wanted += 1
            try:
                self._mail()
                self.mailed += 1
                self._instance.get("/api/v1/me")
            except Exception as error:  # noqa: BLE001 - whatever it is, they were not served
                self.failed += 1
                print(f"the neighbour was not served: {error!r}", flush=True)
            self.longest = max(self.longest, time.monotonic() - began)

    def _mail(self) -> None:
        address = self._instance.told("inbox")
        text = (
            f"From: n@neighbour.example\r\nMessage-ID: <{self.wanted}-{time.time_ns()}@neighbour.example>\r\n\r\nx\r\n"
        )
        with smtplib.SMTP("127.0.0.1", self._instance.smtp_port, timeout=30) as client:
            client.sendmail("n@neighbour.example", [address], text)


class Ground:
    """The instance, and its processes as they were before anybody attacked."""

    def __init__(self, instance: Instance, *, full: bool) -> None:
        self.instance, self.full = instance, full
        self._processes = {child.pid for child in instance.children()}
        self._memory = self._megabytes()
        self._mails = 0

    @property
    def inbox(self) -> str:
        return self.instance.told("inbox")

    def beside_a_neighbour(self, attack: Callable[["Ground"], Iterable[Held]]) -> list[Held]:
        """Run an attack; return what it counted, and how the neighbour fared."""
        name = attack.__module__.rpartition(".")[2]
        print(f"hostile: {name}", flush=True)
        with Neighbour(self.instance) as neighbour:
            held = list(attack(self))
        self._mails += neighbour.mailed
        note = f"Longest that the neighbour waited for a mail and an answer, during {name}: {neighbour.longest:.1f} s."
        return [*held, Held(name, "the neighbour is served", neighbour.wanted, neighbour.failed, note)]

    def survived(self) -> list[Held]:
        """Tell whether all processes still live, hold no more memory than they may, and have stored the neighbour."""
        now = {child.pid for child in self.instance.children()}
        grown = self._megabytes() - self._memory
        [[stored]] = self.instance.in_database(
            "SELECT count(*) FROM mail_message WHERE message_id_header LIKE '%@neighbour.example%'"
        )
        return [
            Held("all of them", "no process ended", len(self._processes), len(self._processes - now)),
            Held(
                "all of them",
                f"no more than {MOST_MEMORY} MiB more memory",
                1,
                int(grown > MOST_MEMORY),
                f"Memory grew by {grown:.0f} MiB.",
            ),
            Held(
                "all of them",
                "each mail of the neighbour that got 250 is stored",
                self._mails,
                max(0, self._mails - stored),
            ),
        ]

    def _megabytes(self) -> float:
        root = psutil.Process(self.instance.process.pid)
        processes = [child for child in root.children(recursive=True) if "postgres" not in child.name()]
        return sum(process.memory_info().rss for process in processes) / 2**20

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.instance.call(method, f"/api/v1{path}", body)
