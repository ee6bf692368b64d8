"""What follows from an answer: delivered, again later, or never."""

from dataclasses import dataclass
from http import HTTPStatus

from webhooks.models import WebhookDelivery
from webhooks.transport import Answer

RETRY_DELAYS = (30, 2 * 60, 10 * 60, 60 * 60, 4 * 60 * 60)  # seconds after the first, second, ... attempt
LONGEST_DELAY = 24 * 60 * 60
JITTER = 0.1

State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state a delivery comes to. ``retry_in``, in seconds, is there only while it is pending."""

    state: State
    retry_in: float | None = None
    endpoint_is_gone: bool = False


def outcome_of(attempt: int, answer: Answer, chance: float, *, is_test: bool = False) -> Outcome:
    """Return what follows from the answer to attempt number ``attempt``, counted from 1; a test has no second one.

    Retries come up to a tenth later than planned, as ``chance`` in [0, 1) says, and never earlier. A receiver's
    Retry-After can put one off to a day at the most. 410 Gone ends the endpoint (RFC 9110 section 15.5.11).
    """
    if answer.is_success:
        return Outcome(State.DELIVERED)
    if is_test:
        return Outcome(State.FAILED)
    if answer.status == HTTPStatus.GONE:
        return Outcome(State.FAILED, endpoint_is_gone=True)
    if attempt > len(RETRY_DELAYS):
        return Outcome(State.FAILED)
    planned = RETRY_DELAYS[attempt - 1] * (1 + JITTER * chance)
    return Outcome(State.PENDING, retry_in=float(min(max(planned, answer.retry_after or 0), LONGEST_DELAY)))
