"""What reading documents costs: `python -m bench.documents FOLDER`.

Every file below FOLDER is read as an attachment would be. One line a kind: how many files, how they ended, and how
much processor time it took, that of the process started for each file included. The first line is a calendar of
nothing: what starting a process costs.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path

from mail.documents import text_of
from mail.documents.kinds import kind_of

STARTS = 10


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[float]] = defaultdict(list)
    smallest = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
    for name, content in [("(start)", smallest)] * STARTS + [(str(path), path.read_bytes()) for path in files]:
        kind: str = "(start)" if name == "(start)" else kind_of(name, "", content)
        begun = _processor_time()
        outcomes[kind][text_of(name, "", content).outcome] += 1
        times[kind].append(_processor_time() - begun)
    for kind, spent in times.items():
        ended = ", ".join(f"{outcome} {count}" for outcome, count in outcomes[kind].most_common())
        middle, most = statistics.median(spent) * 1000, max(spent) * 1000
        sys.stdout.write(f"{kind:12} {len(spent):5}  median {middle:6.0f} ms  most {most:6.0f} ms  {ended}\n")


def _processor_time() -> float:
    """Return the seconds of processor that this process and the children that ended have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
