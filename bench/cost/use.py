"""What processes hold and have used."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from tests.site.instance import Instance

KINDS = {  # what a process of AgentPost is called by, where its command line holds this
    "manage.py serve": "supervisor",
    "manage.py web": "web",
    "granian": "web",
    "manage.py smtpd": "smtp",
    "manage.py deliver": "deliverer",
    "manage.py send_mail": "sender",
    "manage.py procrastinate": "worker",
    "postgres": "postgres",
}


@dataclass(frozen=True)
class Use:
    """What the processes of one kind hold and have used: bytes and processor seconds.

    ``rss`` counts what they share once for each of them, ``pss`` once for all, ``uss`` not at all. ``seconds`` are also
    those of children that have ended.
    """

    processes: int = 0
    rss: int = 0
    pss: int = 0
    uss: int = 0
    seconds: float = 0.0

    def with_process(self, process: psutil.Process) -> "Use":
        """Return the same with one process more."""
        held, spent = process.memory_full_info(), process.cpu_times()
        seconds = self.seconds + spent.user + spent.system + spent.children_user + spent.children_system
        return Use(self.processes + 1, self.rss + held.rss, self.pss + held.pss, self.uss + held.uss, seconds)


Uses = dict[str, Use]


def of(processes: Iterable[psutil.Process]) -> Uses:
    """Return what these processes use, by kind; what is none of AgentPost's kinds goes by its own name."""
    found: Uses = {}
    for process in processes:
        try:
            line = " ".join(process.cmdline()) or process.name()
            kind = next((name for mark, name in KINDS.items() if mark in line), process.name())
            found[kind] = found.get(kind, Use()).with_process(process)
        except psutil.NoSuchProcess:
            continue
    return found


def of_house(house: Instance) -> Uses:
    """Return what a whole AgentPost uses, by kind."""
    supervisor = psutil.Process(house.process.pid)
    return of([supervisor, *supervisor.children(recursive=True)])
