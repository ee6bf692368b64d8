"""What was promised, counted when a fault is over: kept, of how many."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.chaos.instance import House, Surroundings
from environments.ids import decode, encode

CALM_WITHIN = 40.0  # seconds in which everything that waits has gone out, once nothing waits for a retry or a lease
INTERNAL_ERROR = 500

# What waits for a retry, or for the lease of a process that died, is due now. A sender that lives renews its leases of
# 60 seconds each 15: what it is at is left to it.
DELIVERIES_DUE = """
UPDATE webhooks_webhookdelivery SET next_attempt_at = now() WHERE state = 'pending' AND next_attempt_at > now()
"""
HAND_OVERS_DUE = """
UPDATE mail_handover SET next_attempt_at = now(), claim = NULL
 WHERE next_attempt_at > now() AND (claim IS NULL OR next_attempt_at < now() + interval '40 s')
"""
MAKE_DUE = (
    DELIVERIES_DUE,
    HAND_OVERS_DUE,
    "NOTIFY agentpost_hand_overs",
    "NOTIFY agentpost_deliveries",
)
WAITING = """
SELECT (SELECT count(*) FROM webhooks_webhookdelivery WHERE state = 'pending'),
       (SELECT count(*) FROM mail_handover WHERE next_attempt_at IS NOT NULL)
"""
STORED = """
SELECT m.message_id_header, m.environment_id, b.id, b.size
  FROM mail_message m
  JOIN mail_blob b ON b.environment_id = m.environment_id AND b.id = m.raw_id
 WHERE m.direction = 'inbound' AND m.message_id_header = ANY (%s)
"""
HANDED_OVER = """
SELECT m.id, m.message_id_header, h.state, extract(epoch FROM h.finished_at)::float8
  FROM mail_message m
  JOIN mail_handover h ON h.environment_id = m.environment_id AND h.message_id = m.id
 WHERE m.id = ANY (%s)
"""
TOLD = """
SELECT e.id, d.state
  FROM webhooks_event e
  LEFT JOIN webhooks_webhookdelivery d
    ON d.environment_id = e.environment_id AND d.event_id = e.id AND d.endpoint_id = %s
 WHERE e.number > %s AND NOT e.is_test
"""
NEWEST = "SELECT coalesce(max(number), 0) FROM webhooks_event"
UNDER_WAY = {"waiting", "queued", "sending"}


@dataclass(frozen=True)
class Count:
    """How often a promise was kept, of how many times, and a case in which it was not."""

    kept: int
    of: int
    example: str = ""

    def __str__(self) -> str:
        return f"{self.kept}/{self.of}" + ("" if self.is_kept else " **broken**")

    @property
    def is_kept(self) -> bool:
        """Whether it was kept every time."""
        return self.kept == self.of

    @classmethod
    def among(cls, cases: Iterable[tuple[str, bool]]) -> "Count":
        """Count the cases that are as promised."""
        known = dict(cases)
        broken = [name for name, is_kept in known.items() if not is_kept]
        return cls(len(known) - len(broken), len(known), broken[0] if broken else "")


def newest_event(house: House) -> int:
    """Return the number of the newest event, from which on events are counted."""
    with house.database() as connection:
        return int(connection.execute(NEWEST).fetchall()[0][0])


def calm_down(house: House) -> tuple[int, int]:
    """Let what waits go out at once; return how many deliveries and hand-overs wait all the same in the end."""
    deadline = time.monotonic() + CALM_WITHIN
    waiting = (-1, -1)
    while time.monotonic() < deadline and waiting != (0, 0):
        with suppress(psycopg.Error), house.database() as connection:
            for statement in MAKE_DUE if waiting != (-1, -1) else ():
                connection.execute(statement)
            time.sleep(0.7)
            waiting = connection.execute(WAITING).fetchall()[0]
    return waiting


def stored_once(house: House, acknowledged: Iterable[str]) -> Count:
    """Count the mails that got 250 and are there exactly once, with all their octets."""
    wanted = list(acknowledged)
    with house.database() as connection:
        rows = connection.execute(STORED, [wanted]).fetchall()
    times = Counter(header for header, *_ in rows)
    whole = {header for header, *where in rows if _is_whole(house, *where)}
    return Count.among((header, times[header] == 1 and header in whole) for header in wanted)


def _is_whole(house: House, environment: Any, blob: Any, size: int) -> bool:
    name = encode("blb", blob)
    return house.octets(f"{encode('env', environment)}/{name[-2:]}/{name}") == size


def handed_over(around: Surroundings, accepted: Iterable[str]) -> Count:
    """Count the sends that were accepted and that the relay has taken, or that are still queued."""
    return Count.among((message, _is_out(around, rows)) for message, rows in _hand_overs(around, accepted).items())


def sent_once(around: Surroundings, accepted: Iterable[str], *, may_repeat: bool) -> Count:
    """Count the sends that the relay did not get again once its acknowledgement was recorded.

    Without ``may_repeat`` nothing was cut off between an acknowledgement and its record: one copy is right, no other.
    """
    copies = around.copies()
    return Count.among(
        (message, all(_is_once(copies.get(row[0], []), row[2], may_repeat=may_repeat) for row in rows))
        for message, rows in _hand_overs(around, accepted).items()
    )


def _is_once(copies: list[float], recorded: float | None, *, may_repeat: bool) -> bool:
    if not may_repeat:
        return len(copies) <= 1
    return recorded is None or all(taken <= recorded for taken in copies)


def _is_out(around: Surroundings, rows: list[tuple[str, str, float | None]]) -> bool:
    copies = around.copies()
    return bool(rows) and all(state in UNDER_WAY or (state == "sent" and header in copies) for header, state, _ in rows)


def _hand_overs(around: Surroundings, accepted: Iterable[str]) -> dict[str, list[tuple[str, str, float | None]]]:
    wanted = list(accepted)
    found: dict[str, list[tuple[str, str, float | None]]] = {message: [] for message in wanted}
    with around.house.database() as connection:
        for row, *rest in connection.execute(HANDED_OVER, [[decode("msg", message) for message in wanted]]).fetchall():
            found[encode("msg", row)].append(tuple(rest))
    return found


def told(around: Surroundings, since: int) -> Count:
    """Count the events after a number that the receiver was told of."""
    with around.house.database() as connection:
        rows = connection.execute(TOLD, [decode("whe", around.house.endpoint_id), since]).fetchall()
    known = around.receiver.told
    return Count.among(
        (encode("evt", event), state == "delivered" and known[encode("evt", event)] > 0) for event, state in rows
    )


def read_once(house: House, since: int, seen: Iterable[str]) -> Count:
    """Count the events after a number that a reader who follows the log saw, each once."""
    with house.database() as connection:
        rows = connection.execute("SELECT id FROM webhooks_event WHERE number > %s AND NOT is_test", [since]).fetchall()
    times = Counter(seen)
    return Count.among((encode("evt", event), times[encode("evt", event)] == 1) for (event,) in rows)


def answered(answers: Mapping[int, int]) -> Count:
    """Count the calls that were not answered by a fault of ours."""
    faults = sum(count for status, count in answers.items() if status >= INTERNAL_ERROR and status != 503)  # noqa: PLR2004
    total = sum(answers.values())
    return Count(total - faults, total, str(dict(answers)))


def examined(house: House) -> tuple[Count, Count]:
    """Count the entries of the audit chain that are intact, and the checks of the database's walls that are green."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(
            lambda arguments: house.manage(*arguments),
            [("verify_audit", "--json"), ("verify_isolation", "--read-only", "--json")],
        )
        return _audit(*_read(next(found))), _isolation(*_read(next(found)))


def _read(ended: Any) -> tuple[dict[str, Any], str]:
    try:
        return json.loads(ended.stdout), ended.stderr
    except json.JSONDecodeError:
        return {}, ended.stderr or "nothing was said"


def _audit(said: dict[str, Any], trouble: str) -> Count:
    chains = said.get("organizations", [])
    broken = [entry for chain in chains for entry in chain["broken"]]
    entries = sum(chain["entries"] for chain in chains)
    return Count(entries - len(broken), entries, str(broken[:1])) if chains else Count(0, 1, trouble[-300:])


def _isolation(said: dict[str, Any], trouble: str) -> Count:
    if not said:
        return Count(0, 1, trouble[-300:])
    broken = said["leaks"] + said["uncovered"]
    return Count(said["probes"] - broken, said["probes"], str([area for area in said["areas"] if area["leaks"]])[:300])


def whole_isolation(house: House) -> Count:
    """Count the probes of the whole proof that were turned away."""
    return _isolation(*_read(house.manage("verify_isolation", "--json")))
