"""``make chaos``: break things under load, count what was promised, print the tables, write docs/reliability.md.

    python -m bench.chaos [SECTION ...] [--full] [--dry-run]

Ends with 1 when a promise was not kept.
"""

import argparse
import importlib
import sys
import time

from bench.report import ROOT, Table, write

PAGE = ROOT / "docs" / "reliability.md"
SECTIONS = {  # its module's name, which has measure(*, full: bool) -> tuple[list[Table], bool]: its heading
    "faults": "Faults",
    "hosts": "Several hosts",
    "soak": "Soak",
}


def main() -> None:
    """Run the sections that were asked for, by default all."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--full", action="store_true", help="two hours of soak instead of two minutes")
    parser.add_argument("--dry-run", action="store_true", help="print the tables and leave the page as it is")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section is called {', '.join(sorted(unknown))}")
    kept = True
    for name in options.sections or SECTIONS:
        began = time.monotonic()
        tables: list[Table]
        tables, is_kept = importlib.import_module(f"bench.chaos.{name}").measure(full=options.full)
        kept = kept and is_kept
        print(f"\n{SECTIONS[name]} ({time.monotonic() - began:.0f} s)\n")
        print("\n\n".join(table.markdown() for table in tables), flush=True)
        if not options.dry_run:
            write(PAGE, name, SECTIONS[name], f"make chaos ONLY={name}{' FULL=1' if options.full else ''}", tables)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
