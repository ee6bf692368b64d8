"""The settings of tests: those of the product, on a data folder of their own, whatever the shell says."""

import os
from pathlib import Path

OF_THE_TESTS = {  # not the product's
    "AGENTPOST_CHROMIUM",
    "AGENTPOST_REQUIRE_BROWSER",
    "AGENTPOST_REQUIRE_NODE",
    "AGENTPOST_REQUIRE_PREVIOUS_RELEASE",
}

for _name in [name for name in os.environ if name.startswith(("AGENTPOST_", "DATABASE_"))]:
    if _name not in OF_THE_TESTS:
        del os.environ[_name]
os.environ["AGENTPOST_DATA_DIR"] = str(Path(__file__).resolve().parent.parent / "var" / "tests")
os.environ["AGENTPOST_DEVELOPMENT"] = "1"
os.environ["AGENTPOST_SUBMISSION_PORT"] = os.environ["AGENTPOST_SUBMISSION_TLS_PORT"] = "0"

from agentpost_site.embedded_postgres import EmbeddedPostgres  # noqa: E402 - the environment is set first
from agentpost_site.settings import *  # noqa: E402, F403 - the environment is set first


class Hasty(EmbeddedPostgres):
    """The cluster of the tests, of which nothing has to survive the machine."""

    def _settings(self) -> dict[str, str]:
        return {**super()._settings(), "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


EMBEDDED_POSTGRES = Hasty(Path(os.environ["AGENTPOST_DATA_DIR"]))
WHITENOISE_AUTOREFRESH = True  # each test's client would look through every package's static files anew

os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"  # for the processes that tests start
