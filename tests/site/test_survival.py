"""Every process is killed while mail pours in; every mail that got 250 is in the store exactly once."""

from collections import Counter
from functools import partial
from pathlib import Path

from tests.site.instance import Instance, Senders, wait_for

MAILS = 1000
VICTIMS = ["smtpd", "postgres", "deliver", "granian", "procrastinate", "smtpd", "postgres"]


def test_no_acknowledged_mail_is_lost_or_doubled_when_processes_are_killed(folder: Path) -> None:
    with Instance(folder) as instance:
        with Senders(instance, clients=8, most=MAILS) as senders:
            for number, name in enumerate(VICTIMS, start=1):
                wait_for(partial(senders.at_least, MAILS * number / (len(VICTIMS) + 1)))
                instance.kill(name)
        wait_for(instance.is_ready)
        stored = Counter(instance.stored())
        assert len(senders.acknowledged) == MAILS
        assert stored == Counter(senders.acknowledged)
