"""docs/architecture.md names every gate, and no other."""

import re

from environments.gates import declared
from tests.docs.pages import text

TABLE = re.search(r"^\| gate \|.*\n((?:\|.*\n)+)", text("docs/architecture.md"), re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)…?`", re.MULTILINE)
OF_EACH_KIND = "environment_of_"  # one row stands for all of these


def test_the_table_of_gates_is_whole() -> None:
    names = [gate.name for gate in declared()]
    documented = ROW.findall(TABLE[1]) if TABLE else []
    assert sorted(documented) == sorted({OF_EACH_KIND if name.startswith(OF_EACH_KIND) else name for name in names})
