"""Two agents of one organization, each with an environment, a key that reaches nothing else, and an inbox."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from apikeys.models import ApiKey
from apikeys.services import create_key, revoke_key
from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment, Organization
from environments.provisioning import take_turn
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from inboxes.models import Inbox
from inboxes.services.inboxes import create_inbox

ORGANIZATION, SLUG = "AgentPost demo", "agentpost-demo"
SCOPES = ("messages:*", "threads:read", "webhooks:*")
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """What the API answered, its JSON parsed."""

    status: int
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {self.body}"


@dataclass(frozen=True)
class Agent:
    """What an agent knows of AgentPost."""

    environment: Environment
    inbox: Inbox
    key: ApiKey
    secret: str
    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the API with the agent's key, as any client would."""
        request = urllib.request.Request(  # noqa: S310 - a URL of ours
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of ours
                return _answer(answer.status, answer.headers.get_content_type(), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return _answer(refused.code, refused.headers.get_content_type(), refused.read())


def _answer(status: int, content_type: str, body: bytes) -> Answer:
    return Answer(status, json.loads(body) if content_type == "application/json" and body else body)


@contextmanager
def agents(url: str, *names: str) -> Iterator[list[Agent]]:
    """Have these agents, found or made, each with a fresh key that is revoked at the end of the block."""
    with transaction.atomic():
        take_turn()
        organization = _organization()
        found = [_agent(organization, name, url) for name in names]
    try:
        yield found
    finally:
        for agent in found:
            revoke_key(agent.key, actor=SYSTEM)


def _organization() -> Organization:
    existing = Organization.objects.filter(slug=SLUG).first()
    return existing or create_organization(ORGANIZATION, f"demo@{settings.AGENTPOST_SHARED_DOMAIN}", slug=SLUG)[0]


def _agent(organization: Organization, name: str, url: str) -> Agent:
    existing = Environment.objects.in_organization(organization).filter(slug=name).first()
    environment = existing or create_environment(organization, name.title(), slug=name, actor=SYSTEM)[0]
    with inside(environment):
        inbox, _ = create_inbox(environment, actor=SYSTEM, username="support", client_id="demo")
    made = create_key(organization.pk, f"Demo of {name}", actor=SYSTEM, scopes=SCOPES, environments=[environment])
    return Agent(environment, inbox, made.key, made.secret, url)
