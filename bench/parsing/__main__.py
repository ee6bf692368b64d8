"""`python -m bench.parsing FOLDER`: run the parser over a folder of mail and print a table of agreement."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from bench.parsing.compare import FIELDS, differing, reason
from bench.parsing.corpus import messages
from bench.parsing.views import STRANGERS, View, of_ours, of_strangers
from mail.parsing import parse

WIDEST = 300


def main() -> int:
    """Compare, print, and return 1 if reading any message raised, gave nothing or took more than 2 s."""
    options = _options()
    corpus = list(messages(options.folder))
    ours, slowest, failures = _read(corpus)
    _say(f"{len(corpus)} messages, {failures} exceptions, slowest {slowest:.2f} s\n")
    counts: dict[str, Counter[str]] = {name: Counter() for name in STRANGERS}
    reasons: Counter[tuple[str, str, str]] = Counter()
    for (name, _), view, others in zip(corpus, ours, of_strangers(raw for _, raw in corpus), strict=True):
        for stranger in STRANGERS:
            found = _judged(view, others[stranger])
            counts[stranger].update({field: int(why is None) for field, why in found.items()})
            reasons.update((stranger, field, why) for field, why in found.items() if why and field in FIELDS)
            if options.show:
                _show(name, stranger, found, view, others[stranger])
    _table(counts, len(corpus))
    _classes(reasons)
    return 1 if failures or slowest > 2 else 0  # noqa: PLR2004 - the ceiling of 2 s


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.parsing", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of .eml, mbox or other RFC 822 files, searched through")
    parser.add_argument("--show", action="store_true", help="print every disagreement")
    return parser.parse_args()


def _read(corpus: list[tuple[str, bytes]]) -> tuple[list[View], float, int]:
    views, slowest, failures = [], 0.0, 0
    for name, raw in corpus:
        begun = time.perf_counter()
        try:
            views.append(of_ours(parse(raw)))
        except Exception as error:  # noqa: BLE001 - what is counted here
            failures += 1
            views.append({"error": repr(error)})
            _say(f"EXCEPTION {name}: {error!r}\n")
        slowest = max(slowest, time.perf_counter() - begun)
    return views, slowest, failures


def _judged(ours: View, theirs: View) -> dict[str, str | None]:
    """Return for each field why it differs, None where it agrees; without fields where the other parser gave up."""
    if "error" in theirs or "error" in ours:
        return {"gave up": None}
    differences = differing(ours, theirs)
    return {field: reason(field, ours, theirs) if field in differences else None for field in FIELDS}


def _show(name: str, stranger: str, found: dict[str, str | None], ours: View, theirs: View) -> None:
    for field, why in found.items():
        if why:
            left, right = differing(ours, theirs)[field]
            _say(f"{name}\n  {field}: {why}\n    ours: {_cut(left)}\n    {stranger}: {_cut(right)}\n")


def _classes(reasons: Counter[tuple[str, str, str]]) -> None:
    _say("\n| parser | field | disagreements | class |\n|---|---|---|---|\n")
    for (stranger, field, why), count in sorted(reasons.items()):
        _say(f"| {stranger} | {field} | {count} | {why} |\n")


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}... ({len(text)})"


def _table(counts: dict[str, Counter[str]], total: int) -> None:
    _say("| field | " + " | ".join(counts) + " |\n|---|" + "---|" * len(counts) + "\n")
    for field in FIELDS:
        cells = [
            f"{count[field]} ({100 * count[field] / max(1, total - count['error']):.1f} %)" for count in counts.values()
        ]
        _say(f"| {field} | {' | '.join(cells)} |\n")
    _say("| gave up | " + " | ".join(str(count["gave up"]) for count in counts.values()) + " |\n")


def _say(text: str) -> None:
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main())
