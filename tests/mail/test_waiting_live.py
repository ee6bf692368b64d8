"""Waiting as an agent does it: over a real socket to a real web process, for mail that comes while the call is open."""

import smtplib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apikeys.services import NewKey, revoke_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from inboxes.models import Inbox
from mail.models import Message
from mail.services import quarantine
from mail.waiting import MOST_OF_INBOX
from tests.mail.smtpd import Front, running_smtpd
from tests.mail.web import Call, running_web
from tests.world import World, build

pytestmark = pytest.mark.usefixtures("transactional_db", "object_store")
CODE = "Your verification code is 482913. Or follow https://app.example/verify?token=9a8b7c"
A_MOMENT = 5  # seconds, on a machine that does much else: less than until a wait looks by itself


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running_web(tmp_path_factory.mktemp("web")) as port:
        yield port


@pytest.fixture(scope="module")
def smtpd(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_smtpd(tmp_path_factory.mktemp("smtpd")) as front:
        yield front


@pytest.fixture
def acme(port: int, transactional_db: None) -> World:
    return build("acme")


@pytest.fixture
def globex(transactional_db: None) -> World:
    return build("globex")


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="signup")


@pytest.fixture
def key(acme: World) -> NewKey:
    return acme.new_key(["messages:read"])


@pytest.fixture
def wait(port: int, key: NewKey) -> Callable[..., Call]:
    """Begin to wait."""

    def begin(inbox: Inbox | str, *, secret: str = key.secret, prefix: str = "", **query: str | int) -> Call:
        identifier = inbox if isinstance(inbox, str) else inbox.pk
        return Call(port, f"{prefix}/inboxes/{identifier}/messages/wait", secret, **query)

    return begin


def until_open(count: int) -> None:
    """Give so many waits the time to look for the first time."""
    time.sleep(0.5 + count / 100)


def test_mail_by_smtp_ends_the_wait_with_its_code_and_link(
    acme: World, inbox: Inbox, wait: Callable[..., Call], smtpd: Front
) -> None:
    call = wait(inbox, timeout=30)
    until_open(1)
    with smtplib.SMTP("127.0.0.1", smtpd.port, timeout=20) as client:
        client.sendmail("bob@example.com", [inbox.email], acme.mail("Verify your e-mail", CODE))
    sent = time.monotonic()
    status, answer = call.answer()
    assert (status, answer["one_time_codes"], answer["timed_out"]) == (200, ["482913"], False)
    assert [link["kind"] for link in answer["links"]] == ["verification"]
    assert answer["message"]["text_body"].strip() == CODE
    assert time.monotonic() - sent < A_MOMENT


def test_a_wait_that_begins_after_the_mail_finds_it_by_the_time_noted_before(
    acme: World, inbox: Inbox, wait: Callable[..., Call]
) -> None:
    noted = clock.written(clock.now())
    acme.deliver(inbox, acme.mail("Hello", CODE))
    found = wait(inbox, timeout=10, since=noted)
    late = wait(inbox, timeout=1)
    assert found.answer()[1]["one_time_codes"] == ["482913"]
    assert found.took < A_MOMENT
    assert late.answer()[1]["timed_out"]


def test_the_time_is_over_when_it_was_said(inbox: Inbox, wait: Callable[..., Call]) -> None:
    calls = [wait(inbox, timeout=seconds) for seconds in (0, 1, 2)]
    answers = [call.answer() for call in calls]
    assert [(status, answer["timed_out"]) for status, answer in answers] == [(200, True)] * 3
    for seconds, call in enumerate(calls):
        assert seconds <= call.took < seconds + A_MOMENT


def test_what_does_not_match_leaves_the_wait_open(acme: World, inbox: Inbox, wait: Callable[..., Call]) -> None:
    call = wait(inbox, timeout=20, subject="verify")
    until_open(1)
    acme.deliver(inbox, *(acme.mail(f"News {number}") for number in range(5)))
    time.sleep(1)
    acme.deliver(inbox, acme.mail("Please verify"))
    assert call.answer()[1]["message"]["subject"] == "Please verify"
    assert call.took > 1


def test_everybody_who_waits_is_told(acme: World, inbox: Inbox, wait: Callable[..., Call]) -> None:
    calls = [wait(inbox, timeout=20, prefix=prefix) for prefix in ("", f"/environments/{acme.development.pk}") * 10]
    until_open(20)
    [identifier] = acme.deliver(inbox)
    assert {call.answer()[1]["message"]["id"] for call in calls} == {identifier}


def test_a_mail_next_door_ends_nobody_elses_wait(
    acme: World, globex: World, inbox: Inbox, wait: Callable[..., Call]
) -> None:
    theirs, other = globex.inbox(username="theirs"), acme.inbox(username="other")
    call = wait(inbox, timeout=3)
    until_open(1)
    for _ in range(10):
        globex.deliver(theirs)
        acme.deliver(other)
    assert call.answer()[1]["timed_out"]
    assert call.took >= 3


def test_refusals_come_at_once_and_as_they_are(
    acme: World, globex: World, inbox: Inbox, wait: Callable[..., Call]
) -> None:
    weak = acme.new_key(["inboxes:read"]).secret
    calls = {
        401: wait(inbox, secret="ap_sk_dev_nonsense"),
        403: wait(inbox, secret=weak),
        404: wait(globex.inbox(username="theirs")),
        422: wait(inbox, timeout=500),
    }
    for status, call in calls.items():
        assert call.answer()[0] == status
        assert call.took < A_MOMENT


def test_a_revoked_key_ends_its_wait(acme: World, inbox: Inbox, wait: Callable[..., Call], key: NewKey) -> None:
    call = wait(inbox, timeout=60)
    until_open(1)
    revoke_key(key.key, actor=SYSTEM)
    acme.deliver(inbox, acme.mail("Secret", CODE))
    status, answer = call.answer()
    assert (status, answer["error"]["code"]) == (401, "unauthenticated")


def test_mail_let_out_of_quarantine_has_come(acme: World, inbox: Inbox, wait: Callable[..., Call]) -> None:
    noted = clock.written(clock.now() - timedelta(minutes=1))
    acme.deliver(inbox)
    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
    call = wait(inbox, timeout=20, since=noted)
    until_open(1)
    with inside(acme.development):
        [held] = Message.objects.in_environment(acme.development)
        quarantine.release(acme.development, held, actor=SYSTEM)
    assert call.answer()[1]["message"]["id"] == held.pk
    assert call.took < 8


def test_three_hundred_wait_in_one_process_and_hold_no_connection_to_the_database(
    acme: World, globex: World, wait: Callable[..., Call]
) -> None:
    places = [
        (world.inbox(username=f"agent-{number}"), world.new_key(["messages:read"]).secret)
        for world in (acme, globex)
        for number in range(6)
    ]
    calls = {inbox.pk: opened(wait, MOST_OF_INBOX, inbox, secret=secret, timeout=100) for inbox, secret in places}
    assert connections_to_the_database() < 25
    began = time.monotonic()
    for number, (inbox, _) in enumerate(places):
        [wanted] = (acme, globex)[number // 6].deliver(inbox, acme.mail("First"))
        assert {call.answer()[1]["message"]["id"] for call in calls[inbox.pk]} == {wanted}
        if number == 0:
            assert time.monotonic() - began < 10  # less than until that many look by themselves


def opened(wait: Callable[..., Call], count: int, inbox: Inbox, **query: str | int) -> list[Call]:
    """Return so many waits, each of which has looked."""
    calls = [wait(inbox, **query) for _ in range(count)]
    until_open(count)
    return calls


def connections_to_the_database() -> int:
    database = connection.settings_dict["NAME"]
    with psycopg.connect(settings.EMBEDDED_POSTGRES.url("agentpost_owner", "postgres")) as owner:
        found = owner.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database]).fetchone()
    assert found
    return int(found[0])


def test_an_inbox_has_only_so_many_waits_and_one_that_goes_makes_room(inbox: Inbox, wait: Callable[..., Call]) -> None:
    calls = opened(wait, MOST_OF_INBOX, inbox, timeout=100)
    refused = wait(inbox, timeout=100)
    status, answer = refused.answer()
    assert (status, answer["error"]["code"], refused.headers["Retry-After"]) == (429, "rate_limited", "5")
    for call in calls:
        call.leave()
    time.sleep(1)
    [again] = [wait(inbox, timeout=1)]
    assert again.answer()[0] == 200


def test_a_process_that_stops_answers_its_waits(acme: World, inbox: Inbox, key: NewKey, tmp_path: Path) -> None:
    with running_web(tmp_path) as port:
        call = Call(port, f"/inboxes/{inbox.pk}/messages/wait", key.secret, timeout=100)
        until_open(1)
    assert call.answer()[1]["timed_out"]
    assert call.took < 10
