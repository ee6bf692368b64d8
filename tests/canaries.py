"""What must never be read in a log: the whole run's log lines are searched for it (tests/conftest.py)."""

import logging
import re
from pathlib import Path

from environments.telemetry.logs import Formatter

WORD = "kanarienvogel"
"""Stands in a header of each mail that the shared fixtures make; tests of logs put it where they look."""

FORBIDDEN = re.compile(
    rf"{WORD}"
    r"|ap_sk_(?:live|dev)_[0-9A-Za-z]{8}"  # a key
    r"|ap_tkt_[0-9A-Za-z]{8}"
    r"|whsec_[0-9A-Za-z+/]{8}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bBob <|bob@example\.com"  # whom the fixtures' mails are from
    r"|DETAIL:"  # of PostgreSQL: it quotes rows
)
AROUND = 100
SUPERVISED = re.compile(r"[\w-]+ *\| ")


def found_in(text: str) -> list[str]:
    """Return what must not stand in a text, each with what stands around it."""
    return [text[max(0, hit.start() - AROUND) : hit.end() + AROUND] for hit in FORBIDDEN.finditer(text)]


class Cage(logging.Handler):
    """Takes every record of a process, writes it as a server would, and keeps what must not stand there."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[str] = []
        self.setFormatter(Formatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        self.look_at(self.format(record), record.name)

    def look_at(self, text: str, where: str) -> None:
        self.findings += [f"{where}: {finding}" for finding in found_in(text)]

    def look_into(self, file: Path) -> None:
        """Search the log of a process that a test started."""
        self.look_at(file.read_text(errors="replace"), file.name)

    def look_into_supervised(self, file: Path) -> None:
        """Search what ``manage.py serve`` gathered, without its greeting, which tells the first key this once."""
        lines = file.read_text(errors="replace").splitlines()
        self.look_at("\n".join(line for line in lines if SUPERVISED.match(line)), file.name)


CAGE = Cage()
