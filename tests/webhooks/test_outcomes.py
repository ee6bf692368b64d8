"""The retry policy as a table."""

import pytest

from webhooks.delivery.outcomes import Outcome, State, outcome_of
from webhooks.transport import Answer, Failure

DELIVERED, FAILED, GONE = Outcome(State.DELIVERED), Outcome(State.FAILED), Outcome(State.FAILED, endpoint_is_gone=True)
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


def again_in(seconds: float) -> Outcome:
    return Outcome(State.PENDING, retry_in=seconds)


def answer(status: int | None, error: Failure | None = None, retry_after: int | None = None) -> Answer:
    return Answer(status=status, body="", error=error, duration_ms=1, retry_after=retry_after)


POLICY = [
    (1, answer(200), DELIVERED),
    (1, answer(204), DELIVERED),
    (6, answer(299), DELIVERED),
    (1, answer(301), again_in(30)),
    (1, answer(302), again_in(30)),
    (1, answer(404), again_in(30)),
    (1, answer(500), again_in(30)),
    (1, answer(200, Failure.TIMEOUT), DELIVERED),
    (1, answer(204, Failure.CONNECTION), DELIVERED),
    (1, answer(500, Failure.TIMEOUT), again_in(30)),
    (1, answer(None, Failure.TIMEOUT), again_in(30)),
    (1, answer(None, Failure.REFUSED_ADDRESS), again_in(30)),
    (1, answer(None), again_in(30)),
    (2, answer(500), again_in(2 * MINUTE)),
    (3, answer(500), again_in(10 * MINUTE)),
    (4, answer(500), again_in(HOUR)),
    (5, answer(500), again_in(4 * HOUR)),
    (6, answer(500), FAILED),
    (6, answer(None, Failure.DNS), FAILED),
    (1, answer(410), GONE),
    (6, answer(410), GONE),
    (1, answer(429, retry_after=90), again_in(90)),
    (1, answer(503, retry_after=10), again_in(30)),
    (1, answer(503, retry_after=0), again_in(30)),
    (4, answer(503, retry_after=2 * MINUTE), again_in(HOUR)),
    (1, answer(503, retry_after=DAY), again_in(DAY)),
    (1, answer(503, retry_after=30 * DAY), again_in(DAY)),
    (6, answer(503, retry_after=90), FAILED),
]


@pytest.mark.parametrize(("attempt", "came_back", "follows"), POLICY)
def test_an_attempt_and_its_answer_decide_what_follows(attempt: int, came_back: Answer, follows: Outcome) -> None:
    outcome = outcome_of(attempt, came_back, chance=0.0)
    assert outcome == follows
    assert isinstance(outcome.retry_in, float | None)  # PostgreSQL takes no array of several kinds of number


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 600), (0.5, 630), (0.999, 659.94)])
def test_chance_makes_a_retry_up_to_a_tenth_later(chance: float, seconds: float) -> None:
    assert outcome_of(3, answer(500), chance).retry_in == pytest.approx(seconds)
