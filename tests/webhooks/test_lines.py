"""Whose turn it is, without a database or a network."""

import time
from collections.abc import Iterator
from itertools import islice

import pytest

from webhooks.delivery.claims import Claim
from webhooks.delivery.lines import AT_ONCE, AT_ONCE_AFTER_FAILURE, LONGEST_LINE, Lines
from webhooks.models import WebhookDelivery, WebhookEndpoint


def claims(name: str, how_many: int, *, failures: int = 0, age: float = 0.0) -> list[Claim]:
    endpoint = WebhookEndpoint(pk=name, consecutive_failures=failures)
    claimed_at = time.monotonic() - age
    return [Claim(WebhookDelivery(endpoint=endpoint), claimed_at) for _ in range(how_many)]


def join(lines: Lines, arriving: list[Claim]) -> list[float]:
    return [lines.join(claim) for claim in arriving]


def started(lines: Lines) -> Iterator[Claim]:
    while claim := lines.next():
        yield claim


def names(taken: list[Claim]) -> list[str]:
    return [claim.delivery.endpoint_id for claim in taken]


def test_endpoints_are_served_in_turn() -> None:
    lines = Lines()
    join(lines, [*claims("a", 5), *claims("b", 2)])
    assert names(list(started(lines))) == ["a", "b", "a", "b", "a", "a", "a"]


@pytest.mark.parametrize(
    ("failures", "at_once"), [(0, AT_ONCE), (1, AT_ONCE_AFTER_FAILURE), (40, AT_ONCE_AFTER_FAILURE)]
)
def test_an_endpoint_gets_few_posts_at_once_and_fewer_when_it_failed(failures: int, at_once: int) -> None:
    lines = Lines()
    join(lines, claims("a", 30, failures=failures))
    assert len(list(started(lines))) == at_once


def test_the_end_of_a_post_makes_room_for_the_next() -> None:
    lines = Lines()
    join(lines, claims("a", 30))
    first = list(started(lines))
    lines.leave(first[0], 0.1, is_healthy=True)
    assert len(list(started(lines))) == 1


def test_a_failure_narrows_the_line_and_a_success_widens_it_again() -> None:
    lines = Lines()
    join(lines, claims("a", 100))
    under_way = list(started(lines))
    for claim in under_way:
        lines.leave(claim, 0.1, is_healthy=False)
    probes = list(started(lines))
    lines.leave(probes.pop(), 0.1, is_healthy=True)
    assert len(probes) + len(list(started(lines))) == AT_ONCE


def test_a_line_that_a_failure_narrows_loses_the_turn_it_had() -> None:
    lines = Lines()
    join(lines, claims("a", 30))
    under_way = list(islice(started(lines), AT_ONCE_AFTER_FAILURE + 1))
    lines.leave(under_way[0], 0.1, is_healthy=False)
    assert lines.next() is None


def test_who_finds_a_full_line_is_told_to_come_back_later_than_those_before() -> None:
    lines = Lines()
    waits = join(lines, claims("a", LONGEST_LINE + 3))
    assert waits[:LONGEST_LINE] == [0.0] * LONGEST_LINE
    assert 0 < waits[-3] < waits[-2] < waits[-1]


def test_a_full_line_turns_nobody_else_away() -> None:
    lines = Lines()
    join(lines, claims("a", LONGEST_LINE + 3))
    assert join(lines, claims("b", 1)) == [0.0]


def test_a_claim_whose_lease_ends_too_soon_is_not_started() -> None:
    lines = Lines()
    join(lines, [*claims("a", 3, age=21.0), *claims("a", 1)])
    assert len(list(started(lines))) == 1


def test_only_lines_that_move_count_as_waiting() -> None:
    lines = Lines()
    join(lines, [*claims("a", 30, age=5.0), *claims("b", 7)])
    assert lines.moving() == 7


def test_an_empty_line_is_forgotten() -> None:
    lines = Lines()
    join(lines, claims("a", 2))
    for claim in list(started(lines)):
        lines.leave(claim, 0.1, is_healthy=False)
    join(lines, claims("a", 30))
    assert len(list(started(lines))) == AT_ONCE


def test_who_still_waits_can_be_sent_away() -> None:
    lines = Lines()
    join(lines, claims("a", 30))
    under_way = list(started(lines))
    assert len(lines.dissolve()) == 30 - len(under_way)
    assert lines.next() is None
