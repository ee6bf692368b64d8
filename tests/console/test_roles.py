"""Who may do what in the console: the whole table, asked over HTTP."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.console.factors import proven
from tests.console.house import ROLES, House
from tests.console.pages import address, page

# v: list and page, a: add, c: change, d: delete
WHO_MAY = {  # owner, organization admin, environment admin, environment member, operator, stranger
    "environments.organization": ("vc", "vc", "v", "v", "vc", ""),
    "environments.environment": ("vacd", "vacd", "vc", "v", "vc", ""),
    "environments.environmentmembership": ("vacd", "vacd", "vacd", "v", "v", ""),
    "environments.member": ("vcd", "vcd", "", "", "v", ""),
    "environments.invitation": ("va", "va", "", "", "v", ""),
    "environments.auditentry": ("v", "v", "v", "", "v", ""),
    "environments.export": ("vad", "vad", "vad", "", "v", ""),
    "environments.usagehour": ("", "", "", "", "v", ""),
    "environments.beat": ("", "", "", "", "v", ""),
    "environments.user": ("", "", "", "", "v", ""),
    "apikeys.apikey": ("va", "va", "va", "", "v", ""),
    "apikeys.apikeyenvironment": ("v", "v", "v", "", "v", ""),
    "apikeys.idempotencyrecord": ("", "", "", "", "v", ""),
    "apikeys.keywindow": ("", "", "", "", "v", ""),
    "apikeys.ratewindow": ("", "", "", "", "v", ""),
    "apikeys.streamticket": ("", "", "", "", "v", ""),
    "webhooks.webhookendpoint": ("vacd", "vacd", "vacd", "v", "v", ""),
    "webhooks.event": ("v", "v", "v", "v", "v", ""),
    "webhooks.webhookdelivery": ("v", "v", "v", "v", "v", ""),
    "webhooks.deliveryattempt": ("v", "v", "v", "v", "v", ""),
    "inboxes.domain": ("vad", "vad", "vad", "v", "v", ""),
    "inboxes.signingkey": ("v", "v", "v", "v", "v", ""),
    "inboxes.filterrule": ("vacd", "vacd", "vacd", "v", "v", ""),
    "inboxes.inbox": ("vacd", "vacd", "vacd", "v", "v", ""),
    "inboxes.suppression": ("va", "va", "va", "v", "v", ""),
    "mail.message": ("v", "v", "v", "v", "v", ""),
    "mail.thread": ("v", "v", "v", "v", "v", ""),
    "mail.messagerecipient": ("v", "v", "v", "v", "v", ""),
    "mail.attachment": ("v", "v", "v", "v", "v", ""),
    "mail.messagelabel": ("vad", "vad", "vad", "vad", "v", ""),
    "mail.threadlabel": ("vad", "vad", "vad", "vad", "v", ""),
    "mail.awaitedmessage": ("", "", "", "", "v", ""),
    "mail.blob": ("", "", "", "", "v", ""),
    "mail.draft": ("v", "v", "v", "v", "v", ""),
    "mail.draftversion": ("v", "v", "v", "v", "v", ""),
    "mail.draftfile": ("v", "v", "v", "v", "v", ""),
    "mail.handover": ("v", "v", "v", "v", "v", ""),
    "mail.intakeentry": ("v", "v", "v", "v", "v", ""),
    "mail.step": ("v", "v", "v", "v", "v", ""),
    "mail.recipienthour": ("", "", "", "", "v", ""),
    "mail.sendingwindow": ("v", "v", "v", "v", "v", ""),
    "mail.searchentry": ("", "", "", "", "v", ""),
    "mail.upload": ("v", "v", "v", "v", "v", ""),
    "mail.transport": ("vacd", "vacd", "vacd", "v", "v", ""),
    "mail.strayintake": ("", "", "", "", "v", ""),
}
ACTIONS = {
    "environments.environment": {
        "delivery-mode": {"owner", "admin", "environment_admin"},
        "lock": {"owner", "admin", "environment_admin"},
        "capture": {"owner", "admin", "environment_admin"},
        "unlock": {"operator"},
        "pause": {"owner", "admin", "environment_admin", "operator"},
        "lift": {"owner", "admin", "environment_admin", "operator"},
        "clone": {"owner", "admin", "environment_admin"},
        "usage": {"owner", "admin", "environment_admin", "environment_member", "operator"},
    },
    "environments.invitation": {
        "mail-again": {"owner", "admin"},
        "new-link": {"owner", "admin"},
        "revoke": {"owner", "admin"},
    },
    "environments.member": {"environments": {"owner", "admin"}, "make-owner": {"owner"}},
    "apikeys.apikey": {
        "quotas": {"owner", "admin", "environment_admin"},
        "rotate": {"owner", "admin", "environment_admin"},
        "revoke": {"owner", "admin", "environment_admin", "operator"},
    },
    "webhooks.webhookendpoint": {
        "rotate-secret": {"owner", "admin", "environment_admin"},
        "enable": {"owner", "admin", "environment_admin"},
        "disable": {"owner", "admin", "environment_admin"},
        "test": {"owner", "admin", "environment_admin"},
        "replay": {"owner", "admin", "environment_admin"},
    },
    "webhooks.webhookdelivery": {"retry": {"owner", "admin", "environment_admin"}},
    "webhooks.event": {"resend": {"owner", "admin", "environment_admin"}},
    "inboxes.domain": {
        "vouch": {"operator"},
        "verify": {"owner", "admin", "environment_admin"},
        "rotate-keys": {"owner", "admin", "environment_admin"},
        "catch-all": {"owner", "admin", "environment_admin"},
        "zone-file": {"owner", "admin", "environment_admin", "environment_member", "operator"},
    },
    "inboxes.suppression": {"lift": {"owner", "admin", "environment_admin"}},
    "mail.draft": {
        "approve": {"owner", "admin", "environment_admin", "environment_member"},
        "reject": {"owner", "admin", "environment_admin", "environment_member"},
        "send": {"owner", "admin", "environment_admin", "environment_member"},
        "submit": {"owner", "admin", "environment_admin", "environment_member"},
        "edit": {"owner", "admin", "environment_admin", "environment_member"},
        "call-back": {"owner", "admin", "environment_admin", "environment_member"},
        "discard": {"owner", "admin", "environment_admin", "environment_member"},
    },
    "mail.transport": {"new-webhook-url": {"owner", "admin", "environment_admin"}},
    "mail.message": {
        "labels": {"owner", "admin", "environment_admin", "environment_member"},
        "release": {"owner", "admin", "environment_admin"},
        "discard": {"owner", "admin", "environment_admin"},
    },
    "mail.thread": {"labels": {"owner", "admin", "environment_admin", "environment_member"}},
}
FILES = [("mail.message", "frame"), ("mail.message", "raw"), ("mail.attachment", "download")]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_on_every_page_what_the_table_says(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    expected = {label: verbs[ROLES.index(role)] for label, verbs in WHO_MAY.items()}
    assert {label: verbs_of(client, acme, label) for label in WHO_MAY} == expected


def verbs_of(client: Client, house: House, label: str) -> str:
    """Return the letters of what this person may do, trying each by every way that leads to it."""
    row = house.here(label)
    tries = {
        "v": [client.get(address(label)), client.get(page(row))],
        "a": [client.get(address(label, "add")), client.post(address(label, "add"), {})],
        "c": [client.post(page(row), {})],
        "d": [client.get(page(row, "delete")), client.post(page(row, "delete"), {})],
    }
    granted = {verb: {is_granted(response) for response in responses} for verb, responses in tries.items()}
    assert all(len(answers) == 1 for answers in granted.values()), f"{label}: {granted}"
    return "".join(verb for verb, answers in granted.items() if answers == {True})


def is_granted(response: HttpResponse) -> bool:
    """Return whether the page was shown, or what it did was done; not when it was refused, or sent to sign in."""
    assert response.status_code in {200, 302, 403}
    return response.status_code == 200 or (response.status_code == 302 and "login" not in response["Location"])


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_offered_the_actions_that_it_may_carry_out_and_no_others(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = proven(signed_in(role))
    allowed = {
        (label, name): client.get(page(acme.here(label), name)).status_code == 200
        for label, actions in ACTIONS.items()
        for name in actions
    }
    expected = {(label, name): role in who for label, actions in ACTIONS.items() for name, who in actions.items()}
    assert allowed == expected


@pytest.mark.parametrize("role", ROLES)
def test_each_role_that_may_look_at_mail_gets_its_bytes_and_no_other(
    role: str, acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    client = signed_in(role)
    answers = {(label, name): client.get(page(acme.here(label), name)).status_code for label, name in FILES}
    expected = [302] if role == "stranger" else [200, 410]  # gone: these rows were made without bytes
    assert [one for one in answers.items() if one[1] not in expected] == []


OF_NO_MODELS_ADDRESS = {
    "/console/approvals/": {"owner", "admin", "environment_admin", "environment_member", "operator"},
    "/console/approvals/{draft}/": {"owner", "admin", "environment_admin", "environment_member", "operator"},
    "/console/mail/draft/compose/": {"owner", "admin", "environment_admin", "environment_member"},
    "/console/mail/message/{message}/reply/": {"owner", "admin", "environment_admin", "environment_member"},
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_the_pages_that_are_of_no_list(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, ids = signed_in(role), {name: acme.here(f"mail.{name}").pk for name in ("draft", "message")}
    opened = {where for where in OF_NO_MODELS_ADDRESS if client.get(where.format(**ids)).status_code == 200}
    assert opened == {where for where, who in OF_NO_MODELS_ADDRESS.items() if role in who}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "stranger"])
def test_navigation_leads_to_what_the_role_may_view_and_nowhere_else(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    overview = signed_in(role).get("/console/").content.decode()
    linked = {label for label in WHO_MAY if f'href="{address(label)}"' in overview}
    assert linked == {label for label, verbs in WHO_MAY.items() if "v" in verbs[ROLES.index(role)]}


ACCOUNT = {  # what of their own account everybody sees who is signed in; where the rest leads is in test_account
    "account/": 200,
    "account/sessions/": 200,
    "account/identity/": 200,
    "account/second-factor/": 302,
    "account/second-factor/prove/": 302,
    "account/second-factor/codes/": 302,
    "account/second-factor/off/": 302,
    "password_change/": 200,
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_an_account_of_its_own(role: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in(role)
    assert {where: client.get(f"/console/{where}").status_code for where in ACCOUNT} == ACCOUNT


def test_the_table_covers_every_page() -> None:
    from environments.console.site import site

    assert {model._meta.label_lower for model in site._registry} == set(WHO_MAY)


def test_a_stranger_is_sent_to_the_sign_in_page(acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("stranger").get("/console/")
    assert (response.status_code, response["Location"]) == (302, "/console/login/?next=/console/")


def test_nobody_in_particular_is_sent_to_the_sign_in_page(acme: House, client: Client) -> None:
    assert client.get(page(acme.here("mail.message"))).status_code == 302
