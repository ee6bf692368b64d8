"""From the 250 of a mail to the receipt of its webhook, beside a server that polls its queue.

fastsmtp (https://pypi.org/project/fastsmtp/) takes mail over SMTP, keeps it in PostgreSQL, and posts it. Both run
whole, on the same PostgreSQL, and get one mail at a time, by turns; fastsmtp with its own poll interval, and with
0.1 s.
"""

import shutil
import smtplib
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psycopg

from bench.events.receiver import Receiver, receiving
from bench.ground import house
from bench.peers import TROUBLE, cached
from bench.processes import free_port, running, wait_for
from bench.report import Table

if TYPE_CHECKING:
    from tests.site.instance import Instance

OURS, VERSION = "AgentPost", "0.8.1"
INTERVALS = {"1.0": "polling every second, its default", "0.1": "polling every 0.1 s"}
ENOUGH = "import ensurepip, sys; sys.exit(sys.version_info < (3, 12))"
ROUNDS = 31
Server = tuple[int, str, Receiver]  # a port, an address it takes mail for, and where its webhooks arrive
ROOT_KEY = "rootkey-rootkey-rootkey-123456"
MAIL = (
    "From: a@bench.example\r\nTo: {to}\r\nSubject: {number}\r\nMessage-ID: <{number}@bench.example>\r\n\r\n{text}\r\n"
)


def measure() -> Table:
    """Return the median and the slowest of each, and the ratios. Raises TimeoutError when AgentPost does not start."""
    notes: list[str] = []
    times = _measured(notes)
    middle = {name: statistics.median(them) for name, them in times.items()}
    return Table(
        "From the 250 of a mail to the receipt of its webhook, whole servers, one mail at a time and by turns:",
        ("server", "median, ms", "slowest, ms", "median, AgentPost = 1"),
        [(name, middle[name], max(them), middle[name] / middle[OURS]) for name, them in times.items()],
        notes,
    )


def _measured(notes: list[str]) -> dict[str, list[float]]:
    """Return the milliseconds of each server; what is missing goes into the notes."""
    with ExitStack() as at_the_end:
        instance = at_the_end.enter_context(house(AGENTPOST_SMTP_PROCESSES="1"))
        servers = {OURS: at_the_end.enter_context(_agentpost(instance))}
        try:
            folder = installed()
            for interval, name in INTERVALS.items():
                servers[f"fastsmtp {VERSION}, {name}"] = at_the_end.enter_context(_fastsmtp(folder, instance, interval))
        except TROUBLE as trouble:
            notes.append(f"fastsmtp {VERSION} is not beside it: {trouble}.")
        return _times(servers, notes)


def _times(servers: dict[str, Server], notes: list[str]) -> dict[str, list[float]]:
    """Return the milliseconds of each, the first round left out; a peer that fails is named and asked no more."""
    times: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(ROUNDS):
        time.sleep(0.13 * (number % 7))  # so that no poll is met at the same moment of its interval
        for name in [*servers]:
            try:
                times[name].append(milliseconds(number, *servers[name]))
            except TROUBLE as trouble:
                if name == OURS:
                    raise
                notes.append(f"{name} failed in round {number}: {trouble}.")
                del servers[name], times[name]
    return {name: them[1:] for name, them in times.items()}


def installed() -> Path:
    """Return the virtual environment that has fastsmtp, made by pip in a cache. Raises OSError, SubprocessError."""
    folder = cached(f"fastsmtp-{VERSION}")
    if not (folder / "bin" / "fastsmtp").exists():
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        for command in ([_python(), "-m", "venv", "--clear", str(folder)], [*pip, f"fastsmtp=={VERSION}"]):
            subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603
    return folder


def _python() -> str:
    """Return a Python of at least 3.12 that makes virtual environments. Raises OSError."""
    found = [shutil.which(name) or "" for name in ("python3.12", "python3.13", "python3")]
    found += map(str, sorted(Path.home().glob(".pyenv/versions/3.1[23].*/bin/python")))
    for python in filter(None, found):  # one that is there may still not work (a shim, a Python without venv)
        if not subprocess.run([python, "-c", ENOUGH], capture_output=True, check=False).returncode:  # noqa: S603
            return python
    raise OSError("there is no Python 3.12 that makes virtual environments")


def milliseconds(number: int, port: int, to: str, receiver: Receiver) -> float:
    """Send a mail and return how long after its 250 the webhook was there."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("a@bench.example", [to], MAIL.format(to=to, number=number, text="Hello.\r\n" * 300))
        acknowledged = time.monotonic_ns()
    [(_, at)] = receiver.wait_for(1, 30)
    return (at - acknowledged) / 1e6


@contextmanager
def _agentpost(instance: "Instance") -> Iterator[Server]:
    with receiving() as receiver:
        instance.call("POST", "/api/v1/webhook-endpoints", {"url": receiver.url(), "events": ["*"]})
        yield instance.smtp_port, instance.told("inbox"), receiver


@contextmanager
def _fastsmtp(folder: Path, instance: "Instance", interval: str) -> Iterator[Server]:
    from agentpost_site.embedded_postgres import EmbeddedPostgres
    from agentpost_site.postgres_roles import SUPERUSER

    postgres = EmbeddedPostgres(instance.folder)
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
