"""Whose turn it is, without a database or a network."""

import time
from collections.abc import Iterator
from itertools import islice

import pytest

from webhooks.delivery.claims import Claim
from webhooks.delivery.lines import (
    AT_ONCE,
    AT_ONCE_AFTER_FAILURE,
    LONGEST_LINE,
    MOST_WAITING_OF_ENVIRONMENT,
    SHARES,
    Lines,
)
from webhooks.models import WebhookDelivery, WebhookEndpoint

POSTS = 100
SHARE = POSTS // SHARES


def claims(
    name: str, how_many: int, *, failures: int = 0, age: float = 0.0, environment: str = "production"
) -> list[Claim]:
    endpoint = WebhookEndpoint(pk=name, consecutive_failures=failures)
    delivery = WebhookDelivery(endpoint=endpoint, environment_id=environment)
    return [Claim(delivery, time.monotonic() - age) for _ in range(how_many)]


def crowd(environment: str, endpoints: int, how_many_each: int) -> list[Claim]:
    names = [f"{environment} {number}" for number in range(endpoints)]
    return [claim for name in names for claim in claims(name, how_many_each, environment=environment)]


def join(lines: Lines, arriving: list[Claim]) -> list[float]:
    return [lines.join(claim) for claim in arriving]


def started(lines: Lines) -> Iterator[Claim]:
    while claim := lines.next():
        yield claim


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
