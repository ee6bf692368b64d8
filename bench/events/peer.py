"""From the 250 of a mail to the receipt of its webhook: ``python -m bench.events.peer FASTSMTP``.

FASTSMTP is the folder of a virtual environment in which ``pip install fastsmtp`` was run (it needs Python 3.12):
another server that takes mail over SMTP, keeps it in PostgreSQL, and posts it. Both run whole, on the same PostgreSQL,
and get one mail at a time, by turns; fastsmtp with its own poll interval, and with 0.1 s.
"""

import os
import re
import smtplib
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg

from bench.events.processes import free_port, running, wait_for
from bench.events.receiver import Receiver, receiving

ROUNDS = 40
ROOT_KEY = "rootkey-rootkey-rootkey-123456"
MAIL = (
    "From: a@bench.example\r\nTo: {to}\r\nSubject: {number}\r\nMessage-ID: <{number}@bench.example>\r\n\r\n{text}\r\n"
)


def main(fastsmtp: Path) -> None:
    """Print the median and the slowest of each, and the ratios."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "agentpost_site.settings"
    from agentpost_site.demo.temporary import temporary_instance

    with ExitStack() as at_the_end:
        instance = at_the_end.enter_context(temporary_instance())
        servers = {"AgentPost": at_the_end.enter_context(_agentpost(instance))}
        for interval in ("1.0", "0.1"):
            servers[f"fastsmtp, {interval} s"] = at_the_end.enter_context(_fastsmtp(fastsmtp, instance, interval))
        times: dict[str, list[float]] = {name: [] for name in servers}
        for number in range(ROUNDS):
            time.sleep(0.13 * (number % 7))
            for name, server in servers.items():
                times[name].append(milliseconds(number, *server))
    ours = statistics.median(times["AgentPost"][1:])
    print("\n| server | median | slowest | median as a multiple |\n|---|---|---|---|")
    for name, them in times.items():
        middle = statistics.median(them[1:])
        print(f"| {name} | {middle:.1f} ms | {max(them[1:]):.1f} ms | {middle / ours:.1f} |")


def milliseconds(number: int, port: int, to: str, receiver: Receiver) -> float:
    """Send a mail and return how long after its 250 the webhook was there."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("a@bench.example", [to], MAIL.format(to=to, number=number, text="Hello.\r\n" * 300))
        acknowledged = time.monotonic_ns()
    [(_, at)] = receiver.wait_for(1, 30)
    return (at - acknowledged) / 1e6


@contextmanager
def _agentpost(instance: Any) -> Iterator[tuple[int, str, Receiver]]:
    log = instance.log.read_text()
    key, address = (re.search(rf"^ *{name} +(\S+)", log, re.MULTILINE)[1] for name in ("API key", "inbox"))  # type: ignore[index]
    headers = {"Authorization": f"Bearer {key}", "AgentPost-Environment": "development"}
    with receiving() as receiver:
        _post(f"{instance.url}/api/v1/webhook-endpoints", headers, {"url": receiver.url(), "events": ["*"]})
        yield int(instance.variables["AGENTPOST_SMTP_PORT"]), address, receiver


@contextmanager
def _fastsmtp(folder: Path, instance: Any, interval: str) -> Iterator[tuple[int, str, Receiver]]:
    from agentpost_site.embedded_postgres import EmbeddedPostgres
    from agentpost_site.postgres_roles import SUPERUSER

    postgres = EmbeddedPostgres(Path(instance.variables["AGENTPOST_DATA_DIR"]))
    name, program = f"fastsmtp_{interval.replace('.', '_')}", str(folder / "bin" / "fastsmtp")
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    smtp, api = free_port(), free_port()
    variables = {
        "FASTSMTP_DATABASE_URL": f"postgresql+asyncpg://{SUPERUSER}@/{name}?host={postgres.socket_dir}",
        "FASTSMTP_ROOT_API_KEY": ROOT_KEY,
        "FASTSMTP_SMTP_HOST": "127.0.0.1",
        "FASTSMTP_SMTP_PORT": str(smtp),
        "FASTSMTP_SMTP_TLS_PORT": str(free_port()),
        "FASTSMTP_API_HOST": "127.0.0.1",
        "FASTSMTP_API_PORT": str(api),
        "FASTSMTP_SMTP_VERIFY_DKIM": "false",
        "FASTSMTP_SMTP_VERIFY_SPF": "false",
        "FASTSMTP_SMTP_RATE_LIMIT_ENABLED": "false",
        "FASTSMTP_RATE_LIMIT_ENABLED": "false",
        "FASTSMTP_WEBHOOK_ALLOWED_INTERNAL_DOMAINS": '["localhost","127.0.0.1"]',
        "FASTSMTP_WORKER_POLL_INTERVAL": interval,
    }
    with running([program, "db", "upgrade", "head"], variables=variables) as migration:
        wait_for(lambda: migration.poll() is not None, 60)
    with receiving() as receiver, running([program, "serve"], port=api, variables=variables):
        root, headers = f"http://127.0.0.1:{api}/api/v1", {"X-API-Key": ROOT_KEY}
        domain = _post(f"{root}/domains", headers, {"domain_name": "agents.test"})
        _post(f"{root}/domains/{domain['id']}/recipients", headers, {"webhook_url": receiver.url()})
        yield smtp, "a@agents.test", receiver


def _post(url: str, headers: dict[str, str], body: dict[str, Any]) -> Any:
    content = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, orjson.dumps(body), headers | content)  # noqa: S310 - servers of ours
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - servers of ours
        return orjson.loads(answer.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
