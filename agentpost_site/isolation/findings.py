"""What a proof found: probes passed, leaks, and what nobody probed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Leak:
    """One probe that told more than it may, and what differed."""

    probe: str
    difference: str


@dataclass
class Area:
    """One way across a wall: how often it was tried, where it led through, and what was not tried."""

    name: str
    probes: int = 0
    leaks: list[Leak] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def demand(self, probe: str, difference: str = "") -> None:
        """Count a probe; it is a leak when there is a difference to tell of."""
        self.probes += 1
        if difference:
            self.leaks.append(Leak(probe, difference))

    def miss(self, what: str) -> None:
        """Note something that exists and that no probe covers."""
        if what not in self.uncovered:
            self.uncovered.append(what)

    @property
    def holds(self) -> bool:
        """Return whether something was tried, nothing leaked and nothing was left out."""
        return bool(self.probes) and not self.leaks and not self.uncovered

    def as_json(self) -> dict[str, Any]:
        """Return the area for ``--json``."""
        return {
            "area": self.name,
            "probes": self.probes,
            "leaks": [{"probe": leak.probe, "difference": leak.difference} for leak in self.leaks],
            "uncovered": self.uncovered,
        }


@dataclass
class Report:
    """All areas of one run."""

    areas: list[Area]

    @property
    def holds(self) -> bool:
        """Return whether the whole proof holds: no leak, nothing uncovered, no area empty."""
        return bool(self.areas) and all(area.holds for area in self.areas)

    def as_json(self) -> dict[str, Any]:
        """Return the report for ``--json``."""
        return {
            "isolated": self.holds,
            "probes": sum(area.probes for area in self.areas),
            "leaks": sum(len(area.leaks) for area in self.areas),
            "uncovered": sum(len(area.uncovered) for area in self.areas),
            "areas": [area.as_json() for area in self.areas],
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as a table for a reader, then every leak and every gap."""
        yield f"{'area':<44} {'probes':>7} {'leaks':>6} {'uncovered':>10}"
        for area in self.areas:
            yield f"{area.name:<44} {area.probes:>7} {len(area.leaks):>6} {len(area.uncovered):>10}"
        for area in self.areas:
            for leak in area.leaks:
                yield f"LEAK       {area.name}: {leak.probe}: {leak.difference}"
            for what in area.uncovered:
                yield f"UNCOVERED  {area.name}: {what}"
        yield "Isolation holds." if self.holds else "ISOLATION DOES NOT HOLD."


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return which keys differ between two digests, or an empty string."""
    return ", ".join(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
