"""The settings of tests: those of the product, on a data folder of their own, whatever the shell says."""

import os
from pathlib import Path

OF_THE_TESTS = {"AGENTPOST_CHROMIUM", "AGENTPOST_REQUIRE_BROWSER"}  # no settings of the product

for _name in [name for name in os.environ if name.startswith(("AGENTPOST_", "DATABASE_"))]:
    if _name not in OF_THE_TESTS:
        del os.environ[_name]
os.environ["AGENTPOST_DATA_DIR"] = str(Path(__file__).resolve().parent.parent / "var" / "tests")
os.environ["AGENTPOST_DEVELOPMENT"] = "1"
os.environ["AGENTPOST_SUBMISSION_PORT"] = os.environ["AGENTPOST_SUBMISSION_TLS_PORT"] = "0"

from agentpost_site.settings import *  # noqa: E402, F403 - the environment is set first

os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"  # for the processes that tests start
