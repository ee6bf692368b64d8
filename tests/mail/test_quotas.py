"""How many mails may leave: quotas of environment, inbox and key, and of the domains that mail goes to."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse

from apikeys.tasks import forget_key_windows
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import Refusal
from environments.models import Environment
from environments.services.environments import update_environment
from inboxes.models import Inbox
from inboxes.services.inboxes import update_inbox
from mail.models import Message, RecipientHour, SendingWindow
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.send import send
from mail.tasks import forget_sending_windows
from tests.world import PERSON, Api, World, build, error_of
from webhooks.models import Event

HALF_PAST_TEN = datetime(2026, 3, 8, 10, 30, tzinfo=UTC)


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox()


def limit(acme: World, **limits: int | None) -> None:
    update_environment(acme.development, {"repetition_limit": None, **limits}, actor=PERSON)


def limit_inbox(acme: World, inbox: Inbox, **limits: int | None) -> None:
    with inside(acme.development):
        update_inbox(inbox, acme.development, limits, actor=PERSON)


def sent(api: Api, inbox: Inbox, to: Any = "bob@example.com", query: str = "") -> HttpResponse:
    return api.post(f"/inboxes/{inbox.pk}/messages{query}", {"to": to, "subject": "Hello", "text_body": "Hello"})


def statuses(api: Api, inbox: Inbox, times: int) -> list[int]:
    return [sent(api, inbox).status_code for _ in range(times)]


def told(acme: World, event_type: str) -> list[dict[str, Any]]:
    return [event.data for event in acme.rows(Event) if event.type == event_type]


@pytest.mark.parametrize(("name", "seconds"), [("hourly_sending_quota", 1800), ("daily_sending_quota", 48_600)])
def test_what_a_quota_has_no_room_for_is_refused_until_its_window_ends(
    acme: World, inbox: Inbox, name: str, seconds: int
) -> None:
    limit(acme, **{name: 2})
    with time_machine.travel(HALF_PAST_TEN, tick=False):
        api = acme.api()
        assert statuses(api, inbox, 2) == [201, 201]
        answer = sent(api, inbox)
    assert (answer.status_code, error_of(answer)["code"], answer["Retry-After"]) == (
        429, "quota_exceeded", str(seconds),
    )  # fmt: skip
    assert [detail["field"] for detail in error_of(answer)["details"]] == [name]
    assert len(acme.rows(Message)) == 2


def test_the_next_hour_has_room_again(acme: World, inbox: Inbox) -> None:
    limit(acme, hourly_sending_quota=1)
    with time_machine.travel(HALF_PAST_TEN) as moment:
        assert statuses(acme.api(), inbox, 2) == [201, 429]
        moment.shift(1800)
        assert statuses(acme.api(), inbox, 2) == [201, 429]


def test_an_inbox_has_a_quota_of_its_own(acme: World, inbox: Inbox) -> None:
    limit(acme)
    limit_inbox(acme, inbox, hourly_sending_quota=1)
    api = acme.api()
    assert statuses(api, inbox, 2) == [201, 429]
    assert "The inbox sends at most 1 mails in an hour" in error_of(sent(api, inbox))["message"]
    assert sent(api, acme.inbox()).status_code == 201


def test_the_quota_of_a_key_counts_in_all_environments_that_it_reaches(acme: World, inbox: Inbox) -> None:
    limit(acme)
    elsewhere, limited = acme.inbox(acme.production), acme.api(daily_sending_quota=2)
    assert [sent(limited, one).status_code for one in (inbox, elsewhere, inbox, elsewhere)] == [201, 201, 429, 429]
    assert (
        "An API key with the keys that it made sends at most 2 mails in a day"
        in error_of(sent(limited, inbox))["message"]
    )
    assert sent(acme.api(), inbox).status_code == 201


def made_by(api: Api, **fields: Any) -> Api:
    answer = api.post("/api-keys", {"name": "child", "scopes": ["messages:send", "api_keys:write"], **fields})
    assert answer.status_code == 201, answer.content
    return Api(answer.json()["key"])


def test_a_key_does_not_pass_its_quota_by_making_keys(acme: World, inbox: Inbox) -> None:
    limit(acme)
    maker = acme.api(hourly_sending_quota=3)
    child = made_by(maker)
    family = [maker, child, made_by(child), made_by(maker), made_by(child)]
    assert [sent(api, inbox).status_code for api in family] == [201, 201, 201, 429, 429]
    assert sent(maker, inbox, query="?dry_run=true").status_code == 429
    assert sent(acme.api(), inbox).status_code == 201


def test_a_smaller_quota_of_a_child_leaves_its_maker_the_rest(acme: World, inbox: Inbox) -> None:
    limit(acme)
    maker = acme.api(hourly_sending_quota=3)
    child = made_by(maker, hourly_sending_quota=1)
    assert [sent(api, inbox).status_code for api in (child, child, maker, maker, maker)] == [201, 429, 201, 201, 429]


def test_the_makers_of_a_key_cost_no_query_more(acme: World, inbox: Inbox) -> None:
    limit(acme)
    maker = acme.api(hourly_sending_quota=9)
    child = made_by(made_by(maker))
    queries_of(maker, inbox, 1), queries_of(child, inbox, 1)
    assert queries_of(maker, inbox, 1) == queries_of(child, inbox, 1)


def test_a_mail_counts_once_whoever_it_goes_to(acme: World, inbox: Inbox) -> None:
    limit(acme, hourly_sending_quota=1)
    assert sent(acme.api(), inbox, ["a@example.com", "b@example.com", "c@example.net"]).status_code == 201


def test_a_mail_that_is_refused_is_not_counted(acme: World, inbox: Inbox) -> None:
    limit(acme, hourly_sending_quota=5)
    limit_inbox(acme, inbox, daily_sending_quota=1)
    assert statuses(acme.api(), inbox, 3) == [201, 429, 429]
    assert {window.count for window in acme.rows(SendingWindow)} == {1}


def test_what_was_sent_before_a_quota_was_set_counts_too(acme: World, inbox: Inbox) -> None:
    limit(acme)
    assert statuses(acme.api(), inbox, 2) == [201, 201]
    limit(acme, daily_sending_quota=3)
    assert statuses(acme.api(), inbox, 2) == [201, 429]


def test_a_quota_of_nothing_lets_nothing_out(acme: World, inbox: Inbox) -> None:
    limit(acme, daily_sending_quota=0)
    assert statuses(acme.api(), inbox, 1) == [429]
    assert acme.rows(SendingWindow) == []


def test_a_domain_gets_so_many_mails_in_an_hour_and_others_do_not_suffer(acme: World, inbox: Inbox) -> None:
    limit(acme, recipient_domain_hourly_limit=1)
    api = acme.api()
    assert sent(api, inbox, ["a@Example.com", "b@example.com"]).status_code == 201
    answer = sent(api, inbox, ["c@example.com", "d@example.net"])
    assert (answer.status_code, error_of(answer)["code"]) == (429, "recipient_domain_limit")
    assert "example.com" in error_of(answer)["message"]
    assert sent(api, inbox, "d@example.net").status_code == 201


def test_a_dry_run_tells_of_a_quota_and_counts_nothing(acme: World, inbox: Inbox) -> None:
    limit(acme, hourly_sending_quota=1)
    api = acme.api(daily_sending_quota=5)
    assert [sent(api, inbox, query="?dry_run=true").status_code for _ in range(3)] == [200, 200, 200]
    assert acme.rows(SendingWindow) == []
    assert sent(api, inbox).status_code == 201
    assert error_of(sent(api, inbox, query="?dry_run=true"))["code"] == "quota_exceeded"


def test_quota_reached_is_told_once_at_the_warning_and_once_at_the_end(acme: World, inbox: Inbox) -> None:
    limit(acme, hourly_sending_quota=5, quota_warning_percent=60)
    assert statuses(acme.api(), inbox, 6) == [201] * 5 + [429]
    events = told(acme, "quota.reached")
    assert [(one["used"], one["limit"], one["percent"]) for one in events] == [(3, 5, 60), (5, 5, 100)]
    assert (events[0]["quota"], events[0]["scope"], events[0]["subject_id"], events[0]["window"]["period"]) == (
        "hourly_sending_quota", "environment", acme.development.pk, "hour",
    )  # fmt: skip


def test_quota_reached_tells_of_a_key_and_of_an_inbox(acme: World, inbox: Inbox) -> None:
    limit(acme)
    limit_inbox(acme, inbox, daily_sending_quota=1)
    sent(acme.api(hourly_sending_quota=1), inbox)
    assert {one["scope"] for one in told(acme, "quota.reached")} == {"inbox", "api_key"}


def test_without_a_quota_nothing_is_counted(acme: World, inbox: Inbox) -> None:
    limit(acme)
    assert statuses(acme.api(), inbox, 2) == [201, 201]
    assert acme.rows(SendingWindow) == acme.rows(RecipientHour) == []


def test_as_many_queries_are_made_for_many_recipients_as_for_one(acme: World, inbox: Inbox) -> None:
    update_environment(acme.development, {"recipient_domain_hourly_limit": 50}, actor=PERSON)
    api = acme.api()
    _, few, many = (queries_of(api, inbox, count) for count in (1, 1, 40))
    assert few == many


def queries_of(api: Api, inbox: Inbox, recipients: int) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert sent(api, inbox, [f"a@{number}.example" for number in range(recipients)]).status_code == 201
    return len(queries)


def test_counts_of_past_days_are_forgotten(acme: World, inbox: Inbox) -> None:
    update_environment(acme.development, {"daily_sending_quota": 5}, actor=PERSON)
    api = acme.api(daily_sending_quota=5)
    assert sent(api, inbox).status_code == 201
    with time_machine.travel(clock.now() + timedelta(days=1)):
        assert (forget_sending_windows(0), forget_key_windows(0)) == (0, 0)
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert (forget_sending_windows(0), forget_key_windows(0)) == (2, 1)


THREADS, QUOTA, TRIES = 8, 25, 6


@pytest.fixture
def crowd(transactional_db: None) -> World:
    return build("acme")


@pytest.mark.parametrize("whose", ["environment", "inbox", "key"])
def test_parallel_senders_never_exceed_a_quota_by_one(crowd: World, object_store: Any, whose: str) -> None:
    quotas = {"hourly_sending_quota": QUOTA, "daily_sending_quota": QUOTA + 5}
    limit(crowd, **(quotas if whose == "environment" else {}))
    inbox, key = crowd.inbox(), crowd.new_key(**(quotas if whose == "key" else {})).key
    limit_inbox(crowd, inbox, **(quotas if whose == "inbox" else {}))
    outcomes: list[str] = []
    senders = [
        threading.Thread(target=keep_sending, args=(crowd, inbox, Actor("key", key.pk), outcomes, TRIES))
        for _ in range(THREADS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(120)
    assert (outcomes.count("sent"), outcomes.count("quota_exceeded")) == (QUOTA, THREADS * TRIES - QUOTA)
    assert len(crowd.rows(Message)) == QUOTA


def keep_sending(crowd: World, inbox: Inbox, actor: Actor, outcomes: list[str], times: int) -> None:
    try:
        outcomes += [outcome_of(crowd, inbox, actor, f"{number}@{number}.example") for number in range(times)]
    finally:
        connection.close()


def outcome_of(crowd: World, inbox: Inbox, actor: Actor, to: str) -> str:
    environment = Environment.objects.in_organization(crowd.organization).get(slug="development")
    try:
        with inside(environment):
            inbox = Inbox.objects.in_environment(environment).get(pk=inbox.pk)
            send(environment, inbox, Outgoing(to=[Address(to, "")], text_body="Hello"), actor=actor)
    except Refusal as refusal:
        return refusal.code
    return "sent"


def test_senders_to_many_domains_in_any_order_do_not_lock_one_another_out(crowd: World, object_store: Any) -> None:
    limit(crowd, recipient_domain_hourly_limit=500, repetition_limit=500)
    inbox, outcomes = crowd.inbox(), []
    orders = [range(20), range(19, -1, -1)] * 3

    def send_to(order: range) -> None:
        to = [Address(f"a@{number}.example", "") for number in order]
        try:
            for _ in range(5):
                environment = Environment.objects.in_organization(crowd.organization).get(slug="development")
                with inside(environment):
                    send(environment, inbox, Outgoing(to=to, text_body="Hello"), actor=SYSTEM)
                outcomes.append("sent")
        finally:
            connection.close()

    senders = [threading.Thread(target=send_to, args=(order,)) for order in orders]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert outcomes == ["sent"] * 30
