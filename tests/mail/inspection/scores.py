"""How well the flags of the corpus are found: precision and recall, flag by flag."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from mail.extraction import extract
from mail.inspection import MEANINGS, inspect
from mail.parsing import parse
from tests.hostile import attacks, harmless, held_out
from tests.hostile.mails import OURS, Case

CORPORA: dict[str, list[Case]] = {
    "tuned": [*attacks.HOSTILE, *harmless.HARMLESS],
    "held out": [*held_out.HOSTILE, *held_out.HARMLESS],
}


class Score(NamedTuple):
    """How often a flag was right, wrong and missing."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def found(raw: bytes) -> frozenset[str]:
    mail = parse(raw)
    return frozenset(one.flag for one in inspect(mail, extract(mail.text_body, mail.html_body), OURS))


@cache
def results(corpus: str) -> list[tuple[Case, frozenset[str]]]:
    return [(case, found(case.raw)) for case in CORPORA[corpus]]


def score(corpus: str, flags: Iterable[str]) -> Score:
    wanted = frozenset(flags)
    pairs = [(case.flags & wanted, seen & wanted) for case, seen in results(corpus)]
    return Score(
        sum(len(deserved & seen) for deserved, seen in pairs),
        sum(len(seen - deserved) for deserved, seen in pairs),
        sum(len(deserved - seen) for deserved, seen in pairs),
    )


def lines() -> list[str]:
    """Return the table that the test run prints."""
    table = [f"{'flag':28}" + "".join(f"{corpus + ': precision recall mails':>36}" for corpus in CORPORA)]
    for name in [*MEANINGS, "all flags"]:
        cells = []
        for corpus in CORPORA:
            one = score(corpus, MEANINGS if name == "all flags" else [name])
            cells.append(f"{one.precision:>20.3f} {one.recall:>8.3f} {one.right + one.missed:>6}")
        table.append(f"{name:28}" + "".join(cells))
    table.append(", ".join(f"{corpus}: {len(cases)} mails" for corpus, cases in CORPORA.items()))
    return table
