"""``make bench``: measure AgentPost beside its peers, print the tables, write docs/performance.md.

    python -m bench [SECTION ...] [--full] [--dry-run]

Everything that it starts listens on loopback, has data of its own in a temporary folder, and is stopped. A peer that is
not installed is named in the table and left out.
"""

import argparse
import importlib
import time

from bench.report import ROOT, Table, write

PAGE = ROOT / "docs" / "performance.md"
SECTIONS = {  # its module's name, which has measure(*, full: bool) -> list[Table]: its heading
    "inbound": "Mail in",
    "webhooks": "Webhooks",
    "api": "The API",
    "growth": "Growth",
    "cost": "Memory, disk and processor time",
    "outbound": "Mail out",
}


def main() -> None:
    """Measure the sections that were asked for, by default all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--full", action="store_true", help="the full sizes: hours, and tens of gigabytes")
    parser.add_argument("--dry-run", action="store_true", help="print the tables and leave the page as it is")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section is called {', '.join(sorted(unknown))}")
    for name in options.sections or SECTIONS:
        began = time.monotonic()
        tables: list[Table] = importlib.import_module(f"bench.{name}").measure(full=options.full)
        print(f"\n{SECTIONS[name]} ({time.monotonic() - began:.0f} s)\n")
        print("\n\n".join(table.markdown() for table in tables), flush=True)
        if not options.dry_run:
            write(PAGE, name, SECTIONS[name], f"make bench ONLY={name}{' FULL=1' if options.full else ''}", tables)


if __name__ == "__main__":
    main()
