"""Which browser the tests drive, and what is said where there is none."""

import os

CHROMIUM = os.environ.get("AGENTPOST_CHROMIUM", "/usr/bin/chromium")
MISSING = f"There is no {CHROMIUM}: install Debian's chromium, or set AGENTPOST_CHROMIUM."
