"""What is looked at. A probe returns what it found by the names of checks, or raises what is wrong with its one."""

from collections.abc import Callable, Mapping

from agentpost_site.health.probes import doors, machine
from agentpost_site.health.probes.trouble import Trouble

__all__ = ["PROBES", "Trouble"]


def _one(name: str, look: Callable[[], None]) -> Callable[[], Mapping[str, str]]:
    def probe() -> Mapping[str, str]:
        look()
        return {name: "ok"}

    return probe


ONES: Mapping[str, Callable[[], None]] = {
    "smtp": doors.smtp,
    "submission": doors.submission,
    "storage": machine.storage,
    "disk": machine.disk,
    "dns": doors.name_servers,
}
PROBES: Mapping[tuple[str, ...], Callable[[], Mapping[str, str]]] = {
    (name,): _one(name, look) for name, look in ONES.items()
}
