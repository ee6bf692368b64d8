"""The runaway brake: nearly the same to one recipient too often pauses the inbox, and says so."""

from typing import Any

import pytest
from django.http import HttpResponse

from environments.binding import inside
from environments.services.environments import update_environment
from inboxes.models import Inbox
from inboxes.services.inboxes import update_inbox
from mail.models import Message
from tests.world import PERSON, Api, World, build, error_of
from webhooks.models import Event


@pytest.fixture
def inbox(acme: World) -> Inbox:
    update_environment(acme.development, {"repetition_limit": 3}, actor=PERSON)
    return acme.inbox()


def sent(api: Api, inbox: Inbox, number: int, query: str = "", **fields: Any) -> HttpResponse:
    body = {"to": "bob@example.com", "subject": f"Re: ticket {number}", "text_body": f"I am on {number}.", **fields}
    return api.post(f"/inboxes/{inbox.pk}/messages{query}", body)


def statuses(api: Api, inbox: Inbox, times: int, **fields: Any) -> list[int]:
    return [sent(api, inbox, number, **fields).status_code for number in range(times)]


def test_a_runaway_is_refused_and_its_inbox_paused_for_good(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    assert statuses(api, inbox, 3) == [201, 201, 201]
    answer = sent(api, inbox, 4)
    assert (answer.status_code, error_of(answer)["code"]) == (429, "runaway_sending")
    assert int(answer["Retry-After"]) > 0
    assert len(acme.rows(Message)) == 3
    shown = api.get(f"/inboxes/{inbox.pk}").json()
    assert (shown["send_paused"], shown["pause_reason"]["code"], shown["pause_reason"]["by"]) == (
        True, "runaway_sending", "system",
    )  # fmt: skip
    assert shown["pause_reason"]["figures"] == {"recipient": "bob@example.com", "mails": 4, "limit": 3}


def test_an_event_and_the_record_tell_of_the_brake_once(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    statuses(api, inbox, 6)
    [event] = [event for event in acme.rows(Event) if event.type == "environment.paused"]
    assert (event.inbox_id, event.data["scope"], event.data["pause"]) == (inbox.pk, "inbox", "outbound")
    assert event.data["reason"]["figures"]["limit"] == 3
    [entry] = [row for row in api.items("/audit?action=inbox.braked") if row["target_id"] == inbox.pk]
    assert (entry["actor"]["kind"], entry["after"]["send_paused"]) == ("system", True)


def test_only_a_person_lifts_the_brake(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    statuses(api, inbox, 4)
    refused = api.patch(f"/inboxes/{inbox.pk}", {"send_paused": False})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "person_required")
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"send_paused": False}, actor=PERSON)
    shown = api.get(f"/inboxes/{inbox.pk}").json()
    assert (shown["send_paused"], shown["pause_reason"]) == (False, None)
    assert "environment.resumed" in {event.type for event in acme.rows(Event)}


def test_other_words_other_recipients_and_other_inboxes_are_no_runaway(acme: World, inbox: Inbox) -> None:
    api, words = acme.api(), ["The roof leaks again.", "Lunch was lovely!", "Please sign the lease.", "Call Mallory."]
    assert [sent(api, inbox, 0, subject="", text_body=text).status_code for text in words] == [201] * 4
    assert [sent(api, inbox, 0, to=f"{name}@example.com").status_code for name in "abcd"] == [201] * 4
    assert statuses(api, acme.inbox(), 3) == [201] * 3


def test_every_recipient_counts(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    hidden = {"to": "ann@example.com", "bcc": ["BOB@example.com"]}
    assert statuses(api, inbox, 3, **hidden) == [201] * 3
    assert sent(api, inbox, 1).status_code == 429


def test_without_a_limit_nothing_is_a_runaway(acme: World, inbox: Inbox) -> None:
    update_environment(acme.development, {"repetition_limit": None}, actor=PERSON)
    assert statuses(acme.api(), inbox, 5) == [201] * 5


def test_a_dry_run_tells_of_it_and_pauses_nothing(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    assert statuses(api, inbox, 3) == [201] * 3
    assert error_of(sent(api, inbox, 4, "?dry_run=true"))["code"] == "runaway_sending"
    assert api.get(f"/inboxes/{inbox.pk}").json()["send_paused"] is False


def test_the_refusal_is_rolled_back_and_the_pause_is_not(transactional_db: None, object_store: Any) -> None:
    acme = build("acme")
    update_environment(acme.development, {"repetition_limit": 1, "hourly_sending_quota": 9}, actor=PERSON)
    inbox, api = acme.inbox(), acme.api()
    assert statuses(api, inbox, 2) == [201, 429]
    with inside(acme.development):
        assert Inbox.objects.in_environment(acme.development).get(pk=inbox.pk).send_paused
    assert len(acme.rows(Message)) == 1
