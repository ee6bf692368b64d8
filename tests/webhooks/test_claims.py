"""Which deliveries a claim takes, asked of PostgreSQL itself."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from environments import clock
from environments.gates import ask
from environments.ids import encode
from environments.models import Environment
from tests.webhooks.conftest import Tenant
from webhooks.delivery.claims import LEASE

HOOK = "https://acme.example/hook"
DAY = timedelta(days=1)


def shares(how_many: int) -> Counter[str]:
    """Claim, and return how much each environment got."""
    return Counter(encode("env", environment) for environment, _ in ask("claim_due_deliveries", how_many, LEASE))


def backlog(tenant: Tenant, how_many: int, since: datetime | None = None) -> Tenant:
    tenant.endpoint(HOOK)
    tenant.publish(how_many)
    tenant.change_deliveries(next_attempt_at=since or clock.now() - timedelta(seconds=1))
    return tenant


def pause(tenant: Tenant, *, is_paused: bool = True) -> None:
    tenant.environment.webhooks_paused = is_paused
    tenant.environment.save()


def seconds_to_next() -> float | None:
    [(seconds,)] = ask("seconds_to_next_delivery")
    return seconds


@pytest.mark.parametrize(
    ("acmes", "globexes", "how_many", "expected"),
    [
        (50, 3, 10, (7, 3)),
        (50, 50, 10, (5, 5)),
        (50, 50, 1, (1, 0)),
        (50, 0, 20, (20, 0)),
        (4, 3, 100, (4, 3)),
    ],
)
def test_an_old_backlog_of_one_environment_takes_no_others_share(
    acme: Tenant, globex: Tenant, acmes: int, globexes: int, how_many: int, expected: tuple[int, int]
) -> None:
    backlog(acme, acmes, since=clock.now() - DAY)
    backlog(globex, globexes)
    got = shares(how_many)
    assert (got[acme.environment.pk], got[globex.environment.pk]) == expected


def test_everybody_gets_something_where_there_are_more_environments_than_turns(
    tenant_named: Callable[[str], Tenant],
) -> None:
    tenants = [backlog(tenant_named(f"tenant-{number}"), 5) for number in range(12)]
    assert sorted(shares(12).values()) == [1] * len(tenants)


def siblings(tenant: Tenant, how_many: int) -> list[Tenant]:
    """Return more environments of the tenant's organization."""
    house, names = tenant.environment.organization, [f"e{number}" for number in range(how_many)]
    environments = [Environment(organization=house, name=name, slug=name) for name in names]
    for environment in environments:
        environment.save(force_insert=True)
    return [Tenant(environment) for environment in environments]


@pytest.mark.parametrize("environments", [7, 40])
def test_an_organization_of_many_environments_takes_no_others_share(
    acme: Tenant, globex: Tenant, environments: int
) -> None:
    for sibling in siblings(acme, environments):
        backlog(sibling, 3, since=clock.now() - DAY)
    backlog(globex, 10)
    assert shares(10)[globex.environment.pk] == 5


def test_an_old_backlog_of_one_environment_takes_no_share_of_others_of_its_organization(
    acme: Tenant, globex: Tenant
) -> None:
    [sibling] = siblings(acme, 1)
    backlog(acme, 20, since=clock.now() - DAY)
    backlog(sibling, 20)
    backlog(globex, 20)
    got = shares(8)
    assert [got[tenant.environment.pk] for tenant in (acme, sibling, globex)] == [2, 2, 4]


def test_an_environment_gets_what_has_been_due_longest(acme: Tenant) -> None:
    backlog(acme, 5)
    old = acme.publish()[0].pk
    due = {delivery.event_id: delivery for delivery in acme.deliveries()}[old]
    acme.change_delivery(due, next_attempt_at=clock.now() - DAY)
    [(_, claimed)] = ask("claim_due_deliveries", 1, LEASE)
    assert encode("whd", claimed) == due.pk


def test_nothing_is_claimed_before_it_is_due(acme: Tenant) -> None:
    backlog(acme, 5, since=clock.now() + DAY)
    assert not shares(10)


def test_who_claims_at_the_same_moment_gets_the_next_ones(acme: Tenant, globex: Tenant) -> None:
    backlog(acme, 8)
    backlog(globex, 8)
    with transaction.atomic():
        first = set(ask("claim_due_deliveries", 8, LEASE))
        second = set(beside("SELECT * FROM claim_due_deliveries(8, interval '1 minute')"))
    assert (len(first), len(second)) == (8, 8)
    assert not first & second


def beside(query: str) -> list[tuple[object, ...]]:
    """Ask on another connection, while the transaction of this one is open."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        other.close()


def test_a_paused_environment_keeps_its_own_and_holds_up_no_other(acme: Tenant, globex: Tenant) -> None:
    backlog(acme, 20, since=clock.now() - DAY)
    backlog(globex, 3)
    pause(acme)
    assert shares(10) == {globex.environment.pk: 3}
    pause(acme, is_paused=False)
    assert shares(10) == {acme.environment.pk: 10}


def test_a_paused_environment_wakes_nobody(acme: Tenant, globex: Tenant) -> None:
    backlog(acme, 1, since=clock.now() - DAY)
    backlog(globex, 1, since=clock.now() + DAY)
    assert (seconds_to_next() or 0) < 0
    pause(acme)
    assert (seconds_to_next() or 0) > 0
    pause(globex)
    assert seconds_to_next() is None


@pytest.mark.parametrize("lease", [36500 * DAY, None])
def test_no_lease_is_longer_than_five_minutes(acme: Tenant, lease: timedelta | None) -> None:
    backlog(acme, 1)
    ask("claim_due_deliveries", 1, lease)
    due = acme.delivery().next_attempt_at
    assert due is not None
    assert clock.now() < due <= clock.now() + timedelta(minutes=5)


@pytest.mark.parametrize("how_many", [2_000_000_000, None])
def test_no_claim_takes_more_than_a_thousand(acme: Tenant, how_many: int | None) -> None:
    backlog(acme, 1001)
    assert len(ask("claim_due_deliveries", how_many, LEASE)) == 1000
