"""Idempotency keys: a request that is sent again is answered again, and not carried out again."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.http import HttpResponse

from apikeys.idempotency import _lock
from environments import clock
from environments.binding import inside
from inboxes.models import Inbox
from mail.models import Message
from tests.world import Api, World, build, error_of


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox()


def once(api: Api, inbox: Inbox, key: str, **body: Any) -> HttpResponse:
    mail = {"to": "bob@example.com", "subject": "Hi", **body}
    return api.post(f"/inboxes/{inbox.pk}/messages", mail, **{"Idempotency-Key": key})


def test_the_same_request_again_gets_the_first_answer_again(acme: World, api: Api, inbox: Inbox) -> None:
    first, again = once(api, inbox, "a"), once(api, inbox, "a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert len(acme.rows(Message)) == 1


def test_an_idempotency_key_holds_for_every_key_of_the_environment(acme: World, inbox: Inbox) -> None:
    first = once(acme.api(), inbox, "a")
    again = once(acme.api("messages:send", environments=[acme.development]), inbox, "a")
    assert again.json()["id"] == first.json()["id"]


def test_an_idempotency_key_means_nothing_in_another_environment(acme: World, api: Api, inbox: Inbox) -> None:
    other = acme.inbox(acme.production)
    assert once(api, inbox, "a").json()["id"] != once(api, other, "a").json()["id"]


def test_a_key_used_for_something_else_is_a_mismatch(acme: World, api: Api, inbox: Inbox) -> None:
    once(api, inbox, "a")
    other = acme.inbox()
    for answer in (once(api, inbox, "a", subject="Ho"), once(api, other, "a")):
        assert (answer.status_code, error_of(answer)["code"]) == (409, "idempotency_mismatch")
    assert len(acme.rows(Message)) == 1


def test_a_refused_request_does_not_use_its_key_up(acme: World, api: Api, inbox: Inbox) -> None:
    assert once(api, inbox, "a", to=[]).status_code == 422
    rule = {"direction": "send", "action": "block", "match_type": "domain", "value": "example.com"}
    made = api.post("/filter-rules", {**rule, "inbox_id": inbox.pk, "environment_id": acme.development.pk}).json()
    assert once(api, inbox, "a").status_code == 422
    api.delete(f"/filter-rules/{made['id']}")
    assert once(api, inbox, "a").status_code == 201


def test_a_key_is_forgotten_after_a_day(acme: World, api: Api, inbox: Inbox) -> None:
    first = once(api, inbox, "a")
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=59)):
        assert once(api, inbox, "a").json()["id"] == first.json()["id"]
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1)):
        assert once(api, inbox, "a", subject="Ho").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_what_is_no_idempotency_key_is_refused(api: Api, inbox: Inbox, key: str) -> None:
    answer = once(api, inbox, key)
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "Idempotency-Key")


def test_of_two_requests_at_once_one_sends(transactional_db: None) -> None:
    acme = build("acme")
    inbox, api = acme.inbox(), acme.api()
    answers: list[HttpResponse] = []

    def call() -> None:
        answers.append(once(api, inbox, "a"))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {error_of(answer)["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(acme.rows(Message)) == 1


def test_while_the_first_request_is_carried_out_the_second_is_told_so(transactional_db: None) -> None:
    acme = build("acme")
    inbox, api = acme.inbox(), acme.api()
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with inside(acme.development):
            _lock(acme.development, "a")
            taken.set()
            done.wait(10)
            transaction.set_rollback(True)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    answer = once(api, inbox, "a")
    done.set()
    holder.join()
    assert (answer.status_code, error_of(answer)["code"]) == (409, "idempotency_in_progress")
    assert once(api, inbox, "a").status_code == 201
