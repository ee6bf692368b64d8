"""Who sets an environment's transport, what becomes of its secrets, and who sees what."""

from __future__ import annotations

from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from environments.binding import inside
from environments.callers import Actor
from environments.errors import PersonRequired, ValidationFailed
from environments.models import AuditEntry
from mail.models import Transport
from mail.services import transports
from mail.transports.configs import of_relay_url
from tests.console.factors import proven
from tests.world import PERSON, World, error_of

RELAY = {"host": "relay.example.com", "username": "acme", "password": "geheim"}
KEY = Actor("key", "key_1", "a key")


def configured(world: World, kind: str = "smtp", config: Any = None, actor: Actor = PERSON) -> str | None:
    where = world.development
    with inside(where):
        chosen = RELAY if config is None else config
        return transports.configure(where, kind, chosen, actor=actor, reason="The test says so.")[1]


def config_of(world: World) -> Any:
    with inside(world.development):
        found = transports.transport_of(world.development)
    return found and {"kind": found.kind, **dict(found.values)}


def test_a_transport_is_what_a_person_said(acme: World) -> None:
    configured(acme)
    expected = {"kind": "smtp", **RELAY, "security": "starttls", "port": 587}
    assert config_of(acme) == expected


def test_no_key_sets_or_removes_one(acme: World) -> None:
    with pytest.raises(PersonRequired):
        configured(acme, actor=KEY)
    configured(acme)
    for method in ("put", "delete"):
        answer = acme.api().call(method, "/environments/development/transport")
        assert (answer.status_code, error_of(answer)["code"]) == (403, "person_required")
    assert len(acme.rows(Transport)) == 1


def test_secrets_are_sealed_and_shown_nowhere(acme: World) -> None:
    configured(acme)
    [row] = acme.rows(Transport)
    entries = AuditEntry.objects.in_organization(acme.organization).filter(action="transport.configured")
    answer = acme.api().get("/environments/development/transport")
    written = [bytes(row.sealed), repr([(one.before, one.after) for one in entries]).encode(), answer.content]
    assert [b"geheim" in each for each in written] == [False, False, False]
    assert answer.json()["config"]["host"] == "relay.example.com"
    assert (entries.get().reason, entries.get().after["secrets"]) == ("The test says so.", ["password"])


def test_a_sealed_transport_opens_in_its_own_environment_only(acme: World) -> None:
    configured(acme)
    [row] = acme.rows(Transport)
    row.environment_id = acme.production.pk
    with pytest.raises(ValueError, match="cannot be opened"):
        transports.values_of(row)


def test_a_secret_that_is_left_out_stays(acme: World) -> None:
    configured(acme)
    configured(acme, config={"host": "relay.example.com", "username": "acme", "security": "starttls"})
    assert config_of(acme)["password"] == "geheim"


@pytest.mark.parametrize("moved", [{"host": "evil.example"}, {"username": ""}, {"port": 2525}, {"security": "none"}])
def test_a_kept_secret_is_not_told_to_somebody_else(acme: World, moved: dict[str, Any]) -> None:
    configured(acme)
    configured(acme, config={"host": "relay.example.com", "username": "acme", **moved})
    assert "password" not in config_of(acme)


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("pigeon", {}, "kind"),
        ("smtp", {}, "host"),
        ("smtp", {"host": "relay.example.com\r\nRCPT"}, "host"),
        ("smtp", {"host": "relay.example.com", "port": 99999}, "port"),
        ("smtp", {"host": "relay.example.com", "security": "some"}, "security"),
        ("smtp", {"host": "relay.example.com", "password": "x"}, "username"),
        ("direct", {"host": "relay.example.com"}, "host"),
        ("postmark", {}, "server_token"),
        ("postmark", {"server_token": "x", "api_url": "https://evil.example/"}, "api_url"),
        ("postmark", {"server_token": "x", "api_url": "http://169.254.169.254/"}, "api_url"),
        ("amazon_ses", {"access_key_id": "a", "secret_access_key": "b", "region": "x/../y"}, "region"),
        ("sendgrid", {"api_key": "x", "webhook_verification_key": "none"}, "webhook_verification_key"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(
    acme: World, kind: str, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        configured(acme, kind, config)
    assert [detail["field"] for detail in refused.value.details] == [field]


def test_without_its_own_an_environment_uses_the_servers(acme: World, settings: Any) -> None:
    assert config_of(acme) is None
    settings.AGENTPOST_RELAY_URL = "smtp://user:pa%40ss@relay.internal:2525"
    assert config_of(acme)["password"] == "pa@ss"
    shown = acme.api().get("/environments/development/transport").json()
    assert (shown["source"], shown["kind"], shown["config"]) == ("server", "smtp", {})
    configured(acme)
    assert config_of(acme)["host"] == "relay.example.com"
    with inside(acme.development):
        transports.remove(acme.development, actor=PERSON, reason="Done.")
    assert config_of(acme)["host"] == "relay.internal"


RELAY_URLS = [
    ("smtp://relay.internal", ("smtp", 25, "opportunistic")),
    ("smtp://u:p@relay.internal", ("smtp", 587, "starttls")),
    ("smtp://u:p@127.0.0.1:1025", ("smtp", 1025, "opportunistic")),
    ("smtps://u:p@relay.internal", ("smtp", 465, "tls")),
    ("smtp://relay.internal?security=none", ("smtp", 25, "none")),
    ("direct:", ("direct", None, None)),
]


@pytest.mark.parametrize(("url", "expected"), RELAY_URLS)
def test_a_relay_url_says_how_mail_leaves(url: str, expected: tuple[Any, ...]) -> None:
    found = of_relay_url(url)
    assert found
    assert (found.kind, found["port"], found["security"]) == expected
    assert found.environment_id == ""


def test_a_command_sets_it_and_tells_the_webhook_url_once(acme: World, settings: Any) -> None:
    def told(config: str) -> Any:
        out = StringIO()
        where = ["--environment", "development", "--organization", "acme", "--kind", "postmark", "--config", config]
        call_command("set_transport", *where, "--by", "owner@acme.example", "--reason", "Go", "--json", stdout=out)
        return orjson.loads(out.getvalue())

    first = told('{"server_token": "geheim"}')
    assert first["webhook_url"].startswith(f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/provider-webhooks/")
    assert "geheim" not in repr(first)
    assert "webhook_url" not in told('{"server_token": "geheim"}')
    with pytest.raises(CommandError, match="JSON object"):
        told("[]")


def test_the_console_sets_it_and_shows_no_secret(acme: World) -> None:
    client = Client()
    client.force_login(acme.owner.user, "django.contrib.auth.backends.ModelBackend")
    client.get(f"/console/?environment={acme.development.pk}")
    proven(client)
    form = {"kind": "smtp", "options": "host: relay.example.com\nusername: acme", "secrets": "password: geheim"}
    assert client.post("/console/mail/transport/add/", form).status_code == 200  # without a reason
    assert client.post("/console/mail/transport/add/", {**form, "reason": "Go"}).status_code == 302
    assert client.post("/console/mail/transport/add/", {**form, "reason": "Again"}).status_code == 302  # and refused
    [row] = acme.rows(Transport)
    page = client.get(f"/console/mail/transport/{row.pk}/change/").content.decode()
    assert ("relay.example.com" in page, "geheim" in page) == (True, False)
    assert config_of(acme)["password"] == "geheim"
