"""A queue of AgentPost's, and the process that empties it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bench.ground import Place, database_url
from bench.processes import running, wait_for

TEXT = "Your order has been packed and leaves the house this afternoon.\r\n" * 150  # about 10 KB
INBOXES = 20
DOMAIN = "agents{}-{}.example"
RECIPIENT = "ann{}@shop{}.example"
SHOPS = 50


@contextmanager
def sending() -> Iterator[None]:
    """Run ``manage.py send_mail`` on the database until the block ends."""
    with running([sys.executable, "manage.py", "send_mail"], variables={"DATABASE_URL": database_url()}):
        yield


class Line:
    """Live environments with domains that sign, whose mail waits for the sender."""

    def __init__(self, environments: int) -> None:
        self._places = [_Sending(DOMAIN.format(environments, number)) for number in range(environments)]
        self._before = 0

    def queue(self, how_many: int) -> None:
        """Send so many mails while nobody hands them over."""
        self._before = self._count()
        for number in range(how_many):
            self._places[number % len(self._places)].send(number)

    def sent(self) -> int:
        """Return how many of them are recorded as sent."""
        return self._count() - self._before

    def wait_for(self, how_many: int) -> None:
        """Wait until so many are. Raises TimeoutError."""
        wait_for(lambda: self.sent() >= how_many, 300)

    def moments(self, how_many: int) -> list[float]:
        """Return when each of them was, in seconds, in order."""
        found = sorted(moment.timestamp() for place in self._places for moment in place.finished(how_many))
        return found[-how_many:]

    def mails_as_they_left(self, how_many: int) -> list[tuple[str, str, bytes]]:
        """Return envelope sender, recipient and bytes of the newest so many mails."""
        return [mail for place in self._places for mail in place.mails(how_many)][:how_many]

    def _count(self) -> int:
        return sum(place.count() for place in self._places)


class _Sending:
    """One environment of them."""

    def __init__(self, domain: str) -> None:
        from environments.binding import inside
        from environments.callers import SYSTEM, Actor
        from environments.services.environments import set_delivery_mode
        from inboxes.services.domains import add_domain
        from inboxes.services.inboxes import create_inbox
        from inboxes.services.signing_keys import activate, of_domains

        self.environment = Place(domain.replace(".", "-")).environment
        person = Actor("operator", name="bench")
        set_delivery_mode(self.environment, "live", actor=person, reason="It is measured.")
        self.environment.refresh_from_db()
        with inside(self.environment):
            made, _ = add_domain(self.environment, domain, actor=SYSTEM, is_trusted=True)
            activate(self.environment, of_domains(self.environment, [made])[made.pk])
            self.inboxes = [
                create_inbox(self.environment, actor=SYSTEM, email=f"agent{number}@{domain}")[0]
                for number in range(INBOXES)
            ]

    def send(self, number: int) -> None:
        """Send a mail as the API does."""
        from environments.binding import inside
        from environments.callers import SYSTEM
        from mail.parsing import Address
        from mail.services.compose import Outgoing
        from mail.services.send import send

        to = Address(RECIPIENT.format(number, number % SHOPS), "")
        with inside(self.environment):
            inbox = self.inboxes[number % INBOXES]
            outgoing = Outgoing([to], subject=f"Order {number} of {time.monotonic_ns()}", text_body=TEXT)
            send(self.environment, inbox, outgoing, actor=SYSTEM)

    def count(self) -> int:
        """Return how many hand-overs have been recorded as sent."""
        return self._read(lambda rows: rows.count())

    def finished(self, how_many: int) -> list[datetime]:
        """Return when the latest of them were."""
        return self._read(
            lambda rows: list(rows.order_by("-finished_at").values_list("finished_at", flat=True)[:how_many])
        )

    def mails(self, how_many: int) -> list[tuple[str, str, bytes]]:
        """Return envelope sender, recipient and bytes of the latest mails."""
        from mail.services import blobs

        def read(rows: Any) -> list[tuple[str, str, bytes]]:
            newest = rows.select_related("inbox", "message__raw").order_by("-pk")[:how_many]
            return [(row.inbox.email, row.envelope_recipient, blobs.read(row.message.raw)) for row in newest]

        return self._read(read)

    def _read(self, question: Any) -> Any:
        from environments.binding import inside
        from mail.models import HandOver

        with inside(self.environment):
            return question(HandOver.objects.in_environment(self.environment).filter(state="sent"))
