"""Quarantine: what is kept aside is listed when asked for, explained, and comes back whole when it is released."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from inboxes.services.filter_rules import create_rule
from mail.authentication import Authentication, Verdict
from mail.intake import Arrival, Refused
from mail.models import Message, Thread
from mail.services import quarantine
from mail.services.examine import examine_offline
from mail.services.receive import receive
from tests.mail.conftest import Home, arrival, mail
from tests.world import World
from webhooks.models import Event

pytestmark = pytest.mark.django_db

FAILS = Authentication(dmarc=Verdict("fail", "neither SPF nor DKIM vouches for example.com", "example.com"))


def spoofed(raw: bytes, *recipients: Any) -> Arrival:
    """Return a mail that fails DMARC."""
    given = arrival(raw, *recipients)
    return replace(given, examination=replace(examine_offline(given), authentication=FAILS))


def policy(home: Home, **fields: str) -> None:
    Environment.everywhere.filter(pk=home.environment.pk).update(**fields)


def rows(home: Home, model: Any = Message) -> list[Any]:
    with inside(home.environment):
        return list(model.objects.in_environment(home.environment).order_by("pk"))


def events(home: Home) -> list[str]:
    return [row.type for row in rows(home, Event) if row.type.startswith("message.")]


def test_a_mail_that_fails_dmarc_is_kept_aside_and_told_of_as_such(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    assert receive([spoofed(mail(), ours.recipient())]) == [None]
    [message], [thread] = rows(ours), rows(ours, Thread)
    assert (message.status, thread.message_count) == ("quarantined", 0)
    assert [why["code"] for why in message.quarantine_reasons] == ["authentication_failed"]
    assert events(ours) == ["message.quarantined"]


def test_a_mail_in_quarantine_stays_out_of_the_conversation_that_it_claims_to_answer(
    homes: tuple[Home, Home],
) -> None:
    ours, _ = homes
    receive([arrival(mail(), ours.recipient())])
    receive([spoofed(mail(message_id="<2@example.com>", In_Reply_To="<1@example.com>"), ours.recipient())])
    receive([arrival(mail(message_id="<3@example.com>", In_Reply_To="<2@example.com>"), ours.recipient())])
    first, aside, third = rows(ours)
    assert len({first.thread_id, aside.thread_id, third.thread_id}) == 3
    assert [thread.message_count for thread in rows(ours, Thread)] == [1, 0, 1]


@pytest.fixture
def released(homes: tuple[Home, Home]) -> Iterator[Message]:
    """Return a spoofed reply, let through after another answer to the same mail had come."""
    ours, _ = homes
    receive([arrival(mail(), ours.recipient())])
    receive([spoofed(mail("Re: Hello", "<2@example.com>", In_Reply_To="<1@example.com>"), ours.recipient())])
    receive([arrival(mail("Re: Hello", "<3@example.com>", In_Reply_To="<1@example.com>"), ours.recipient())])
    with inside(ours.environment):
        message = Message.objects.in_environment(ours.environment).get(status="quarantined")
        quarantine.release(ours.environment, message, actor=SYSTEM)
        yield message


def test_a_released_mail_joins_its_conversation_in_its_own_place(homes: tuple[Home, Home], released: Message) -> None:
    ours, _ = homes
    [thread] = rows(ours, Thread)
    latest = rows(ours)[-1]
    assert {row.thread_id for row in rows(ours)} == {thread.pk}
    assert (thread.message_count, thread.last_message_at) == (3, latest.created_at)


def test_a_released_mail_is_told_of_as_if_it_had_just_come(homes: tuple[Home, Home], released: Message) -> None:
    ours, _ = homes
    assert events(ours)[-1] == "message.received"
    assert rows(ours, Event)[-1].data["message_id"] == released.pk
    assert [why["code"] for why in released.quarantine_reasons] == ["authentication_failed"]


def test_a_message_that_is_out_stays_as_it_is(homes: tuple[Home, Home], released: Message) -> None:
    ours, _ = homes
    told = events(ours)
    with inside(ours.environment):
        quarantine.release(ours.environment, released, actor=SYSTEM)
    assert events(ours) == told


def test_deleting_a_message_in_quarantine_takes_its_thread_along(acme: World) -> None:
    inbox = acme.inbox()
    receive([spoofed(mail(), Home(acme.development, inbox).recipient())])
    client = acme.api(environments=[acme.development])
    [message] = client.items("/messages?status=quarantined")
    assert client.delete(f"/messages/{message['id']}").status_code == 204
    assert client.get(f"/threads/{message['thread_id']}").status_code == 404


def test_an_environment_that_rejects_answers_at_smtp_time_and_keeps_nothing(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    policy(ours, authentication_policy="reject")
    [outcome] = receive([spoofed(mail(), ours.recipient())])
    assert isinstance(outcome, Refused)
    assert outcome.reply.startswith("550 5.7.26 ")
    assert rows(ours) == []


def test_a_mail_that_only_one_of_two_environments_refuses_lies_in_quarantine_there(homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    policy(ours, authentication_policy="reject")
    policy(theirs, authentication_policy="accept")
    assert receive([spoofed(mail(), ours.recipient(), theirs.recipient())]) == [None]
    assert [row.status for row in rows(ours)] == ["quarantined"]
    assert [row.status for row in rows(theirs)] == ["received"]


def test_a_mail_that_both_refuse_is_refused(homes: tuple[Home, Home]) -> None:
    for home in homes:
        policy(home, authentication_policy="reject")
    [outcome] = receive([spoofed(mail(), *(home.recipient() for home in homes))])
    assert isinstance(outcome, Refused)
    assert [rows(home) for home in homes] == [[], []]


def test_a_batch_refuses_only_whom_it_must(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    with inside(ours.environment):
        create_rule(
            ours.environment,
            actor=SYSTEM,
            direction="receive",
            action="block",
            match_type="address",
            value="bob@example.com",
        )
    carol = mail(message_id="<2@example.com>").replace(b"bob@", b"carol@")
    outcomes = receive([arrival(mail(), ours.recipient()), arrival(carol, ours.recipient())])
    assert [type(outcome) for outcome in outcomes] == [Refused, type(None)]
    assert [row.from_email for row in rows(ours)] == ["carol@example.com"]


def test_a_batch_with_every_outcome_costs_the_same_queries_as_one_mail(homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    counts = []
    for number in (1, 12):
        mails = [mail(message_id=f"<{number}-{n}@example.com>") for n in range(number)]
        batch = [make(raw, ours.recipient()) for raw in mails for make in (arrival, spoofed)]
        with CaptureQueriesContext(connection) as queries:
            receive(batch)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_lists_leave_quarantine_out_until_it_is_asked_for(acme: World) -> None:
    inbox = acme.inbox()
    receive([spoofed(mail(), Home(acme.development, inbox).recipient())])
    client = acme.api(environments=[acme.development])
    for path in ("/messages", f"/inboxes/{inbox.pk}/messages"):
        assert client.items(path) == []
        assert [one["status"] for one in client.items(f"{path}?status=quarantined")] == ["quarantined"]
    assert client.items("/threads") == []


def test_a_release_over_the_api_may_be_asked_for_again(acme: World) -> None:
    inbox = acme.inbox()
    receive([spoofed(mail(), Home(acme.development, inbox).recipient())])
    client = acme.api(environments=[acme.development])
    [message] = client.items("/messages?status=quarantined")
    answers = [client.post(f"/messages/{message['id']}/release") for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "received")] * 2
    assert [one["id"] for one in client.items("/messages")] == [message["id"]]
