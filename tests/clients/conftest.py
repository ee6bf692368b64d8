"""A whole AgentPost, and keys to it, for all that is tried against one running AgentPost.

That is what developers use, the SDKs, the command line, MCP, kits and examples, and the commands of the pages (docs,
hosting).
"""

import email.policy
import json
import shutil
import smtplib
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.mail.sink import Sink, running_sink
from tests.site.instance import Instance, free_port


@dataclass(frozen=True)
class Place:
    """An environment of a running AgentPost, and a key that reaches nothing else."""

    base_url: str
    smtp_port: int
    api_key: str
    environment: dict[str, Any]

    def deliver(
        self,
        to: str,
        subject: str = "Hello",
        text: str = "Is anybody there?\n",
        *,
        sender: str = "Ann <ann@customer.example>",
        raw: bytes | None = None,
    ) -> None:
        """Send a mail in over SMTP, as any mail server would; ``raw`` is a whole one to send in its place."""
        content = mail_with(to, subject, text, sender) if raw is None else raw
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=30) as server:
            server.sendmail(parseaddr(sender)[1], [to], content)


def mail_with(to: str, subject: str, text: str, sender: str) -> bytes:
    """Return the octets of a mail of one plain text."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = make_msgid(domain="customer.example")
    mail.set_content(text)
    return mail.as_bytes()


@pytest.fixture(scope="session")
def outside() -> Iterator[Sink]:
    """Return the outside world, as far as mail goes: what left the instance over its relay."""
    with running_sink() as found:
        yield found


@pytest.fixture(scope="session")
def instance(outside: Sink, worker_id: str) -> Iterator[Instance]:
    """Return a whole AgentPost at its first start, the same for all these tests of this process."""
    folder = Path(settings.AGENTPOST_DATA_DIR) / f"clients-{worker_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    submission = {"AGENTPOST_SUBMISSION_TLS_PORT": str(free_port())}
    with Instance(folder, AGENTPOST_RELAY_URL=outside.url, AGENTPOST_SMTP_PROCESSES="1", **submission) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def owner_key(instance: Instance) -> str:
    """Return the key of the first start, which may do everything in the whole organization."""
    return instance.told("API key")


@pytest.fixture
def make_place(instance: Instance) -> Any:
    """Return a function that makes an environment and a key with these scopes for it alone."""

    def make(*scopes: str, name: str = "Place") -> Place:
        environment = instance.call("POST", "/api/v1/environments", {"name": f"{name} {uuid.uuid4().hex[:12]}"})
        wanted = {"name": name, "scopes": scopes or ["*"], "environment_ids": [environment["id"]]}
        key = instance.call("POST", "/api/v1/api-keys", wanted)
        return Place(f"http://127.0.0.1:{instance.http_port}", instance.smtp_port, key["key"], environment)

    return make


@pytest.fixture
def place(make_place: Any) -> Place:
    """Return an environment of the test's own, and a key with every scope there."""
    made: Place = make_place()
    return made


@pytest.fixture
def make_reviewer_key(instance: Instance) -> Callable[[str], str]:
    """Return a function that makes a key which may read and approve drafts of the environment with this id or slug.

    The operator makes it: no key can make one that approves.
    """

    def make(environment: str) -> str:
        command = [sys.executable, "manage.py", "create_api_key", "--organization", "my-organization", "--json"]
        wanted = ["--name", f"Reviewer {uuid.uuid4().hex[:8]}", "--scopes", "drafts:read,drafts:approve"]
        done = subprocess.run(
            [*command, *wanted, "--environment", environment],
            cwd=settings.BASE_DIR,
            env=instance.environment,
            capture_output=True,
            check=True,
        )
        return str(json.loads(done.stdout)["key"])

    return make
