"""What is measured stands on this: a database of its own, environments in it, or a whole AgentPost."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import TYPE_CHECKING, Any

import django
import psutil

from bench.processes import running

if TYPE_CHECKING:
    from agentpost_site.embedded_postgres import EmbeddedPostgres
    from tests.site.instance import Instance

TEXT = "Your order has been packed and leaves the house this afternoon. " * 10
DATA = {
    "message_id": "msg_01M8JPFT1REEAR3A6E7H5WTPD1",
    "thread_id": "thr_01M8JPFT1REEAR3A6E7H5WTPD2",
    "inbox_id": "inb_01M8JPFT1REEAR3A6E7H5WTPD3",
    "from_address": "ann@example.org",
    "to_addresses": ["support@acme.example"],
    "subject": "Where is my order?",
    "extracted_text": TEXT,
    "has_attachments": False,
    "received_at": "2026-03-08T14:30:00.000Z",
}
BATCH = 500
MANY = "1000000"  # requests a minute: nobody is held up for asking much


@contextmanager
def database(
    variables: Mapping[str, str] | None = None, postgres_settings: Mapping[str, str] | None = None
) -> Iterator["EmbeddedPostgres"]:
    """Have AgentPost's tables in an embedded PostgreSQL of its own, which goes with the block.

    ``variables`` are further settings of AgentPost, for this process and those that it starts. Once a process: Django
    keeps the settings that it was set up with.
    """
    with folder_for_all() as folder:
        os.environ.pop("DATABASE_URL", None)
        os.environ["AGENTPOST_DATA_DIR"] = f"{folder}/data"
        os.environ["AGENTPOST_DEVELOPMENT"] = "1"
        os.environ["AGENTPOST_REQUESTS_PER_MINUTE"] = MANY
        os.environ.update(variables or {})
        os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"
        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections

        if postgres_settings:
            settings.EMBEDDED_POSTGRES = _with_settings(settings.EMBEDDED_POSTGRES.data_dir, postgres_settings)
        with settings.EMBEDDED_POSTGRES.temporarily_running():
            call_command("migrate", database="owner", verbosity=0)
            connections["owner"].close()  # whoever copies the database must be alone with it
            try:
                yield settings.EMBEDDED_POSTGRES
            finally:
                for connection in connections.all():
                    connection.close()


def _with_settings(data_dir: Path, postgres_settings: Mapping[str, str]) -> "EmbeddedPostgres":
    from agentpost_site.embedded_postgres import EmbeddedPostgres

    class Otherwise(EmbeddedPostgres):
        def _settings(self) -> dict[str, str]:
            return {**super()._settings(), **postgres_settings}

    return Otherwise(data_dir)


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """Have a temporary folder that every account may pass through, for root's PostgreSQL and Postfix run as others."""
    with tempfile.TemporaryDirectory(prefix="agentpost-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def house(**variables: str) -> Iterator["Instance"]:
    """Run a whole AgentPost, as ``make run`` starts it, on data and ports of its own, until the block ends.

    Raises TimeoutError when it is not ready in time.
    """
    from tests.site.instance import Instance

    os.environ.pop("DATABASE_URL", None)
    with (
        folder_for_all() as folder,
        Instance(folder / "data", AGENTPOST_REQUESTS_PER_MINUTE=MANY, **variables) as instance,
    ):
        yield instance


class Place:
    """One environment of an organization of its own."""

    def __init__(self, name: str) -> None:
        from environments.services.organizations import create_organization

        self.organization, self.environment, _ = create_organization(name, f"owner@{name}.example")

    def endpoints(self, urls: Sequence[str], events: str = "*") -> list[Any]:
        """Make an endpoint for each URL."""
        from environments.binding import inside
        from environments.callers import SYSTEM
        from webhooks.services.endpoints import create_endpoint

        with inside(self.environment):
            return [create_endpoint(self.environment, actor=SYSTEM, url=url, events=[events])[0] for url in urls]

    def publish(self, how_many: int) -> list[Any]:
        """Publish events as a received mail does, and commit."""
        from environments.binding import inside
        from webhooks.services.events import Happening, publish

        with inside(self.environment):
            return publish(self.environment.pk, [Happening("message.received", DATA)] * how_many)

    def pause(self, *, is_paused: bool) -> None:
        """Let webhooks of the environment wait, or go on."""
        from environments.binding import inside
        from webhooks.services.events import wake_deliverer

        self.environment.webhooks_paused = is_paused
        self.environment.save()
        with inside(self.environment):
            wake_deliverer()

    def attempts(self) -> int:
        """Return how many attempts are in the log."""
        from environments.binding import inside
        from webhooks.models import DeliveryAttempt

        with inside(self.environment):
            return DeliveryAttempt.objects.in_environment(self.environment).count()

    def pending(self) -> int:
        """Return how many deliveries wait."""
        from environments.binding import inside
        from webhooks.models import WebhookDelivery

        with inside(self.environment):
            return WebhookDelivery.objects.in_environment(self.environment).filter(state="pending").count()

    def settle(self) -> None:
        """Let PostgreSQL look at what was written."""
        from django.db import connections

        with connections["owner"].cursor() as cursor:
            for table in ("webhooks_event", "webhooks_webhookdelivery", "webhooks_deliveryattempt"):
                cursor.execute(f"VACUUM ANALYZE {table}")


def database_url() -> str:
    """Return the database as a process of the application names it."""
    from django.conf import settings

    default = settings.DATABASES["default"]
    url: str = settings.EMBEDDED_POSTGRES.url(default["USER"], default["NAME"])
    return url


@contextmanager
def deliverer() -> Iterator["Popen[bytes]"]:
    """Run ``manage.py deliver`` on the database until the block ends."""
    with running([sys.executable, "manage.py", "deliver"], variables={"DATABASE_URL": database_url()}) as process:
        yield process


def the_deliverer() -> psutil.Process:
    """Return the deliverer that runs; there is one."""
    [found] = [child for child in psutil.Process().children() if child.cmdline()[1:3] == ["manage.py", "deliver"]]
    return found
