"""A world to test the API in: an organization with two environments, and clients that hold keys to it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client

from apikeys.services import NewKey, create_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.ids import decode
from environments.models import Environment, EnvironmentOwned, Member, Organization
from environments.services.environments import create_environment, set_delivery_mode
from environments.services.organizations import create_organization
from inboxes.models import Inbox
from inboxes.services.addresses import find_recipient
from inboxes.services.inboxes import create_inbox
from mail.intake import Arrival, Recipient
from mail.services.receive import receive
from tests.canaries import WORD
from tests.standing import Ground, store_in

EVERYTHING = ("*", "drafts:approve")
PERSON = Actor("member", name="owner@acme.example")


class Api:
    """The API as one key's holder meets it."""

    def __init__(self, secret: str | None, **headers: str) -> None:
        self.headers = {**({"Authorization": f"Bearer {secret}"} if secret is not None else {}), **headers}
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """Call ``/api/v1`` + path; bytes are sent as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return self.client.generic(
            method.upper(),
            f"/api/v1{path}",
            content,
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("post", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.call("patch", path, body)

    def delete(self, path: str, body: Any = None) -> HttpResponse:
        return self.call("delete", path, body)

    def items(self, path: str, **headers: str) -> list[Any]:
        """Return what one page of a list holds."""
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]


@dataclass
class World:
    """``production`` is the default environment, ``development`` the other one; both capture."""

    organization: Organization
    production: Environment
    development: Environment
    owner: Member
    counter: list[int] = field(default_factory=lambda: [0])

    def new_key(self, scopes: Iterable[str] = EVERYTHING, **options: Any) -> NewKey:
        return create_key(self.organization.pk, "a key", actor=SYSTEM, scopes=scopes, **options)

    def api(self, *scopes: str, environments: Sequence[Environment] | None = None, **options: Any) -> Api:
        """Return the API for a fresh key; without scopes it may do everything."""
        return Api(self.new_key(scopes or EVERYTHING, environments=environments, **options).secret)

    def go_live(self, environment: Environment) -> None:
        set_delivery_mode(environment, "live", actor=PERSON, reason="The test says so.")
        environment.refresh_from_db()

    def inbox(self, environment: Environment | None = None, **fields: Any) -> Inbox:
        where = environment or self.development
        with inside(where):
            return create_inbox(where, actor=SYSTEM, **fields)[0]

    def rows(self, model: type[EnvironmentOwned], environment: Environment | None = None) -> list[Any]:
        """Return the rows of an environment, as PostgreSQL shows them from inside."""
        where = environment or self.development
        with inside(where):
            return list(model.objects.in_environment(where).order_by("pk"))

    def deliver(self, inbox: Inbox, *mails: bytes, sender: str = "bob@example.com") -> list[str]:
        """Let mails arrive; return the ids of the inbox's messages, oldest first."""
        to = Recipient(inbox.email, decode("env", inbox.environment_id), decode("inb", inbox.pk))
        receive([arrival(raw, to, sender) for raw in mails or [self.mail(to=inbox.email)]])
        with inside(inbox.environment_id):
            where = Environment(pk=inbox.environment_id)
            return [row.pk for row in messages(where).filter(inbox=inbox).order_by("pk")]

    def mail(self, subject: str = "Hello", text: str = "Hello there", **headers: str) -> bytes:
        """Return a mail that is like no other."""
        self.counter[0] += 1
        given = {
            "From": "Bob <bob@example.com>",
            "To": "agent@acme.example",
            "Subject": subject,
            "Message-ID": f"<{self.counter[0]}@example.com>",
            "X-Canary": WORD,
            **{name.replace("_", "-").title(): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"{head}\r\n{text}\r\n".encode()


def messages(environment: Environment) -> Any:
    from mail.models import Message

    return Message.objects.in_environment(environment)


def arrival(raw: bytes, to: Recipient, sender: str = "bob@example.com", at: datetime | None = None) -> Arrival:
    return Arrival(raw, sender, (to,), "192.0.2.1", "client.example", False, at or clock.now())


def recipient_of(address: str) -> Recipient | None:
    found = find_recipient(address)
    return Recipient(address, UUID(found[0]), UUID(found[1])) if found else None


def build(name: str = "acme") -> World:
    organization, production, owner = create_organization(name.title(), f"owner@{name}.example", slug=name)
    development, _ = create_environment(organization, "Development", actor=SYSTEM, slug="development")
    return World(organization, production, development, owner)


def settled(api: Api, count: int, **headers: str) -> None:
    """Wait until so many events can be read: any transaction on the server, of another test too, holds them up."""
    for _ in range(600):
        if len(api.items("/events?limit=100", **headers)) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"There are still fewer than {count} events to be read.")


def error_of(answer: HttpResponse) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error


def without_request_id(answer: HttpResponse) -> bytes:
    """Return the body of an error answer without the only part that differs from call to call."""
    body = answer.json()
    assert body["error"].pop("request_id") == answer["Request-Id"]
    return orjson.dumps(body)


def build_acme() -> World:
    return build("acme")


@pytest.fixture
def acme(standing: Ground, request: pytest.FixtureRequest) -> World:
    """Return acme, built once for the module; what a test does to it is rolled back."""
    return standing.stand_on(build_acme, request)  # type: ignore[no-any-return]


@pytest.fixture
def globex(db: None) -> World:
    return build("globex")


@pytest.fixture
def api(acme: World) -> Api:
    """Return the API for a key of acme that reaches every environment and may do everything."""
    return acme.api()


@pytest.fixture
def object_store(tmp_path: Path, settings: Any) -> Path:
    """Keep the objects of a test in a folder of its own, and return it."""
    settings.STORAGES = store_in(tmp_path / "blobs")
    return tmp_path / "blobs"
