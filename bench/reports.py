"""How well reports are read: `python -m bench.reports FOLDER [--sisimai FOLDER] [--show]`.

FOLDER holds reports, one a file. Their failed recipients are compared with those that flufl.bounce reads (an
independent reader; `pip install flufl.bounce`). `--sisimai` names the `t` folder of a sisimai release; it says how many
recipients its own public set has, file by file, with status, reason and whether the bounce is hard.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import re
import sys
import time
from collections import Counter
from pathlib import Path

from flufl.bounce import all_failures

from mail.automatic.reports import report_of
from mail.automatic.values import DeliveryReport, FeedbackReport
from mail.parsing import parse

_ENTRY = re.compile(r"'(\d+)'\s*=>\s*\[(.*?)\],\n(?=\s*'|\s*\})", re.DOTALL)
_ROW = re.compile(r"\['([\d.]*)',\s*'(\d*)'\s*,\s*'(\w+)',\s*([01])")
Expected = dict[str, list[tuple[str, str, bool]]]


def main() -> None:
    """Measure, and print one line a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sisimai", type=Path)
    parser.add_argument("--show", action="store_true", help="print each disagreement")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.iterdir() if path.is_file())
    counted: Counter[str] = Counter()
    slowest = 0.0
    expected = _expectations(options.sisimai) if options.sisimai else {}
    for path in files:
        raw = path.read_bytes()
        mail = parse(raw)
        begun = time.perf_counter()
        report = report_of(mail)
        slowest = max(slowest, time.perf_counter() - begun)
        for line in [*_second_opinion(raw, report, counted), *_against(path.stem, report, expected, counted)]:
            if options.show:
                say(f"{path.name}: {line}")
    say(f"{'files':45}{len(files):6}")
    for name, count in sorted(counted.items()):
        say(f"{name:45}{count:6}")
    say(f"slowest report: {slowest * 1000:.1f} ms")


def say(line: str) -> None:
    """Write a line of the result."""
    sys.stdout.write(f"{line}\n")


def _second_opinion(raw: bytes, report: object, counted: Counter[str]) -> list[str]:
    counted[f"read: {type(report).__name__ if report else 'no report'}"] += 1
    if isinstance(report, FeedbackReport):
        return []
    ours = {one.final_recipient.lower() for one in report.failed} if isinstance(report, DeliveryReport) else set()
    wanted = {one.original_recipient.lower() for one in report.failed} if isinstance(report, DeliveryReport) else set()
    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw, policy=email.policy.compat32))
    except Exception:  # noqa: BLE001 - the other reader is not ours to repair
        counted["flufl.bounce: raises"] += 1
        return []
    theirs = {_text(one) for one in permanent}
    late = {_text(one) for one in temporary}
    if not theirs and not late:
        counted["flufl.bounce: reads nothing" + (", we do" if ours else ", nor do we")] += 1
        return []
    agreed = theirs in (ours, wanted) or (not theirs and not ours)
    overlap = bool((theirs | late) & (ours | wanted))
    word = "same recipients" if agreed else "other selection, overlapping" if overlap else "different"
    counted[f"flufl.bounce: {word}"] += 1
    return [] if agreed else [f"flufl {sorted(theirs)} late {sorted(late)}, ours {sorted(ours)}"]


def _text(one: bytes | str) -> str:
    return (one.decode("latin-1") if isinstance(one, bytes) else one).lower()


def _against(stem: str, report: object, expected: Expected, counted: Counter[str]) -> list[str]:
    rows = expected.get(stem)
    if not rows or any(reason in {"feedback", "vacation"} for _, reason, _ in rows):
        return []
    ours = [one for one in report.recipients if one.action != "expanded"] if isinstance(report, DeliveryReport) else []
    counted[f"sisimai: recipients {'as many' if len(ours) == len(rows) else 'other number'}"] += 1
    hard, theirs = sorted(one.is_hard for one in ours), sorted(is_hard for _, _, is_hard in rows)
    if len(ours) != len(rows):
        return [f"sisimai {rows}, ours {[one.final_recipient for one in ours]}"]
    counted[f"sisimai: hard or soft {'agrees' if hard == theirs else f'differs (sisimai: {_word(theirs)})'}"] += 1
    shown = [(one.action, one.status, one.is_hard, one.diagnostic_code[:160]) for one in ours]
    return [] if hard == theirs else [f"sisimai {rows}, ours {shown}"]


def _word(hard: list[bool]) -> str:
    return "hard" if all(hard) else "mixed" if any(hard) else "soft"


def _expectations(folder: Path) -> Expected:
    found: Expected = {}
    for path in folder.glob("*.t"):
        name = re.sub(r"^\d+-", "", path.stem)
        for number, rows in _ENTRY.findall(path.read_text(errors="replace")):
            parsed = [(row[0], row[2], row[3] == "1") for row in _ROW.findall(rows)]
            if parsed:
                found[f"{name}-{number}"] = parsed
    return found


if __name__ == "__main__":
    main()
