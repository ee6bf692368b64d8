"""The view behind a wait: what counts as the next mail, what is returned with it, and that it looks only at home."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from environments import clock
from environments.asking import AGAIN
from environments.binding import inside
from environments.ids import new_id
from inboxes.models import Inbox
from mail.models import Message
from mail.services.waiting import WAIT, Wait
from tests.world import Api, World, build, error_of

pytestmark = pytest.mark.usefixtures("object_store")
HOUR = timedelta(hours=1)
CODE = "Your verification code is 482913. Or follow https://app.example/verify?token=9a8b7c"


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="signup")


def wait(api: Api, inbox: Inbox | str, **query: str) -> Any:
    identifier = inbox if isinstance(inbox, str) else inbox.pk
    given = "&".join(f"{name}={value}" for name, value in {"timeout": "0", **query}.items())
    return api.get(f"/inboxes/{identifier}/messages/wait?{given}")


def ago(distance: timedelta = HOUR) -> str:
    return (clock.now() - distance).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_came_is_returned_with_its_codes_and_links(acme: World, api: Api, inbox: Inbox) -> None:
    [identifier] = acme.deliver(inbox, acme.mail("Welcome", CODE))
    answer = wait(api, inbox, since=ago()).json()
    assert answer["message"] == api.get(f"/messages/{identifier}").json() | {
        "text_for_model": answer["message"]["text_for_model"]  # between markers that are drawn anew
    }
    assert answer["message"]["text_body"].startswith("Your verification code")
    assert answer["one_time_codes"] == ["482913"]
    assert answer["links"] == [{"url": "https://app.example/verify?token=9a8b7c", "text": "", "kind": "verification"}]
    assert answer["timed_out"] is False


def test_nothing_is_an_answer_and_no_error(api: Api, inbox: Inbox) -> None:
    answer = wait(api, inbox)
    assert (answer.status_code, answer.json() | {"now": ""}) == (
        200,
        {"message": None, "one_time_codes": [], "links": [], "timed_out": True, "now": ""},
    )


def test_the_servers_moment_in_one_answer_is_since_when_the_next_one_waits(acme: World, api: Api, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail("Before"))
    time.sleep(0.01)
    noted = wait(api, inbox).json()["now"]
    acme.deliver(inbox, acme.mail("After"))
    found = wait(api, inbox, since=noted).json()
    assert found["message"]["subject"] == "After"
    assert found["now"] > noted


@pytest.mark.parametrize("given", ["Service <bob@example.com>", '"S. R." <BOB@example.com>', "<bob@example.com>"])
def test_of_a_name_with_an_address_the_address_is_meant(acme: World, api: Api, inbox: Inbox, given: str) -> None:
    acme.deliver(inbox)
    assert wait(api, inbox, since=ago(), **{"from": quote(given)}).json()["message"]


def test_without_an_event_loop_the_longest_wait_is_one_look(api: Api, inbox: Inbox) -> None:
    began = clock.now()
    assert wait(api, inbox, timeout="120").json()["timed_out"]
    assert clock.now() - began < timedelta(seconds=10)


def test_mail_that_was_there_before_the_call_is_not_waited_for(acme: World, api: Api, inbox: Inbox) -> None:
    acme.deliver(inbox)
    assert wait(api, inbox).json()["timed_out"]
    assert wait(api, inbox, since=(clock.now() + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")).json()["timed_out"]
    assert wait(api, inbox, since=ago()).json()["message"]["subject"] == "Hello"


def test_the_oldest_comes_first_and_the_next_one_after_its_id(acme: World, api: Api, inbox: Inbox) -> None:
    ids = acme.deliver(inbox, *(acme.mail(f"Mail {number}") for number in range(3)))
    seen = [wait(api, inbox, since=ago()).json()["message"]["id"]]
    while (found := wait(api, inbox, after=seen[-1]).json()["message"]) is not None:
        seen.append(found["id"])
    assert seen == ids


def test_both_bounds_hold_at_once(acme: World, api: Api, inbox: Inbox) -> None:
    [first, second] = acme.deliver(inbox, acme.mail("One"), acme.mail("Two"))
    assert wait(api, inbox, since=ago(), after=first).json()["message"]["id"] == second
    assert wait(api, inbox, since=ago(-HOUR), after=first).json()["timed_out"]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ({"from": "bob@example.com"}, "Order"),
        ({"from": "BOB@Example.com"}, "Order"),
        ({"from": "nobody@example.com"}, None),
        ({"subject": "confirm"}, "Please CONFIRM"),
        ({"subject": "confirm", "from": "eve@example.com"}, "Please CONFIRM"),
        ({"subject": "confirm", "from": "bob@example.com"}, None),
    ],
)
def test_filters_mean_what_they_mean_in_the_list(
    acme: World, api: Api, inbox: Inbox, query: dict[str, str], subjects: str | None
) -> None:
    acme.deliver(inbox, acme.mail("Order"), acme.mail("Please CONFIRM", **{"from": "Eve <eve@example.com>"}))
    found = wait(api, inbox, since=ago(), **query).json()["message"]
    listed = api.items(f"/inboxes/{inbox.pk}/messages?" + "&".join(f"{name}={value}" for name, value in query.items()))
    assert (found and found["subject"]) == subjects
    assert [one["id"] for one in listed] == ([found["id"]] if found else [])


def test_what_is_in_quarantine_or_went_out_is_not_waited_for(acme: World, api: Api, inbox: Inbox) -> None:
    acme.deliver(inbox)
    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
    api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com"})
    assert wait(api, inbox, since=ago()).json()["timed_out"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"timeout": "121"}, "timeout"),
        ({"timeout": "-1"}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"since": "yesterday"}, "since"),
        ({"after": "evt_01J00000000000000000000000"}, "after"),
        ({"after": "1"}, "after"),
        ({"from": "Service"}, "from"),
        ({"from": "a@example.com,b@example.com"}, "from"),
    ],
)
def test_what_cannot_be_meant_is_refused(api: Api, inbox: Inbox, query: dict[str, str], field: str) -> None:
    answer = wait(api, inbox, **query)
    assert (answer.status_code, [one["field"] for one in error_of(answer)["details"]]) == (422, [field])


def test_another_inbox_is_another_wait(acme: World, api: Api, inbox: Inbox) -> None:
    acme.deliver(acme.inbox(username="other"))
    assert wait(api, inbox, since=ago()).json()["timed_out"]


def test_a_foreign_inbox_answers_like_none(acme: World, globex: World, api: Api) -> None:
    theirs = globex.inbox(username="theirs")
    globex.deliver(theirs)
    foreign, missing = wait(api, theirs, since=ago()), wait(api, new_id("inb"), since=ago())
    assert foreign.status_code == missing.status_code == 404
    assert error_of(foreign) | {"request_id": ""} == error_of(missing) | {"request_id": ""}


def test_a_foreign_message_id_after_which_to_look_is_just_a_moment(
    acme: World, globex: World, api: Api, inbox: Inbox
) -> None:
    [theirs] = globex.deliver(globex.inbox(username="theirs"))
    assert wait(api, inbox, after=theirs).json()["timed_out"]
    [ours] = acme.deliver(inbox)
    assert wait(api, inbox, after=theirs).json()["message"]["id"] == ours


def test_it_costs_as_many_queries_however_much_mail_there_is(acme: World, api: Api, inbox: Inbox) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            wait(api, inbox, since=ago())
        return len(captured)

    acme.deliver(inbox)
    queries()  # of which the first notes the use of the key
    few = queries()
    acme.deliver(inbox, *(acme.mail() for _ in range(20)))
    assert queries() == few


@pytest.mark.usefixtures("transactional_db")
def test_the_look_up_is_a_scan_of_the_newest_in_the_inbox() -> None:
    acme = build("acme")
    api, inbox = acme.api(), acme.inbox(username="signup")
    acme.deliver(acme.inbox(username="other"), *(acme.mail() for _ in range(300)))
    acme.deliver(inbox, *(acme.mail() for _ in range(10)))
    with connections["owner"].cursor() as owner:
        owner.execute("ANALYZE mail_message")  # or it plans by what other tests have left in the statistics
    with CaptureQueriesContext(connection) as captured:
        wait(api, inbox, since=ago())
    [sql] = [one["sql"] for one in captured if 'FROM "mail_message"' in one["sql"] and "LIMIT 1" in one["sql"]]
    with inside(acme.development), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "messages_listed_by_inbox" in plan
    assert "Sort" not in plan


def test_a_second_look_counts_for_nothing_and_does_not_go_back_to_the_beginning(acme: World, inbox: Inbox) -> None:
    client, secret = Client(), acme.new_key().secret
    state = Wait(called_at=datetime(2026, 1, 1, tzinfo=UTC))

    def look(**extras: Any) -> Any:
        path = f"/api/v1/inboxes/{inbox.pk}/messages/wait"
        return client.get(path, headers={"Authorization": f"Bearer {secret}"}, **{WAIT: state, **extras})

    with override_settings(AGENTPOST_REQUESTS_PER_MINUTE=1):
        assert look().status_code == 200
        assert [look(**{AGAIN: True}).status_code for _ in range(3)] == [200, 200, 200]
        assert look().status_code == 429
    assert state.looked_at
    assert state.is_unmet
    state.looked_at = clock.now() + HOUR
    acme.deliver(inbox)
    assert look(**{AGAIN: True}).json()["timed_out"]  # as it lies far before the last look


def test_codes_come_with_one_message_when_they_are_asked_for(acme: World, api: Api, inbox: Inbox) -> None:
    [identifier] = acme.deliver(inbox, acme.mail("Welcome", CODE))
    assert "one_time_codes" not in api.get(f"/messages/{identifier}").json()
    told = api.get(f"/messages/{identifier}?include=codes").json()
    assert (told["one_time_codes"], [link["kind"] for link in told["links"]]) == (["482913"], ["verification"])
    assert api.get(f"/messages/{identifier}?include=everything").status_code == 422
