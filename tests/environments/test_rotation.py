"""A new secret key: what the old one sealed and signed works on, and works without it once it is sealed anew."""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any

import dkim
import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from standardwebhooks import Webhook

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.encryption import CannotOpen, is_present, seal, unseal
from environments.sealed import Sealed, StoredValue, sealed_fields
from environments.services.members import invite, mailable_link
from environments.walls import environment_owned
from inboxes.models import SigningKey
from inboxes.services import signing_keys
from inboxes.services.domains import add_domain
from mail import signing
from mail.services import return_path, transports, unsubscribe
from mail.services.signing import keys_for
from tests.console.factors import SECRET as OF_THE_APP
from tests.console.factors import with_factor
from tests.environments.commands import machine
from tests.world import PERSON, World, build
from webhooks.delivery.requests import request_of
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services.endpoints import create_endpoint, rotate_secret, update_endpoint
from webhooks.services.events import Happening, publish

APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")
ROOT = Path(__file__).resolve().parent.parent.parent
RELAY = {"host": "relay.example.com", "username": "acme", "password": "geheim"}
HEADERS = {"Authorization": "Bearer hush"}
MAIL = b"From: Ann <ann@acme.example>\r\nSubject: Hello\r\n\r\nHello\r\n"
HAND_OVER = "hov_01J00000000000000000000000"
KINDS = {"webhook secret": 1, "previous webhook secret": 1, "webhook headers": 1, "dkim key": 2, "transport": 1}


def build_with_secrets() -> World:
    acme = build()
    here = acme.development
    with inside(here):
        domain, _ = add_domain(here, "acme.example", actor=SYSTEM, is_trusted=True)
        signing_keys.activate(here, SigningKey.objects.in_environment(here).filter(domain=domain))
        transports.configure(here, "smtp", RELAY, actor=PERSON, reason="The test says so.")
        endpoint, _ = create_endpoint(here, actor=SYSTEM, url="https://a.example/", events=["*"], headers=HEADERS)
        rotate_secret(endpoint, here, actor=SYSTEM)
        publish(here.pk, [Happening("message.captured", {})])
    with_factor(acme.owner.user)
    return acme


@pytest.fixture
def acme(standing: Any, request: pytest.FixtureRequest) -> World:
    return standing.stand_on(build_with_secrets, request)  # type: ignore[no-any-return]


@pytest.fixture
def renewed(acme: World, settings: Any) -> World:
    """Return acme, whose server has a new key, and the old one to fall back on."""
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one"
    return acme


def endpoint_of(acme: World) -> WebhookEndpoint:
    [endpoint] = acme.rows(WebhookEndpoint)
    return endpoint


def demand_that_everything_works(acme: World, was: WebhookEndpoint) -> None:
    """Sign a webhook and a mail as the processes do, log in to the relay with the password, take the app's code."""
    here = acme.development
    with inside(here):
        deliveries = WebhookDelivery.objects.in_environment(here).select_related("endpoint", "event", "environment")
        posted = request_of(deliveries.get(), clock.now())
        dkim_keys = keys_for(here, "acme.example")
        assert dict(transports.transport_of(here).values)["password"] == "geheim"  # type: ignore[union-attr]
    for secret in (was.secret, was.previous_secret):
        Webhook(secret).verify(posted.body, dict(posted.headers))
    assert posted.headers["Authorization"] == "Bearer hush"
    assert [dkim.verify(signing.sign(MAIL, [key]), dnsfunc=published(acme)) for key in dkim_keys] == [True, True]
    factor = Authenticator.objects.get(user=acme.owner.user)
    assert get_adapter().decrypt(factor.data["secret"]) == OF_THE_APP


def published(acme: World) -> Any:
    """Return what DNS says of the domain's keys."""
    records = {
        f"{key.selector}._domainkey.acme.example.".encode(): (
            f"v=DKIM1; k={key.algorithm}; p={base64.b64encode(bytes(key.public)).decode()}".encode()
        )
        for key in acme.rows(SigningKey)
    }
    return lambda name, timeout=5: records.get(name)  # noqa: ARG005 - dkimpy's


def test_nothing_secret_lies_open_in_the_database(acme: World) -> None:
    here = acme.development
    with inside(here):
        rows = WebhookEndpoint.objects.in_environment(here).values_list("secret", "previous_secret", "headers")
        [stored] = rows
    assert all(isinstance(value, StoredValue) and value.startswith("sealed:") for value in stored)
    assert endpoint_of(acme).headers == HEADERS


def test_the_drill(renewed: World, settings: Any) -> None:
    was = endpoint_of(renewed)
    demand_that_everything_works(renewed, was)
    told = machine("rotate_secrets")
    assert (told["resealed"], told["refused"]) == ({**KINDS, "second factor": 1}, [])
    settings.SECRET_KEY_FALLBACKS = []
    demand_that_everything_works(renewed, was)


def test_a_second_run_has_nothing_to_do(renewed: World) -> None:
    machine("rotate_secrets")
    assert machine("rotate_secrets") == {"resealed": {}, "present": sum(KINDS.values()) + 1, "refused": []}


def test_without_the_old_key_nothing_is_sealed_anew_and_nothing_is_lost(acme: World, settings: Any) -> None:
    before, was = raw_of(acme), endpoint_of(acme)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new one"
    with pytest.raises(SystemExit) as end:
        machine("rotate_secrets")
    assert (end.value.code, raw_of(acme)) == (1, before)
    settings.SECRET_KEY = old
    demand_that_everything_works(acme, was)


def raw_of(acme: World) -> list[tuple[Any, ...]]:
    """Return what the database holds of every sealed column."""
    here = acme.development
    sealed = [(model, field.name) for model in environment_owned() for field in sealed_fields(model)]
    with inside(here):
        rows = [model.objects.in_environment(here).order_by("pk").values_list("pk", name) for model, name in sealed]
        return [(pk, bytes(value) if isinstance(value, memoryview) else value) for some in rows for pk, value in some]


def test_what_lay_open_before_is_read_and_sealed(acme: World) -> None:
    here = acme.development
    with inside(here):
        rows = WebhookEndpoint.objects.in_environment(here)
        rows.update(secret=StoredValue("whsec_eHh4"), headers={})
        assert rows.get().secret == "whsec_eHh4"
    assert machine("rotate_secrets")["resealed"] == {"webhook secret": 1}
    assert endpoint_of(acme).secret == "whsec_eHh4"


def test_what_lay_open_before_stays_so_while_other_things_of_its_row_change(acme: World) -> None:
    with inside(acme.development):
        rows = WebhookEndpoint.objects.in_environment(acme.development)
        rows.update(secret=StoredValue("whsec_eHh4"))
        update_endpoint(rows.get(), acme.development, {"description": "Ours"}, actor=SYSTEM)
        assert rows.values_list("secret", flat=True).get() == "whsec_eHh4"


def test_a_sealed_column_is_written_by_its_row_alone(acme: World) -> None:
    with inside(acme.development), pytest.raises(TypeError, match="sealed"):
        WebhookEndpoint.objects.in_environment(acme.development).update(secret="whsec_eHh4")


def test_a_secret_that_is_copied_elsewhere_does_not_open(acme: World) -> None:
    with inside(acme.development):
        [stored] = WebhookEndpoint.objects.in_environment(acme.development).values_list("secret", flat=True)
    with pytest.raises(CannotOpen):
        _ = WebhookEndpoint(environment=acme.production, secret=stored).secret
    with pytest.raises(CannotOpen):
        _ = WebhookEndpoint(environment=acme.development, previous_secret=stored).previous_secret


def test_a_ciphertext_names_its_key(settings: Any) -> None:
    old = seal(b"x", environment_id="", purpose="y")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = ["another", settings.SECRET_KEY], "a new one"
    new = seal(b"x", environment_id="", purpose="y")
    assert (is_present(old), is_present(new), old[1:5] == new[1:5]) == (False, True, False)
    assert unseal(old, environment_id="", purpose="y") == b"x"


def test_a_ciphertext_of_the_first_version_opens(settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = ["of the first version"]
    first = bytes.fromhex("01000102030405060708090a0bead14dafaf83932c96bbfa94fccae7f33d")
    assert unseal(first, environment_id="", purpose="y") == b"x"


# --- What is signed and not stored ------------------------------------------------------------------------------------


def test_what_was_signed_with_the_old_key_is_believed_while_there_is_a_fallback(acme: World, settings: Any) -> None:
    inbox, token = acme.inbox(), return_path.token_of(HAND_OVER)
    leaving = unsubscribe.token_for(inbox, "bob@example.com")
    invitation, _ = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    cursor = acme.api().get("/audit?limit=1").json()["next_cursor"]
    assert cursor

    def believed() -> list[bool]:
        return [
            return_path.read(f"bounces+{token}@bounces.acme.example") is not None,
            opens(leaving),
            mailable_link(acme.organization.pk, invitation.pk) is not None,
            acme.api().get(f"/audit?limit=1&cursor={cursor}").status_code == 200,
        ]

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one"
    assert believed() == [True] * 4
    settings.SECRET_KEY_FALLBACKS = []
    assert believed() == [False] * 4


def opens(token: str) -> bool:
    try:
        return bool(unsubscribe.opened(token))
    except Exception:  # noqa: BLE001 - whatever it is refused with
        return False


def test_a_person_stays_signed_in(acme: World, settings: Any) -> None:
    from django.contrib.auth import HASH_SESSION_KEY, get_user
    from django.http import HttpRequest
    from django.test import Client

    client = Client()
    client.force_login(acme.owner.user)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one"
    request = HttpRequest()
    request.session = client.session  # type: ignore[assignment]
    before = request.session[HASH_SESSION_KEY]
    assert get_user(request) == acme.owner.user
    assert request.session[HASH_SESSION_KEY] != before  # it is one of the new key's from now on


# --- Nothing is forgotten ---------------------------------------------------------------------------------------------

SEALERS = {  # modules that seal, and where what they seal lies
    "environments/sealed.py": "columns whose fields seal them",
    "environments/console/account/adapters.py": "second factors, which environments.services.second_factors reseals",
    "inboxes/services/signing_keys.py": "SigningKey.sealed_private",
    "mail/services/transports.py": "Transport.sealed",
    "mail/services/unsubscribe.py": "links in mail that has left, which nobody can seal anew",
}
USERS = {  # modules that read the secret itself, and how what they make of it outlives a new one
    "agentpost_site/backups.py": "it goes into the backup, with the fallbacks",
    "environments/encryption.py": "opens with the fallbacks too",
    "mail/services/send.py": "traces, which mail.services.judge knows by the fallbacks too",
}


@cache
def users_of(word: str) -> frozenset[str]:
    """Return the modules of ours in whose code the word stands."""
    use = re.compile(rf"(?<![\w\"]){word}\b(?!\")")
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return frozenset(str(path.relative_to(ROOT)) for path in files if use.search(path.read_text()))


def test_whoever_seals_is_known() -> None:
    assert users_of(r"encryption(?:\.| import [^\n]*\b)seal") == SEALERS.keys()


def test_whoever_uses_the_servers_secret_is_known() -> None:
    assert users_of(r"settings\.SECRET_KEY") == USERS.keys()


def test_salted_hashes_of_the_servers_secret_try_its_fallbacks() -> None:
    """``salted_hmac`` knows no fallbacks by itself."""
    assert users_of("salted_hmac") == {
        "environments/services/members.py",  # invitations: mailable_link tries all
        "mail/services/reply_tokens.py",  # looked up by a digest that is stored
        "mail/services/return_path.py",  # read tries all
    }


def test_each_sealed_column_has_a_purpose_of_its_own() -> None:
    fields = [field for model in environment_owned() for field in sealed_fields(model)]
    purposes = [field.purpose for field in fields]
    assert (len(purposes), all(purposes)) == (len(set(purposes)), True)
    assert {*purposes} == {*KINDS}
    assert all(isinstance(field, Sealed) for field in fields)
