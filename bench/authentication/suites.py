"""Run public test suites that lie in a folder: `python -m bench.authentication.suites FOLDER`.

FOLDER holds `rfc7208-tests.yml` (pyspf, `test/`) and `arc-draft-validation-tests.yml` (ValiMail's arc_test_suite,
`tests/`). What disagrees is printed by name, the score at the end.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from mail.authentication import Unanswered, arc, fields, spf
from mail.authentication.resolver import Questions

SPF_SUITE, ARC_SUITE = "rfc7208-tests.yml", "arc-draft-validation-tests.yml"
SECONDS = 20.0
MAX_CHAIN = 10


class Zone:
    """DNS as a suite writes it down; implements Resolving."""

    def __init__(self, records: dict[str, list[Any]]) -> None:
        self._records = {name.rstrip(".").lower(): entries for name, entries in records.items()}

    def lookup(self, name: str, kind: str, until: float) -> tuple[Any, ...]:
        for _ in range(MAX_CHAIN):
            entries = self._records.get(name.rstrip(".").lower(), [])
            found = [entry[kind] for entry in entries if isinstance(entry, dict) and kind in entry]
            if kind == "TXT" and not found:
                found = [entry["SPF"] for entry in entries if isinstance(entry, dict) and "SPF" in entry]
            found = [value for value in found if value != "NONE"]
            if not found and "TIMEOUT" in entries:
                raise Unanswered("the suite wants a time-out")
            aliases = [entry["CNAME"] for entry in entries if isinstance(entry, dict) and "CNAME" in entry]
            if found or not aliases:
                return tuple(_record(kind, value) for value in found)
            name = aliases[0]
        return ()


def _record(kind: str, value: Any) -> Any:
    if kind == "TXT":
        strings = value if isinstance(value, list) else [value]
        return "".join(strings).encode("utf-8")
    return (value[0], value[1]) if kind == "MX" else value


def run_spf(path: Path) -> tuple[int, int]:
    """Return how many cases of the SPF suite agree, and how many there are."""
    agreed = total = 0
    for document in yaml.safe_load_all(path.read_text()):
        zone = Zone(document["zonedata"])
        for name, test in document["tests"].items():
            verdict = spf.check(
                Questions(zone, time.monotonic() + SECONDS),
                peer=test["host"],
                helo=test["helo"],
                envelope_sender=test["mailfrom"],
            )
            wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
            total += 1
            agreed += _agrees(f"spf {name}", verdict.result, wanted, verdict.reason)
    return agreed, total


def run_arc(path: Path) -> tuple[int, int]:
    """Return how many cases of the ARC suite agree, and how many there are."""
    agreed = total = 0
    for document in yaml.safe_load_all(path.read_text()):
        keys = document.get("txt-records") or {}
        zone = Zone({name: [{"TXT": re.sub(r"\s", "", text)}] for name, text in keys.items()})
        for name, test in document["tests"].items():
            message = fields.read((test["message"] or "").encode())
            verdict, _ = arc.check(message, Questions(zone, time.monotonic() + SECONDS))
            wanted = ["pass", "fail", "none"] if test["cv"] == "" else [str(test["cv"]).lower()]
            total += 1
            agreed += _agrees(f"arc {name}", verdict.result, wanted, verdict.reason)
    return agreed, total


def _agrees(name: str, result: str, wanted: list[str], reason: str) -> bool:
    if result in wanted:
        return True
    sys.stdout.write(f"{name}: {result}, and the suite wants {' or '.join(wanted)} ({reason})\n")
    return False


def main(folder: Path) -> None:
    """Run what suites the folder has, and print the scores."""
    for name, run in ((SPF_SUITE, run_spf), (ARC_SUITE, run_arc)):
        if (folder / name).exists():
            agreed, total = run(folder / name)
            sys.stdout.write(f"{name}: {agreed} of {total} agree\n")
        else:
            sys.stdout.write(f"{name}: not in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
