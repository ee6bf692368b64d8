"""Mail that is made to arrive: judged as any other, with chosen verdicts, and an answer to what was captured."""

import base64
from typing import Any

import pytest
from django.http import HttpResponse

from environments.callers import SYSTEM
from environments.services.environments import update_environment
from inboxes.models import Inbox
from mail.models import Attachment, Message, Step
from tests.world import Api, World, error_of
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="support")


def simulate(api: Api, inbox: Inbox, **given: Any) -> HttpResponse:
    return api.post(f"/inboxes/{inbox.pk}/simulate", {"from": "Bob@example.com", **given})


def test_it_arrives_as_if_from_outside(acme: World, api: Api, inbox: Inbox) -> None:
    file = {"filename": "a.csv", "content": base64.b64encode(b"1,2").decode(), "content_type": "text/csv"}
    given = {"subject": "Hello", "text_body": "Are you there?", "attachments": [file], "headers": {"X-Case": "7"}}
    answer = simulate(api, inbox, **{"from": {"email": "bob@example.com", "name": "Bob"}}, **given)
    message = answer.json()
    assert answer.status_code == 201
    assert (message["direction"], message["status"], message["subject"]) == ("inbound", "received", "Hello")
    assert (message["from_address"], message["extracted_text"]) == (
        {"email": "bob@example.com", "name": "Bob"}, "Are you there?",
    )  # fmt: skip
    assert message["to_addresses"][0]["email"] == inbox.email
    assert message["headers"]["x-case"] == ["7"]
    assert [row.filename for row in acme.rows(Attachment)] == ["a.csv"]
    assert [event.type for event in acme.rows(Event)] == ["inbox.created", "message.received"]


@pytest.mark.parametrize(
    ("given", "email", "name"),
    [
        ("ann@x.example", "ann@x.example", ""),
        ("<ann@x.example>", "ann@x.example", ""),
        ("Ann <ann@x.example>", "ann@x.example", "Ann"),
        ('"Größe, Ann" <ann@x.example>', "ann@x.example", "Größe, Ann"),
        ({"email": "ann@x.example", "name": "Ann <x>"}, "ann@x.example", "Ann <x>"),
    ],
)
def test_the_sender_may_be_written_as_in_a_mail(api: Api, inbox: Inbox, given: Any, email: str, name: str) -> None:
    assert simulate(api, inbox, **{"from": given}).json()["from_address"] == {"email": email, "name": name}


def test_it_is_marked_as_what_it_is(acme: World, api: Api, inbox: Inbox) -> None:
    assert simulate(api, inbox).json()["headers"]["x-agentpost-simulated"] == ["yes"]
    [step] = acme.rows(Step)
    assert (step.reason, "simulated by key" in step.explanation) == ("simulated", True)


@pytest.mark.parametrize(
    ("chosen", "policy", "status", "aligned"),
    [
        ({}, "quarantine", "received", True),
        ({"dmarc": "fail"}, "quarantine", "quarantined", False),
        ({"dmarc": "fail"}, "accept", "received", False),
        ({"spf": "softfail", "dkim": "none", "dmarc": "none"}, "reject", "received", False),
    ],
)
def test_the_chosen_verdicts_are_judged_by_the_policy(
    acme: World, api: Api, inbox: Inbox, chosen: dict[str, str], policy: str, status: str, aligned: bool
) -> None:
    update_environment(acme.development, {"authentication_policy": policy}, actor=SYSTEM)
    message = simulate(api, inbox, authentication=chosen).json()
    assert (message["status"], message["authentication"]["aligned"]) == (status, aligned)
    assert {name: message["authentication"][name] for name in chosen} == chosen


def test_what_the_policy_refuses_is_refused_in_the_words_of_smtp(acme: World, api: Api, inbox: Inbox) -> None:
    update_environment(acme.development, {"authentication_policy": "reject"}, actor=SYSTEM)
    answer = simulate(api, inbox, authentication={"dmarc": "fail"})
    assert (answer.status_code, error_of(answer)["code"]) == (422, "simulated_mail_refused")
    assert "550 5.7.26" in error_of(answer)["message"]
    assert acme.rows(Message) == []


def captured(api: Api, inbox: Inbox) -> dict[str, Any]:
    answer = api.post(
        f"/inboxes/{inbox.pk}/messages", {"to": {"email": "ann@example.com", "name": "Ann"}, "subject": "Offer"}
    )
    return answer.json()


def test_captured_mail_can_be_answered(acme: World, api: Api, inbox: Inbox) -> None:
    offer = captured(api, inbox)
    given = {"in_reply_to_message_id": offer["id"], "text_body": "Yes, please."}
    answer = api.post(f"/inboxes/{inbox.pk}/simulate", given).json()
    assert (answer["thread_id"], answer["in_reply_to"]) == (offer["thread_id"], offer["message_id_header"])
    assert (answer["from_address"]["email"], answer["subject"]) == ("ann@example.com", "Re: Offer")
    assert answer["to_addresses"][0]["email"].startswith(f"{inbox.username}+")


def test_only_what_this_inbox_sent_can_be_answered(acme: World, api: Api, inbox: Inbox) -> None:
    received = simulate(api, inbox).json()["id"]
    elsewhere = captured(api, acme.inbox(username="other"))["id"]
    foreign = captured(api, acme.inbox(acme.production, username="other"))["id"]
    for identifier in (received, elsewhere, foreign, "msg_00000000000000000000000000", "nonsense"):
        answer = simulate(api, inbox, in_reply_to_message_id=identifier)
        assert error_of(answer)["details"] == [
            {"field": "in_reply_to_message_id", "message": "This inbox sent no such message."}
        ]


def test_nothing_is_simulated_in_a_live_environment(acme: World, inbox: Inbox) -> None:
    acme.go_live(acme.development)
    answer = simulate(acme.api(), inbox)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "environment_is_live")


def test_a_pause_holds_for_simulated_mail_too(acme: World, api: Api, inbox: Inbox) -> None:
    update_environment(acme.development, {"inbound_paused": True}, actor=SYSTEM)
    answer = simulate(api, inbox)
    assert (answer.status_code, error_of(answer)["code"]) == (503, "inbound_paused")


@pytest.mark.parametrize(
    "given",
    [
        {"from": None},
        {"from": "nobody"},
        {"from": "Nobody <>"},
        {"from": "a@example.com, B <b@example.com>"},
        {"from": "A\r\nBcc: c@example.com <b@example.com>"},
        {"from": "A <a%b@example.com>"},
        {"from": "A" * 500 + " <a@example.com>"},
        {"from": ["a@example.com"]},
        {"headers": {"Received": "from nowhere"}},
        {"headers": {"X-AgentPost-Simulated": "no"}},
        {"headers": {"X-A": "b\r\nBcc: everybody@example.com"}},
        {"subject": "a\nb"},
        {"authentication": {"dmarc": "perhaps"}},
        {"authentication": {"arc": "pass"}},
        {"authentication": "pass"},
        {"in_reply_to_message_id": 7},
        {"colour": "red"},
    ],
)
def test_what_is_no_mail_is_refused(api: Api, inbox: Inbox, given: dict[str, Any]) -> None:
    assert simulate(api, inbox, **given).status_code == 422


def test_it_needs_the_right_to_write_messages(acme: World, inbox: Inbox) -> None:
    assert simulate(acme.api("messages:send", "messages:read"), inbox).status_code == 403
