"""Whether the time of an answer tells what its bytes do not.

Two kinds of calls are made by turns. The difference of their medians is compared with what chance makes of it: the same
times, dealt anew into two heaps, again and again. A difference that no deal reaches is one that a stranger could
measure; one below MATTERS seconds is not told apart from noise over a network.
"""

import http.client
import json
import random
import statistics
import subprocess
import sys
import time

from bench.chaos.hostile.ground import Ground, Held
from bench.report import ROOT

CALLS = {False: 800, True: 20_000}
DEALS = 400
MATTERS = 0.0002


def attack(ground: Ground) -> list[Held]:
    """Time keys that are nearly right beside ones that are not, and what is foreign beside what is not there."""
    pairs = {**_keys(ground), **_rows(ground)}
    return [_compared(ground, name, pair, CALLS[ground.full]) for name, pair in pairs.items()]


Call = tuple[str, dict[str, str]]


def _keys(ground: Ground) -> dict[str, tuple[Call, Call]]:
    key = ground.instance.told("API key")
    near = key[:-12] + ("A" if key[-12] != "A" else "B") + key[-11:]
    far = key[:12] + ("A" if key[12] != "A" else "B") + key[13:]
    calls = [("/api/v1/me", {"Authorization": f"Bearer {wrong}"}) for wrong in (near, far)]
    return {"a key of which one late letter is wrong, beside one of which an early one is": (calls[0], calls[1])}


def _rows(ground: Ground) -> dict[str, tuple[Call, Call]]:
    from environments.ids import new_id

    command = ["manage.py", "create_inbox", "--json", "--environment=production", "--username=foreign"]
    environment = ground.instance.environment
    made = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, check=True)  # noqa: S603 - our own
    own = ground.instance.credentials()
    calls = [(f"/api/v1/inboxes/{one}", own) for one in (json.loads(made.stdout)["id"], new_id("inb"))]
    return {"an inbox of another environment, beside one that is not there": (calls[0], calls[1])}


def _compared(ground: Ground, name: str, pair: tuple[Call, Call], calls: int) -> Held:
    client = http.client.HTTPConnection("127.0.0.1", ground.instance.http_port, timeout=60)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(calls):
        first = number % 2  # who begins changes, so that neither is always the second
        for which in (first, 1 - first):
            path, headers = pair[which]
            began = time.perf_counter()
            client.request("GET", path, headers=headers)
            client.getresponse().read()
            times[which].append(time.perf_counter() - began)
    return _judged(name, times)


def _judged(name: str, times: tuple[list[float], list[float]]) -> Held:
    medians = [statistics.median(one) for one in times]
    seen, both, chance = abs(medians[0] - medians[1]), [*times[0], *times[1]], random.Random(0)  # noqa: S311 - no secret
    dealt = []
    for _ in range(DEALS):
        chance.shuffle(both)
        dealt.append(abs(statistics.median(both[::2]) - statistics.median(both[1::2])))
    is_told = seen > max(*dealt, MATTERS)
    note = (
        f"Time of {name}: medians {medians[0] * 1e6:.0f} and {medians[1] * 1e6:.0f} microseconds over "
        f"{len(times[0]):,} calls each; chance alone makes a difference of up to {max(dealt) * 1e6:.0f}."
    )
    return Held(f"timing: {name}", "medians within what chance makes of them", len(both), int(is_told), note)
