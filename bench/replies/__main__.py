"""Print how each candidate does on each set: `python -m bench.replies FOLDER [--show SET]`.

FOLDER has a checkout of each project of `bench.replies.fixtures.SETS`, named `owner+name` or `name`. Libraries are
measured if they are installed, those in JavaScript if ./node_modules has them.
"""

from __future__ import annotations

import argparse
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from bench.replies.candidates import installed
from bench.replies.fixtures import Fixture, read

MIN_LINE = 12


class Score(NamedTuple):
    """How far texts agree with what was expected: counts of fixtures, and the mean likeness from 0 to 1."""

    fixtures: int
    exact: int
    alike: float
    empty: int
    leaking: int
    cut: int


def _bare(text: str) -> str:
    return "".join(text.split())


def _lines(text: str) -> set[str]:
    return {bare for line in text.splitlines() if len(bare := _bare(line)) >= MIN_LINE}


def _has_more(text: str, other: str) -> bool:
    """Whether a text has a line that another has not anywhere in it."""
    whole = _bare(other)
    return any(line not in whole for line in _lines(text))


def score(fixtures: list[Fixture], texts: list[str]) -> Score:
    """Compare texts with expectations, all whitespace aside."""
    pairs = [(text, fixture.expected) for text, fixture in zip(texts, fixtures, strict=True)]
    alike = [SequenceMatcher(None, text.split(), expected.split(), autojunk=False).ratio() for text, expected in pairs]
    return Score(
        fixtures=len(pairs),
        exact=sum(_bare(text) == _bare(expected) for text, expected in pairs),
        alike=sum(alike) / len(alike),
        empty=sum(not text.strip() for text, _ in pairs),
        leaking=sum(_has_more(text, expected) for text, expected in pairs),
        cut=sum(_has_more(expected, text) for text, expected in pairs),
    )


def _show(fixtures: list[Fixture], texts: list[str]) -> None:
    for fixture, text in zip(fixtures, texts, strict=True):
        if _bare(text) != _bare(fixture.expected):
            print(f"\n=== {fixture.name}\n--- expected\n{fixture.expected}\n--- found\n{text}")


def _print(title: str, scores: dict[str, Score]) -> None:
    for name, found in scores.items():
        counts = f"{found.exact} | {found.alike:.3f} | {found.empty} | {found.leaking} | {found.cut}"
        print(f"| {title} | {found.fixtures} | {name} | {counts} |")


def main() -> None:
    """Read the sets, run the candidates and print one row for each pair of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", metavar="SET", help="print where AgentPost disagrees with a set instead")
    options = parser.parse_args()
    sets, candidates = read(options.folder), installed()
    if options.show:
        fixtures = sets[options.show]
        _show(fixtures, candidates["AgentPost"](fixtures))
        return
    print("| set | mails | candidate | exact | alike | empty | leaking | cut |\n|---|--:|---|--:|--:|--:|--:|--:|")
    for title, fixtures in sets.items():
        _print(title, {name: score(fixtures, run(fixtures)) for name, run in candidates.items()})
    everything = [fixture for fixtures in sets.values() for fixture in fixtures]
    _print("all", {name: score(everything, run(everything)) for name, run in candidates.items()})


main()
