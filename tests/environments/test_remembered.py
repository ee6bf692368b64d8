"""Queries whose SQL is made once."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.models import Environment
from environments.remembered import Remembered, forget_all
from mail.models import MessageLabel
from tests.world import World


def inboxes_of(environment_id: str, ids: list[str]) -> QuerySet[Any]:
    from inboxes.models import Inbox

    return Inbox.objects.in_environment(Environment(pk=environment_id)).filter(pk__in=ids).order_by("pk")


def test_it_finds_what_the_query_finds_whatever_it_was_asked_first(acme: World) -> None:
    inboxes = [acme.inbox() for _ in range(3)]
    asked = Remembered(inboxes_of, "env", ["inb"])
    with inside(acme.development):
        for some in ([inboxes[0]], [inboxes[1]], inboxes[:2], inboxes[1:]):
            ids = [one.pk for one in some]
            expected = list(inboxes_of(acme.development.pk, ids))
            found = asked(acme.development.pk, ids)
            assert [vars(one) | {"_state": None} for one in found] == [vars(one) | {"_state": None} for one in expected]


def test_it_stands_where_each_call_says(acme: World) -> None:
    ours, theirs = acme.inbox(acme.development), acme.inbox(acme.production)
    asked = Remembered(inboxes_of, "env", ["inb"])
    for environment, inbox in ((acme.development, ours), (acme.production, theirs)):
        with inside(environment):
            assert [one.pk for one in asked(environment.pk, [ours.pk, theirs.pk])] == [inbox.pk]


def test_the_second_wall_holds_where_the_first_is_asked_for_another_environment(acme: World) -> None:
    theirs = acme.inbox(acme.production)
    asked = Remembered(inboxes_of, "env", ["inb"])
    with inside(acme.production):
        assert asked(acme.production.pk, [theirs.pk])
    with inside(acme.development):
        assert asked(acme.production.pk, [theirs.pk]) == []


def test_its_sql_is_made_once_for_each_power_of_two_of_ids(acme: World) -> None:
    made: list[int] = []

    def build(environment_id: str, ids: list[str]) -> QuerySet[Any]:
        made.append(len(ids))
        return inboxes_of(environment_id, ids)

    inboxes = [acme.inbox().pk for _ in range(9)]
    asked = Remembered(build, "env", ["inb"])
    with inside(acme.development):
        for number in (*range(1, 10), *range(1, 10)):
            assert [one.pk for one in asked(acme.development.pk, inboxes[:number])] == sorted(inboxes[:number])
    assert made == [1, 2, 4, 8, 16]
    forget_all()
    with inside(acme.development):
        assert asked(acme.development.pk, inboxes[:1]) == asked(acme.development.pk, inboxes[:1])
    assert made == [1, 2, 4, 8, 16, 1]


def test_among_no_ids_there_is_nothing_and_nothing_is_asked(acme: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert Remembered(inboxes_of, "env", ["inb"])(acme.development.pk, []) == []
    assert len(queries) == 0


def test_it_returns_tuples_where_values_are_asked_for(acme: World) -> None:
    inbox = acme.inbox()
    asked: Remembered[Any] = Remembered(
        lambda environment_id, ids: inboxes_of(environment_id, ids).values_list("pk", "email"), "env", ["inb"]
    )
    with inside(acme.development):
        assert [tuple(row) for row in asked(acme.development.pk, [inbox.pk])] == [(inbox.pk, inbox.email)]


def test_what_cannot_be_an_id_is_refused_before_it_is_asked(acme: World) -> None:
    with pytest.raises(ValueError, match="no id"):
        Remembered(inboxes_of, "env", ["inb"])(acme.development.pk, ["no id"])


def test_a_query_that_forgets_a_value_is_refused(acme: World) -> None:
    def forgetful(environment_id: str, _: str) -> QuerySet[Any]:
        return MessageLabel.objects.in_environment(Environment(pk=environment_id))

    with pytest.raises(ImproperlyConfigured):
        Remembered(forgetful, "env", str)(acme.development.pk, "a label")
