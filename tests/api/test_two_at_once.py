"""Two who do the same at once: the second waits for the first, and decides on what is there then."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from apikeys.authentication import key_of
from apikeys.models import ApiKey
from apikeys.services import NewKey, revoke_key, rotate_key
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import Conflict, Forbidden, NotFound, Refusal
from environments.models import AuditEntry, Environment, EnvironmentMembership, EnvironmentOwned, Member
from environments.services.members import (
    add_member,
    change_environment_role,
    change_role,
    memberships,
    remove_from_environment,
    remove_member,
)
from inboxes.models import AddressHold, Domain, Inbox
from inboxes.services.domains import remove_domain, trust
from mail.models import Message, Thread
from mail.services.deletion import delete_inbox, delete_message, delete_thread
from tests.api.routes import furnish
from tests.world import World, build
from webhooks.models import Event, WebhookEndpoint
from webhooks.services.endpoints import delete_endpoint, enable, rotate_secret, update_endpoint

Outcome = Any
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def acme(transactional_db: None) -> World:
    return build("acme")


@pytest.fixture
def ids(acme: World) -> dict[str, str]:
    return furnish(acme, acme.development)


def one_after_the_other(first: Callable[[], Outcome], second: Callable[[], Outcome]) -> Outcome:
    """Carry out ``first``, start ``second`` before that is committed, and return what became of ``second``."""
    outcomes: list[Outcome] = []

    def carry_out() -> None:
        try:
            outcomes.append(second())
        except Exception as problem:  # noqa: BLE001 - it is the outcome
            outcomes.append(problem)
        finally:
            connection.close()

    rival = threading.Thread(target=carry_out)
    with transaction.atomic():
        first()
        rival.start()
        wait_until_it_waits(rival)
    rival.join(30)
    return outcomes[0]


def wait_until_it_waits(rival: threading.Thread) -> None:
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else the first answer stands until the transaction ends
            cursor.execute(WAITING)
            if cursor.fetchone() or not rival.is_alive():
                return
        time.sleep(0.01)


def done_to(acme: World, model: type[EnvironmentOwned], identifier: str, verb: Any) -> Callable[[], Outcome]:
    """Return a call that reads a row of the environment and then does something to it."""

    def carry_out() -> Outcome:
        with inside(acme.development):
            return verb(acme.development, model.objects.in_environment(acme.development).get(pk=identifier))

    return carry_out


def drop_inbox(environment: Environment, inbox: Inbox) -> None:
    delete_inbox(environment, inbox, actor=SYSTEM)


def drop_domain(environment: Environment, domain: Domain) -> None:
    remove_domain(domain, environment, actor=SYSTEM)


def drop_endpoint(environment: Environment, endpoint: WebhookEndpoint) -> None:
    delete_endpoint(endpoint, environment, actor=SYSTEM)


DELETIONS: dict[str, tuple[type[EnvironmentOwned], Any]] = {
    "inbox": (Inbox, drop_inbox),
    "domain": (Domain, drop_domain),
    "endpoint": (WebhookEndpoint, drop_endpoint),
    "message": (Message, delete_message),
    "thread": (Thread, delete_thread),
}


def on_record(acme: World) -> dict[str, int]:
    """Return how much was written of what happened."""
    return {
        "holds": AddressHold.objects.count(),
        "entries": AuditEntry.objects.in_organization(acme.organization).count(),
        "events": len(acme.rows(Event)),
    }


@pytest.mark.parametrize("name", DELETIONS)
def test_what_has_just_gone_is_not_found_and_not_deleted_again(acme: World, ids: dict[str, str], name: str) -> None:
    model, verb = DELETIONS[name]
    after_first: dict[str, int] = {}
    delete = done_to(acme, model, ids[name], verb)

    def first() -> None:
        delete()
        after_first.update(on_record(acme))

    assert isinstance(one_after_the_other(first, delete), NotFound)
    assert on_record(acme) == after_first


def vouch(environment: Environment, domain: Domain) -> None:
    trust(domain, environment, actor=SYSTEM)


def rename(environment: Environment, endpoint: WebhookEndpoint) -> None:
    update_endpoint(endpoint, environment, {"description": "Ours"}, actor=SYSTEM)


def wake(environment: Environment, endpoint: WebhookEndpoint) -> None:
    enable(endpoint, environment, actor=SYSTEM)


@pytest.mark.parametrize(("name", "change"), [("domain", vouch), ("endpoint", rename), ("endpoint", wake)])
def test_what_has_just_gone_is_not_found_and_not_changed(
    acme: World, ids: dict[str, str], name: str, change: Any
) -> None:
    model, delete = DELETIONS[name]
    outcome = one_after_the_other(done_to(acme, model, ids[name], delete), done_to(acme, model, ids[name], change))
    assert isinstance(outcome, Refusal)
    assert outcome.status == 404


def again(acme: World, key: ApiKey) -> ApiKey:
    return ApiKey.objects.in_organization(acme.organization).get(pk=key.pk)


def test_the_secrets_of_two_rotations_of_a_key_both_work(acme: World) -> None:
    key = acme.new_key().key
    told: list[NewKey] = []

    def rotate() -> None:
        told.append(rotate_key(again(acme, key), actor=SYSTEM))

    one_after_the_other(rotate, rotate)
    assert [key_of(made.secret).pk for made in told] == [key.pk, key.pk]


def test_a_key_that_has_just_been_revoked_is_not_rotated(acme: World) -> None:
    key = acme.new_key().key

    def revoke() -> None:
        revoke_key(again(acme, key), actor=SYSTEM)

    outcome = one_after_the_other(revoke, lambda: rotate_key(again(acme, key), actor=SYSTEM))
    assert isinstance(outcome, Conflict)


def test_the_secrets_of_two_rotations_of_an_endpoint_both_sign(acme: World, ids: dict[str, str]) -> None:
    told: list[str] = []

    def rotate(environment: Environment, endpoint: WebhookEndpoint) -> None:
        told.append(rotate_secret(endpoint, environment, actor=SYSTEM).secret)

    rotation = done_to(acme, WebhookEndpoint, ids["endpoint"], rotate)
    one_after_the_other(rotation, rotation)
    [endpoint] = acme.rows(WebhookEndpoint)
    assert [endpoint.previous_secret, endpoint.secret] == told


def people(acme: World) -> dict[str, str]:
    rows = Member.objects.in_organization(acme.organization).select_related("user")
    return {row.user.email.partition("@")[0]: row.role for row in rows}


def person(acme: World, name: str) -> Member:
    return Member.objects.in_organization(acme.organization).get(user__email=f"{name}@acme.example")


def becomes(acme: World, name: str, role: str) -> Callable[[], Outcome]:
    """Return a call by which the first owner gives a member a role."""
    actor = Actor("member", acme.owner.pk)
    return lambda: change_role(person(acme, name), role, actor=actor)


def leaves(acme: World, name: str) -> Callable[[], Outcome]:
    return lambda: remove_member(person(acme, name), actor=SYSTEM)


@pytest.fixture
def team(acme: World) -> World:
    for name in ("anna", "bert"):
        add_member(acme.organization, f"{name}@acme.example", "admin", actor=SYSTEM)
    return acme


AFTER_A_TRANSFER = {"owner": "admin", "anna": "owner", "bert": "admin"}
CHANGES_OF_PEOPLE: dict[str, tuple[Any, Any, type[Refusal] | type[Member], dict[str, str]]] = {
    "the new owner is demoted": (("anna", "owner"), ("anna", "member"), Forbidden, AFTER_A_TRANSFER),
    "the new owner is removed": (("anna", "owner"), ("anna",), Forbidden, AFTER_A_TRANSFER),
    "ownership is given twice": (("anna", "owner"), ("bert", "owner"), Forbidden, AFTER_A_TRANSFER),
    "the old owner is demoted": (
        ("anna", "owner"),
        ("owner", "member"),
        Member,
        AFTER_A_TRANSFER | {"owner": "member"},
    ),
    "the heir has gone": (("anna",), ("anna", "owner"), NotFound, {"owner": "owner", "bert": "admin"}),
    "the same goes twice": (("anna",), ("anna",), NotFound, {"owner": "owner", "bert": "admin"}),
}


@pytest.mark.parametrize(("first", "second", "outcome", "left"), CHANGES_OF_PEOPLE.values(), ids=CHANGES_OF_PEOPLE)
def test_an_organization_has_one_owner_whoever_changes_its_people_at_once(
    team: World, first: Any, second: Any, outcome: type, left: dict[str, str]
) -> None:
    calls = [becomes(team, *what) if len(what) > 1 else leaves(team, *what) for what in (first, second)]
    assert isinstance(one_after_the_other(*calls), outcome)
    assert people(team) == left


def promote(place: EnvironmentMembership) -> None:
    change_environment_role(place, "admin", actor=SYSTEM)


def expel(place: EnvironmentMembership) -> None:
    remove_from_environment(place, actor=SYSTEM)


@pytest.mark.parametrize("second", [promote, expel])
def test_a_place_in_an_environment_that_has_just_gone_is_not_found(
    acme: World, ids: dict[str, str], second: Callable[[EnvironmentMembership], None]
) -> None:
    def place() -> EnvironmentMembership:
        return memberships(acme.development).get(member=ids["member"])

    assert isinstance(one_after_the_other(lambda: expel(place()), lambda: second(place())), NotFound)
