"""Whose turn it is, without a database or a network."""

import time
from collections.abc import Iterator
from itertools import islice

import pytest

from environments.models import Environment
from webhooks.delivery.claims import Claim
from webhooks.delivery.lines import (
    AT_ONCE,
    AT_ONCE_AFTER_FAILURE,
    LONGEST_LINE,
    MOST_WAITING,
    MOST_WAITING_OF_ENVIRONMENT,
    MOST_WAITING_OF_ORGANIZATION,
    RESERVED,
    SHARES,
    SHORT_LINE,
    SLOW,
    Lines,
)
from webhooks.models import WebhookDelivery, WebhookEndpoint

POSTS = 100
SHARE = POSTS // SHARES


def claims(
    name: str,
    how_many: int,
    *,
    failures: int = 0,
    age: float = 0.0,
    environment: str = "production",
    organization: str = "",
) -> list[Claim]:
    """Return claims to one endpoint, of an environment whose organization has no other unless one is named."""
    endpoint = WebhookEndpoint(pk=name, consecutive_failures=failures)
    where = Environment(pk=environment, organization_id=organization or environment)
    delivery = WebhookDelivery(endpoint=endpoint, environment=where)
    return [Claim(delivery, time.monotonic() - age) for _ in range(how_many)]


def crowd(environment: str, endpoints: int, how_many_each: int, organization: str = "") -> list[Claim]:
    names = [f"{environment} {number}" for number in range(endpoints)]
    where = {"environment": environment, "organization": organization}
    return [claim for name in names for claim in claims(name, how_many_each, **where)]


def join(lines: Lines, arriving: list[Claim]) -> list[float]:
    return [lines.join(claim) for claim in arriving]


def started(lines: Lines) -> Iterator[Claim]:
    while claim := lines.next():
        yield claim


def waiting(lines: Lines) -> int:
    return sum(len(line.waiting) for line in lines._lines())


def names(taken: list[Claim]) -> list[str]:
    return [claim.delivery.endpoint_id for claim in taken]


def test_endpoints_are_served_in_turn() -> None:
    lines = Lines(POSTS)
    join(lines, [*claims("a", 5), *claims("b", 2)])
    assert names(list(started(lines))) == ["a", "b", "a", "b", "a", "a", "a"]


def test_environments_are_served_in_turn_and_then_their_endpoints() -> None:
    lines = Lines(POSTS)
    join(lines, [*crowd("acme", 3, 2), *claims("g", 3, environment="globex")])
    taken = names(list(started(lines)))
    assert taken == ["acme 0", "g", "acme 1", "g", "acme 2", "g", "acme 0", "acme 1", "acme 2"]


@pytest.mark.parametrize(("posts", "share"), [(100, 20), (50, 10), (4, 1), (1, 1)])
def test_an_environment_gets_a_fifth_of_the_posts_however_many_endpoints_it_has(posts: int, share: int) -> None:
    lines = Lines(posts)
    join(lines, crowd("acme", 60, 2))
    assert len(list(started(lines))) == share


def test_the_end_of_a_post_makes_room_for_another_endpoint_of_the_environment() -> None:
    lines = Lines(POSTS)
    join(lines, crowd("acme", SHARE + 1, 1))
    under_way = list(started(lines))
    lines.leave(under_way[0], 30.0, is_healthy=False)
    assert names(list(started(lines))) == [f"acme {SHARE}"]


def test_an_environment_that_is_full_leaves_the_turns_to_others() -> None:
    lines = Lines(POSTS)
    join(lines, crowd("acme", 60, 2))
    assert len(list(started(lines))) == SHARE
    join(lines, claims("g", 3, environment="globex"))
    assert names(list(started(lines))) == ["g", "g", "g"]


def test_long_lines_leave_room_for_short_ones_of_their_environment() -> None:
    lines = Lines(POSTS)
    join(lines, [*claims("dead", 30), *claims("slow", 30)])
    assert len(list(started(lines))) == SHARE - SHARE // RESERVED
    join(lines, [*claims("a", 30), *claims("b", 30), *claims("c", 30)])
    assert sorted(names(list(started(lines)))) == ["a", "a", "b", "b", "c"]


def test_however_many_endpoints_fail_they_leave_room_for_the_living() -> None:
    lines = Lines(POSTS)
    join(lines, [claim for number in range(30) for claim in claims(f"dead {number}", 2, failures=1)])
    assert len(list(started(lines))) == SHARE - SHARE // RESERVED
    join(lines, claims("a", 2))
    assert names(list(started(lines))) == ["a", "a"]


def test_an_endpoint_that_turns_out_slow_makes_room_for_the_quick() -> None:
    lines = Lines(POSTS)
    join(lines, claims("slow", 2))
    one, _ = started(lines)
    lines.leave(one, 100 * SLOW, is_healthy=True)
    join(lines, claims("dead", 30))
    join(lines, claims("dead too", 30))
    assert len(list(started(lines))) == SHARE - SHARE // RESERVED - 1
    join(lines, [*claims("slow", 1), *claims("a", 1)])
    assert names(list(started(lines))) == ["a"]


def test_nobody_is_sent_away_for_longer_than_the_own_line_takes() -> None:
    lines = Lines(POSTS)
    join(lines, crowd("acme", 8, MOST_WAITING_OF_ENVIRONMENT // 8))
    for claim in list(started(lines)):
        lines.leave(claim, 30.0, is_healthy=False)
    join(lines, crowd("acme", 8, SHORT_LINE))
    quick = join(lines, claims("acme quick", SHORT_LINE + 1, environment="acme"))
    slow = join(lines, claims("acme 0", 1, environment="acme"))
    assert quick[:SHORT_LINE] == [0.0] * SHORT_LINE
    assert 0 < quick[-1] < 1 < slow[-1]


def test_who_finds_the_environment_full_comes_back_later_than_those_before() -> None:
    lines = Lines(POSTS)
    each = MOST_WAITING_OF_ENVIRONMENT // 8
    assert not any(join(lines, crowd("acme", 8, each)))
    late = join(lines, claims("acme 0", 3, environment="acme"))
    assert 0 < late[0] < late[1] < late[2]


def test_a_full_environment_turns_away_no_other_and_nobody_who_is_first_in_line() -> None:
    lines = Lines(POSTS)
    join(lines, crowd("acme", 8, MOST_WAITING_OF_ENVIRONMENT // 8))
    arriving = [*claims("acme new", 1, environment="acme"), *claims("g", 3, environment="globex")]
    assert join(lines, arriving) == [0.0] * 4


def of_one_house(environments: int, endpoints: int = 30, how_many_each: int = 2) -> list[Claim]:
    places = [f"acme {number}" for number in range(environments)]
    return [claim for place in places for claim in crowd(place, endpoints, how_many_each, organization="acme")]


@pytest.mark.parametrize(("posts", "share"), [(100, 40), (50, 20), (4, 1), (1, 1)])
def test_an_organization_gets_two_fifths_of_the_posts_however_many_environments_it_has(posts: int, share: int) -> None:
    lines = Lines(posts)
    join(lines, of_one_house(5))
    assert len(list(started(lines))) == share
    join(lines, claims("g", 1, environment="globex"))
    assert names(list(started(lines))) == ["g"]


def test_a_post_that_ends_gives_its_place_to_each_environment_of_a_full_house_in_turn() -> None:
    lines = Lines(POSTS)
    join(lines, of_one_house(5))
    under_way, taken = list(started(lines)), []
    for _ in range(10):
        lines.leave(under_way.pop(0), 30.0, is_healthy=False)
        [claim] = started(lines)
        taken.append(claim.delivery.environment_id)
        under_way.append(claim)
    assert taken == [f"acme {number}" for number in range(5)] * 2


def test_a_place_that_one_environment_cannot_use_goes_to_the_next_of_the_house() -> None:
    lines = Lines(POSTS)
    house = {"organization": "acme"}
    full = [claim for place in ("one", "two") for claim in crowd(place, SHARE, 1, **house)]
    too_late, in_time = (
        claims("a", 1, age=21.0, environment="three", **house),
        claims("b", 1, environment="four", **house),
    )
    join(lines, full)
    under_way = list(started(lines))
    join(lines, [*too_late, *in_time])
    assert lines.next() is None
    lines.leave(under_way[0], 0.1, is_healthy=True)
    assert names(list(started(lines))) == ["b"]


def test_an_organization_that_waits_everywhere_turns_no_other_away() -> None:
    lines = Lines(POSTS)
    waits = join(lines, of_one_house(5, how_many_each=MOST_WAITING_OF_ENVIRONMENT // 8))
    assert waits.count(0.0) == MOST_WAITING_OF_ORGANIZATION
    assert not any(join(lines, claims("g", LONGEST_LINE, environment="globex")))


def test_a_crowd_sends_only_those_away_who_have_more_than_a_fair_part_waiting() -> None:
    lines = Lines(POSTS)
    for organization in ("acme", "beta", "cyan"):
        for number in range(4):
            join(lines, crowd(f"{organization} {number}", 30, 10, organization=organization))
    assert waiting(lines) >= MOST_WAITING
    assert all(join(lines, claims("a", 1, environment="acme new", organization="acme")))
    assert not any(join(lines, claims("g", LONGEST_LINE, environment="globex")))


def test_no_organization_has_more_waiting_than_it_may_however_many_its_endpoints_are() -> None:
    lines = Lines(POSTS)
    join(lines, of_one_house(30, endpoints=50))
    assert waiting(lines) == MOST_WAITING_OF_ORGANIZATION


@pytest.mark.parametrize(("seconds", "soonest", "latest"), [(0.02, 0.5, 15.0), (30.0, 30.0, 60.5)])
def test_who_finds_the_house_full_comes_back_as_slowly_as_it_empties(
    seconds: float, soonest: float, latest: float
) -> None:
    lines = Lines(POSTS)
    join(lines, of_one_house(30, endpoints=50))
    for claim in list(started(lines)):
        lines.leave(claim, seconds, is_healthy=seconds < SLOW)
    join(lines, of_one_house(2, endpoints=20))
    waits = join(lines, of_one_house(30, endpoints=50))
    assert soonest < waits[0] <= waits[-1] <= latest
    assert not any(join(lines, claims("g", LONGEST_LINE, environment="globex")))


def test_those_who_wait_are_counted_rightly_whatever_becomes_of_them() -> None:
    lines = Lines(POSTS)
    join(lines, [*of_one_house(5), *crowd("globex", 7, 9), *claims("late", 4, age=21.0, environment="globex")])
    under_way = list(started(lines))
    for claim in under_way[::2]:
        lines.leave(claim, 0.1, is_healthy=False)
    under_way = [*under_way[1::2], *started(lines)]
    assert lines._crowd.size == waiting(lines) > 0
    for share in lines._shares.values():
        assert share.crowd.size == sum(len(line.waiting) for line in share.lines.values())
    lines.dissolve()
    assert {crowd.size for crowd in (lines._crowd, *(share.house.crowd for share in lines._shares.values()))} == {0}
    for claim in under_way:
        lines.leave(claim, 0.1, is_healthy=True)
    assert (list(started(lines)), lines._shares, lines._crowd.size) == ([], {}, 0)


def test_whoever_is_sent_away_leaves_nothing_behind() -> None:
    lines = Lines(POSTS)
    join(lines, of_one_house(5, how_many_each=MOST_WAITING_OF_ENVIRONMENT // 8))
    before = len(lines._shares)
    assert all(join(lines, claims("late", 1, environment="acme late", organization="acme")))
    assert len(lines._shares) == before


def test_a_house_is_forgotten_with_the_last_of_its_shares() -> None:
    lines = Lines(POSTS)
    join(lines, of_one_house(3, 1, 1))
    for claim in list(started(lines)):
        lines.leave(claim, 0.1, is_healthy=True)
    assert (lines._shares, len(lines._houses)) == ({}, 0)


@pytest.mark.parametrize(
    ("failures", "at_once"), [(0, AT_ONCE), (1, AT_ONCE_AFTER_FAILURE), (40, AT_ONCE_AFTER_FAILURE)]
)
def test_an_endpoint_gets_few_posts_at_once_and_fewer_when_it_failed(failures: int, at_once: int) -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 30, failures=failures))
    assert len(list(started(lines))) == at_once


def test_the_end_of_a_post_makes_room_for_the_next() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 30))
    first = list(started(lines))
    lines.leave(first[0], 0.1, is_healthy=True)
    assert len(list(started(lines))) == 1


def test_a_failure_narrows_the_line_and_a_success_widens_it_again() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 100))
    under_way = list(started(lines))
    for claim in under_way:
        lines.leave(claim, 0.1, is_healthy=False)
    probes = list(started(lines))
    lines.leave(probes.pop(), 0.1, is_healthy=True)
    assert len(probes) + len(list(started(lines))) == AT_ONCE


def test_a_line_that_a_failure_narrows_loses_the_turn_it_had() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 30))
    under_way = list(islice(started(lines), AT_ONCE_AFTER_FAILURE + 1))
    lines.leave(under_way[0], 0.1, is_healthy=False)
    assert lines.next() is None


def test_who_finds_a_full_line_is_told_to_come_back_later_than_those_before() -> None:
    lines = Lines(POSTS)
    waits = join(lines, claims("a", LONGEST_LINE + 3))
    assert waits[:LONGEST_LINE] == [0.0] * LONGEST_LINE
    assert 0 < waits[-3] < waits[-2] < waits[-1]


def test_a_full_line_turns_nobody_else_away() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", LONGEST_LINE + 3))
    assert join(lines, claims("b", 1)) == [0.0]


def test_a_claim_whose_lease_ends_too_soon_is_not_started() -> None:
    lines = Lines(POSTS)
    join(lines, [*claims("a", 3, age=21.0), *claims("a", 1)])
    assert len(list(started(lines))) == 1


def test_only_lines_that_move_count_as_waiting() -> None:
    lines = Lines(POSTS)
    join(lines, [*claims("a", 30, age=5.0), *claims("b", 7)])
    assert lines.moving() == 7


def test_an_empty_line_is_forgotten() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 2))
    for claim in list(started(lines)):
        lines.leave(claim, 0.1, is_healthy=False)
    join(lines, claims("a", 30))
    assert len(list(started(lines))) == AT_ONCE


def test_who_still_waits_can_be_sent_away() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 30))
    under_way = list(started(lines))
    assert len(lines.dissolve()) == 30 - len(under_way)
    assert lines.next() is None


def test_after_all_are_sent_away_posts_can_still_end() -> None:
    lines = Lines(POSTS)
    join(lines, claims("a", 30))
    under_way = list(islice(started(lines), AT_ONCE - 1))
    lines.dissolve()
    for claim in under_way:
        lines.leave(claim, 0.1, is_healthy=True)
    assert lines.next() is None
