"""``make bench``: measure AgentPost beside its peers, print the tables, write docs/performance.md.

    python -m bench [SECTION ...] [--full] [--dry-run]

Everything that it starts listens on loopback, has data of its own in a temporary folder, and is stopped, also when it
is interrupted. A peer that is not installed is named in the table and left out; a part that fails is named, and the
others go on. Ends with 1 when something failed.
"""

from bench.report import ROOT
from bench.sections import Sections

SECTIONS = Sections(
    package="bench",
    page=ROOT / "docs" / "performance.md",
    command="make bench",
    headings={
        "inbound": "Mail in",
        "webhooks": "Webhooks",
        "api": "The API",
        "growth": "Growth",
        "cost": "Memory, disk and processor time",
        "outbound": "Mail out",
    },
    about=__doc__,
    full="the full sizes: hours, and tens of gigabytes",
)

if __name__ == "__main__":
    SECTIONS.main()
