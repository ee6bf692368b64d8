"""Two environments that know nothing of one another, each with an inbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import decode
from environments.models import Environment
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from inboxes.models import Inbox
from inboxes.services.inboxes import create_inbox
from mail.smtp import Arrival, Recipient
from tests.world import acme, api, globex  # noqa: F401 - fixtures


@dataclass
class Home:
    """An environment and its inbox."""

    environment: Environment
    inbox: Inbox

    def recipient(self, address: str | None = None) -> Recipient:
        """Return the inbox as RCPT resolves it."""
        environment_id: UUID = decode("env", self.environment.pk)
        return Recipient(address or self.inbox.email, environment_id, decode("inb", self.inbox.pk))


@pytest.fixture
def homes(request: pytest.FixtureRequest) -> tuple[Home, Home]:
    """Return two environments of one organization; the test asks for ``db`` or ``transactional_db`` before."""
    organization, production, _ = create_organization("Acme", "owner@acme.example")
    development, _ = create_environment(organization, "Development", actor=SYSTEM)
    return _home(production, "support"), _home(development, "billing")


def _home(environment: Environment, username: str) -> Home:
    with inside(environment):
        inbox, _ = create_inbox(environment, actor=SYSTEM, username=username)
    return Home(environment, inbox)


@pytest.fixture(autouse=True)
def object_store(tmp_path: Any, settings: Any) -> Iterator[Any]:
    """Keep the objects of a test in a folder of its own, and return it."""
    options = {"BACKEND": "mail.storage.DurableFileSystemStorage", "OPTIONS": {"location": tmp_path / "blobs"}}
    settings.STORAGES = {**settings.STORAGES, "default": options}
    return tmp_path / "blobs"


def arrival(raw: bytes, *recipients: Recipient, sender: str = "bob@example.com") -> Arrival:
    """Return a mail as the SMTP front hands it over."""
    return Arrival(raw, sender, recipients, "192.0.2.7", "mx.example.com", False, clock.now())


def mail(subject: str = "Hello", message_id: str | None = "<1@example.com>", **headers: str) -> bytes:
    """Return a small mail with these headers; underscores in their names stand for hyphens."""
    lines = ["From: Bob <bob@example.com>", "To: somebody@agentpost.localhost", f"Subject: {subject}"]
    lines += [f"Message-ID: {message_id}"] if message_id else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", "Good morning.", ""]).encode()
