"""The second factor: without one, and one proven lately, nothing lets mail out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from apikeys.models import ApiKey
from environments import clock
from environments.binding import inside
from environments.models import Environment
from inboxes.models import Inbox
from tests.console.factors import code_at, proven, with_factor
from tests.console.house import House
from tests.console.pages import address, page

ENROL, PROVE = "/console/account/second-factor/", "/console/account/second-factor/prove/"


def mode_of(environment: Environment) -> str:
    return Environment.objects.in_organization(environment.organization_id).get(pk=environment.pk).delivery_mode


LETS_OUT = [
    {"mode": "live"},
    {"mode": "allowlist"},
    {"mode": "redirect", "redirect_address": "test@acme.example"},
]


@pytest.mark.parametrize("wanted", LETS_OUT)
def test_what_lets_mail_out_leads_whoever_has_no_second_factor_to_one(
    wanted: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    client, where = signed_in("owner"), page(acme.development, "delivery-mode")
    response = client.post(where, {**wanted, "reason": "Launch day"})
    assert response["Location"] == f"{ENROL}?next={where.replace('/', '%2F')}"
    assert mode_of(acme.development) == "capture"
    assert "you have none yet" in client.get("/console/").content.decode()


def test_a_second_factor_is_proven_again_after_a_quarter_of_an_hour(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client, where = proven(signed_in("owner")), page(acme.development, "delivery-mode")
    wanted = {"mode": "live", "confirm": "development", "reason": "Launch day"}
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        response = client.post(where, wanted)
        assert response["Location"] == f"{PROVE}?next={where.replace('/', '%2F')}"
        assert mode_of(acme.development) == "capture"
        response = client.post(response["Location"], {"code": code_at()})
        assert response["Location"] == where
        client.post(where, wanted)
    assert mode_of(acme.development) == "live"


def test_who_has_one_and_did_not_prove_it_here_is_asked_to(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    with_factor(acme.people["owner"])
    response = client.post(page(acme.development, "delivery-mode"), {"mode": "live", "reason": "Launch day"})
    assert response["Location"].startswith(PROVE)


def test_nobody_needs_one_to_hold_mail_back(acme: House, signed_in: Callable[..., Client]) -> None:
    rows = Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk)
    rows.update(delivery_mode="live", allowlist=["acme.example"])
    client, where = signed_in("owner"), page(acme.development, "delivery-mode")
    client.post(where, {"mode": "capture", "allowlist": "globex.example", "reason": "Too soon"})
    kept = Environment.objects.in_organization(acme.organization).get(pk=acme.development.pk)
    assert (kept.delivery_mode, kept.allowlist) == ("capture", ["acme.example"])


def test_unlocking_needs_one(acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("operator").get(page(acme.development, "unlock"))
    assert response["Location"].startswith(ENROL)


def posted_without_one(house: House, what: str) -> tuple[str, str, dict[str, object]]:
    """Return who posts what where: something that lets mail out, or decides how it leaves."""
    inbox, domain, transport = (house.here(label) for label in ("inboxes.inbox", "inboxes.domain", "mail.transport"))
    limits = {"section": "limits", "repetition_limit": "900", "quota_warning_percent": "80"}
    smtp = {"kind": "smtp", "options": "host: mail.acme.example", "secrets": "", "reason": "Moved"}
    key = {"name": "k", "scopes": ["messages:send"], "reach": "organization"}
    return {
        "lift an inbox's pause": ("owner", page(inbox), {"display_name": ""}),
        "raise an inbox's quota": ("owner", page(inbox), {"send_paused": "on", "hourly_sending_quota": 900}),
        "add a transport": ("owner", address("mail.transport", "add"), smtp),
        "change the transport": ("owner", page(transport), smtp),
        "remove the transport": ("owner", page(transport, "delete"), {"post": "yes"}),
        "a new webhook url": ("owner", page(transport, "new-webhook-url"), {"confirmed": "yes"}),
        "loosen limits": ("owner", page(house.development), limits),
        "vouch": ("operator", page(domain, "vouch"), {"confirmed": "yes"}),
        "make a live key that sends": ("owner", address("apikeys.apikey", "add"), key),
    }[what]


@pytest.mark.parametrize(
    "what",
    [
        "lift an inbox's pause",
        "raise an inbox's quota",
        "add a transport",
        "change the transport",
        "remove the transport",
        "a new webhook url",
        "loosen limits",
        "vouch",
        "make a live key that sends",
    ],
)
def test_whatever_else_lets_mail_out_needs_one_too(what: str, acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        Inbox.objects.in_environment(acme.development).update(send_paused=True, hourly_sending_quota=5)
    Environment.objects.in_organization(acme.organization).filter(pk=acme.production.pk).update(delivery_mode="live")
    who, where, given = posted_without_one(acme, what)
    response = signed_in(who).post(where, given)
    assert response.status_code == 302
    assert response["Location"].startswith(ENROL)


def test_a_key_that_cannot_reach_anything_live_needs_none(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"name": "k", "scopes": ["messages:send"], "reach": "environment"}
    assert signed_in("owner").post(address("apikeys.apikey", "add"), given).status_code == 200


def test_a_live_key_is_rotated_with_one_only(acme: House, signed_in: Callable[..., Client]) -> None:
    key = acme.here("apikeys.apikey")
    ApiKey.objects.in_organization(acme.organization).filter(pk=key.pk).update(kind="live", scopes=["messages:send"])
    response = signed_in("owner").post(page(key, "rotate"), {"overlap": ""})
    assert response.status_code == 302
    assert response["Location"].startswith(ENROL)
