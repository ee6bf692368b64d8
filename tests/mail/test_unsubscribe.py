"""Unsubscribing with one click, and by mail."""

import re
from email import message_from_bytes
from typing import Any
from unittest.mock import patch

import pytest
from django.http import HttpResponse
from django.test import Client

from inboxes.models import Inbox
from mail.services.unsubscribe import token_for
from tests.world import Api, World, error_of

ASKED = {"list_unsubscribe": True, "to": "Bob@example.com"}


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="news@dev.agentpost.localhost")


@pytest.fixture
def suppressed() -> Any:
    """Return the calls of ``suppress``, by environment and address, in place of it."""
    calls: list[tuple[str, str, str]] = []

    def note(environment: Any, email: str, *, reason: str, **_: Any) -> None:
        calls.append((environment.pk, email, reason))

    with patch("mail.services.unsubscribe.suppress", note):
        yield calls


def sent(api: Api, inbox: Inbox, **body: Any) -> HttpResponse:
    return api.post(f"/inboxes/{inbox.pk}/messages", {**ASKED, **body})


def addresses(api: Api, answer: HttpResponse) -> tuple[str, str, Any]:
    """Return link, mail address, and the headers of the mail."""
    assert answer.status_code == 201, answer.content
    mail = message_from_bytes(api.get(f"/messages/{answer.json()['id']}/raw").content)
    link, address = re.findall("<([^<>]*)>", "".join(mail["List-Unsubscribe"].split()))
    return link, address, mail


def click(link: str, method: str = "post") -> HttpResponse:
    """Do what a mail client does (RFC 8058 section 3.2), or a browser."""
    path = "/api/v1" + link.partition("/api/v1")[2]
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return getattr(client, method)(path, {"List-Unsubscribe": "One-Click"} if method == "post" else None)


def test_one_click_is_enough(acme: World, api: Api, inbox: Inbox, suppressed: Any, settings: Any) -> None:
    settings.AGENTPOST_PUBLIC_URL = "https://mail.acme.example"
    link, _, mail = addresses(api, sent(api, inbox))
    assert link.startswith("https://mail.acme.example/api/v1/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    first, second = click(link), click(link)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert suppressed == [(acme.development.pk, "bob@example.com", "unsubscribed")] * 2


def test_one_click_is_not_promised_without_tls(api: Api, inbox: Inbox) -> None:
    assert addresses(api, sent(api, inbox))[2]["List-Unsubscribe-Post"] is None


def test_looking_at_the_link_unsubscribes_nobody(api: Api, inbox: Inbox, suppressed: Any) -> None:
    link, _, _ = addresses(api, sent(api, inbox))
    for method in ("get", "head"):
        assert click(link, method).status_code == 200
    assert b'<form method="post">' in click(link, "get").content
    assert suppressed == []


def test_a_link_tells_nothing(acme: World, api: Api, inbox: Inbox, suppressed: Any) -> None:
    link, _, _ = addresses(api, sent(api, inbox))
    page = click(link, "get").content.decode() + click(link).content.decode() + link
    assert not any(word in page.lower() for word in ("bob", "acme", acme.development.pk.lower(), "news@"))
    other, _, _ = addresses(api, sent(api, inbox))
    assert link != other


@pytest.mark.parametrize(
    "change", [lambda token: token[:-2] + "AA", lambda _: "x", lambda token: token[4:], lambda _: "é"]
)
def test_a_made_up_link_opens_nothing(api: Api, inbox: Inbox, change: Any, suppressed: Any) -> None:
    start, _, token = addresses(api, sent(api, inbox))[0].rpartition("/")
    for method in ("get", "post"):
        answer = click(f"{start}/{change(token)}", method)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
    assert suppressed == []


def test_a_mail_to_the_address_is_enough_too(acme: World, api: Api, inbox: Inbox, suppressed: Any) -> None:
    _, address, _ = addresses(api, sent(api, inbox))
    mailbox, _, subject = address.removeprefix("mailto:").partition("?subject=")
    assert mailbox == "news+unsubscribe@dev.agentpost.localhost"
    from environments.ids import decode
    from mail.intake import Recipient
    from mail.services.receive import receive
    from tests.world import arrival

    def come(to: str, said: str) -> None:
        recipient = Recipient(to, decode("env", inbox.environment_id), decode("inb", inbox.pk))
        receive([arrival(acme.mail(subject=said), recipient)])

    come(inbox.email, subject)
    come(mailbox, "Please!")
    come(mailbox, token_for(acme.inbox(acme.production, username="other"), "bob@example.com"))
    assert suppressed == []
    come(mailbox, subject[:60] + " " + subject[60:])
    assert suppressed == [(acme.development.pk, "bob@example.com", "unsubscribed")]


@pytest.mark.parametrize(
    "body",
    [
        {"to": ["a@example.com", "b@example.com"]},
        {"to": [], "cc": ["a@example.com"]},
        {"bcc": ["b@example.com"]},
        {"list_unsubscribe": "<https://evil.example>"},
        {"list_unsubscribe": False, "headers": {"List-Unsubscribe": "<https://evil.example>"}},
        {"headers": {"List-Unsubscribe-Post": "x"}},
    ],
)
def test_a_link_is_for_one_recipient_and_made_here(api: Api, inbox: Inbox, body: dict[str, Any]) -> None:
    assert sent(api, inbox, **body).status_code == 422


def test_other_headers_of_lists_are_the_callers(api: Api, inbox: Inbox) -> None:
    headers = {"List-Id": "News <news.acme.example>", "List-Help": "<https://acme.example/help>"}
    _, _, mail = addresses(api, sent(api, inbox, headers=headers))
    assert {name: mail[name] for name in headers} == headers


def test_without_being_asked_for_there_is_no_link(api: Api, inbox: Inbox) -> None:
    answer = sent(api, inbox, list_unsubscribe=False)
    assert b"unsubscribe" not in api.get(f"/messages/{answer.json()['id']}/raw").content.lower()
