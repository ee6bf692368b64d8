"""A database of its own, with an environment in it, and a deliverer beside it."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import django

from bench.events.processes import running

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


@contextmanager
def database() -> Iterator[None]:
    """Have AgentPost's tables in an embedded PostgreSQL of its own, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="agentpost-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as `nobody`, who has to get there
        os.environ.pop("DATABASE_URL", None)
        os.environ["AGENTPOST_DATA_DIR"] = f"{folder}/data"
        os.environ["AGENTPOST_DEVELOPMENT"] = "1"
        os.environ["AGENTPOST_REQUESTS_PER_MINUTE"] = "1000000"
        os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"
        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections

        with settings.EMBEDDED_POSTGRES.temporarily_running():
            call_command("migrate", database="owner", verbosity=0)
            try:
                yield
            finally:
                for connection in connections.all():
                    connection.close()


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
