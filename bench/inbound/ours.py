"""AgentPost as it is run, for the load: its SMTP processes on one port, its own PostgreSQL, everything synced."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.ground import Place, database, database_url
from bench.peers import Peer
from bench.processes import free_port, running
from tests.names import name_server

TEXTS = {  # what the sender of the load has in DNS
    "sender.example": b"v=spf1 ip4:127.0.0.1 -all",
    "_dmarc.sender.example": b"v=DMARC1; p=none",
}
ENDPOINT = "http://127.0.0.1:9/events"  # nobody is there: what is measured ends with the rows of the deliveries
STORED = """
SELECT m.id, m.environment_id, m.raw_id, m.message_id_header
  FROM mail_message m
  JOIN mail_thread t ON t.id = m.thread_id
  JOIN mail_searchentry s ON s.message_id = m.id
  JOIN mail_intakeentry i ON i.message_id = m.id
"""
TOLD = """
SELECT e.data ->> 'message_id' FROM webhooks_event e JOIN webhooks_webhookdelivery d ON d.event_id = e.id
"""


@contextmanager
def agentpost(*environments: int) -> Iterator[dict[int, Peer]]:
    """Run it until the block ends; give it once for each number of environments that get mail, each with one inbox."""
    with name_server() as names, database(), ExitStack() as at_the_end:
        from django.conf import settings

        for name, text in TEXTS.items():
            names.names.put(name, "TXT", text)
        names.names.ttl = 3600

        addresses = [_address(number) for number in range(max(environments))]
        port = free_port()
        command = [sys.executable, "manage.py", "smtpd", "--host=127.0.0.1", f"--port={port}"]
        command += ["--submission-port=0", "--submission-tls-port=0"]
        variables = {"DATABASE_URL": database_url(), "AGENTPOST_DNS_SERVERS": names.address}
        for _ in range(settings.AGENTPOST_SMTP_PROCESSES):
            at_the_end.enter_context(running(command, port=port, variables=variables))
        yield {number: Peer(port, addresses[:number], lambda: True, message_ids) for number in environments}


def _address(number: int) -> str:
    """Make an organization with an inbox, all of whose events go to a webhook, and return the inbox's address."""
    from environments.binding import inside
    from environments.callers import SYSTEM
    from inboxes.services.inboxes import create_inbox

    place = Place(f"load-{number}")
    place.endpoints([ENDPOINT])
    with inside(place.environment):
        inbox, _ = create_inbox(place.environment, actor=SYSTEM, username="support")
    return inbox.email


def message_ids() -> Counter[str]:
    """Return how often each Message-ID is stored with all that belongs to it: its bytes, search entry, webhook."""
    import psycopg
    from django.conf import settings
    from django.core.files.storage import default_storage

    from agentpost_site.postgres_roles import SUPERUSER
    from environments.ids import encode
    from mail.models import Blob

    url = settings.EMBEDDED_POSTGRES.url(SUPERUSER, settings.DATABASES["default"]["NAME"])  # whom no wall holds
    found: Counter[str] = Counter()
    with psycopg.connect(url) as connection:
        told = Counter(message_id for (message_id,) in connection.execute(TOLD))
        for message, environment, blob, header in connection.execute(STORED):
            raw = Blob(pk=encode("blb", blob), environment_id=encode("env", environment))
            if default_storage.exists(raw.object_key):
                found[header.strip("<>")] += told[encode("msg", message)]
    return found
