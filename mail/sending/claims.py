"""Taking what is due, for as long as a lease lasts; keeping it while work goes on; giving it back."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from environments.binding import inside
from environments.gates import ask
from environments.ids import encode
from environments.models import Environment
from mail.models import HandOver

LEASE = timedelta(seconds=60)
RENEWAL = 15.0  # seconds
LONGEST_SLEEP = 5.0
SHORTEST_SLEEP = 0.05
WHILE_HELD = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A hand-over that is this process's own until its lease ends, or somebody else takes it after that."""

    environment_id: str
    hand_over_id: str
    token: UUID

    def row(self) -> QuerySet[HandOver]:
        """Return the row while it is still claimed, inside its environment."""
        rows = HandOver.objects.in_environment(Environment(pk=self.environment_id))
        return rows.filter(pk=self.hand_over_id, claim=self.token)


def claim_due(how_many: int, most_each: int) -> list[Claim]:
    """Claim what has been due longest, environments in turns; whoever is paused keeps waiting.

    An environment has at most ``most_each`` hand-overs under way, in all processes together.
    """
    token = uuid.uuid4()
    found = ask("claim_due_hand_overs", how_many, most_each, LEASE, token)
    return [Claim(encode("env", environment), encode("hov", row), token) for environment, row in found]


def renew(claims: Iterable[Claim]) -> None:
    """Let the leases of these claims begin anew."""
    for environment_id, rows in _by_environment(claims):
        with inside(environment_id):
            rows.update(next_attempt_at=_from_now(LEASE.total_seconds()))


def give_back(claims: Iterable[Claim], seconds: float = 0.0) -> None:
    """Let go of claims before their leases end; they are due again after so many seconds."""
    for environment_id, rows in _by_environment(claims):
        with inside(environment_id):
            rows.filter(state=HandOver.State.SENDING).update(state=HandOver.State.QUEUED)
            rows.update(next_attempt_at=_from_now(seconds), claim=None)


def _by_environment(claims: Iterable[Claim]) -> Iterable[tuple[str, QuerySet[HandOver]]]:
    groups: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.environment_id].append(claim)
    for environment_id, ours in groups.items():
        rows = HandOver.objects.in_environment(Environment(pk=environment_id))
        yield environment_id, rows.filter(pk__in=_ids(ours), claim__in={claim.token for claim in ours})


def _ids(claims: Sequence[Claim]) -> list[str]:
    return [claim.hand_over_id for claim in claims]


def _from_now(seconds: float) -> RawSQL:
    """Return a moment by the database's clock, which all processes share."""
    return RawSQL("now() + make_interval(secs => %s)", [seconds])


def seconds_to_sleep() -> float:
    """Return how long nothing will be due, as far as the database knows now; never longer than a few seconds."""
    [[seconds]] = ask("seconds_to_next_hand_over")
    if seconds is None:
        return LONGEST_SLEEP
    if seconds <= 0:  # due, and not to be claimed: somebody else works on it, or its inbox is paused
        return WHILE_HELD
    return min(max(seconds, SHORTEST_SLEEP), LONGEST_SLEEP)
