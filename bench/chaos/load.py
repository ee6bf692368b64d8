"""What goes on while something breaks: mail comes in, mail goes out, the log is read, /readyz is asked."""

import contextlib
import http.client
import itertools
import random
import string
import threading
import time
import urllib.error
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

from bench.chaos.instance import Surroundings
from tests.site.instance import Instance, Senders
from tests.site.listeners import AWAY, Agents, Poller, reading

MAIL_CLIENTS, API_CLIENTS = 4, 2
PAUSE = 0.03  # seconds between two acts of one client
ANSWERS_WITHIN = 5.0  # an answer of /readyz that comes later is none
ASKED_EVERY = 0.1
LARGE = 6 * 2**20  # octets
UNAVAILABLE = 503


class Correspondents(Agents):
    """Clients of the API that send mail to ever new people, again until it is accepted.

    Acknowledged are the ids of messages. ``answers`` counts every status that they met.
    """

    def __init__(self, instance: Instance, clients: int, **options: Any) -> None:
        super().__init__(instance, clients, **options)
        self.answers: Counter[int] = Counter()

    def do(self, number: int) -> str | None:
        """Send one mail; return its id once it is accepted."""
        chance = random.Random(number)  # noqa: S311 - a die that falls the same way each time
        words = ["".join(chance.choices(string.ascii_lowercase, k=9)) for _ in range(40)]
        body = {"to": [f"{words[0]}@chaos.example"], "subject": words[1], "text_body": " ".join(words)}
        path, key = f"/api/v1/inboxes/{self.inbox_id}/messages", {"Idempotency-Key": f"chaos-{number}"}
        try:
            accepted = self.instance.call("POST", path, body, **key)
        except urllib.error.HTTPError as refusal:
            self.answers[refusal.code] += 1
        except AWAY:
            pass
        else:
            self.answers[200] += 1
            return str(accepted["id"])
        return None


@dataclass
class Watch:
    """What /readyz said, and when; ``seen`` holds (asked, answered, status), status 0 for no connection, else None."""

    instance: Instance
    seen: list[tuple[float, float, int | None]] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._thread.join(2 * ANSWERS_WITHIN)

    def red_after(self, moment: float, until: float) -> float | None:
        """Return the seconds from a moment to the first red answer, or refused connection, before another moment."""
        red = (end for begin, end, status in self.seen if begin >= moment and status in {0, UNAVAILABLE})
        first = next(red, None)
        return None if first is None or first > until else first - moment

    def green_after(self, moment: float) -> float | None:
        """Return the seconds from a moment to the first green answer behind which there was no other."""
        later = [(end, status) for begin, end, status in self.seen if begin >= moment]
        others = [number for number, (_, status) in enumerate(later) if status != http.client.OK]
        stays = later[others[-1] + 1 :] if others else later
        return stays[0][0] - moment if stays else None

    def _look(self) -> None:
        while not self.is_over.wait(ASKED_EVERY):
            begin, status = time.monotonic(), self._ask()
            self.seen.append((begin, time.monotonic(), status))

    def _ask(self) -> int | None:
        try:
            with self.instance.opened("GET", "/readyz", timeout=ANSWERS_WITHIN):
                return int(http.client.OK)
        except urllib.error.HTTPError as answer:
            return answer.code
        except urllib.error.URLError as trouble:
            return 0 if isinstance(trouble.reason, ConnectionRefusedError) else None
        except AWAY:
            return None


class Load(contextlib.ExitStack):
    """The clients of one fault, in a block; all that began is acknowledged when the block has ended."""

    def __init__(self, around: Surroundings, numbers: "itertools.count[int]", pause: float = PAUSE) -> None:
        super().__init__()
        self.mails = Senders(around.house, clients=MAIL_CLIENTS, pause=pause)
        self.sends = Correspondents(around.house, clients=API_CLIENTS, pause=pause)
        self.mails.numbers = self.sends.numbers = numbers
        self.poller = Poller(around.house, [around.house.last_event()])

    def __enter__(self) -> Self:
        super().__enter__()
        for clients in (reading(self.poller), self.mails, self.sends):
            self.enter_context(clients)
        return self

    def wait_for_more(self, how_many: int, seconds: float) -> bool:
        """Wait until so many more of both kinds are acknowledged; return whether they were."""
        marks = [(clients, len(clients.acknowledged) + how_many) for clients in (self.mails, self.sends)]
        deadline = time.monotonic() + seconds
        while not all(clients.at_least(mark) for clients, mark in marks):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True
