"""``make chaos``: break things under load, count what was promised, print the tables, write docs/reliability.md.

    python -m bench.chaos [SECTION ...] [--full] [--dry-run]

Ends with 1 when a promise was not kept, or a section failed.
"""

from bench.report import ROOT
from bench.sections import Sections

SECTIONS = Sections(
    package="bench.chaos",
    page=ROOT / "docs" / "reliability.md",
    command="make chaos",
    headings={
        "faults": "Faults",
        "hosts": "Several hosts",
        "soak": "Soak",
        "hostile": "Hostile clients",
    },
    about=__doc__,
    full="two hours of soak instead of two minutes",
)

if __name__ == "__main__":
    SECTIONS.main()
