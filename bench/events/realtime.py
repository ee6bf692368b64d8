"""How long after the commit of an event the streams of one web process have shown it."""

import statistics
import sys
from collections import defaultdict

from bench.events.latency import QUIET, SECONDS, percentiles, published
from bench.events.listener import listening
from bench.ground import Place, database_url
from bench.processes import free_port, running
from bench.report import Table

CROWD, TOLD_TO_CROWD = 1_000, 10
KINDS = {"websocket": "WebSocket", "sse": "stream of server-sent events"}


def measure() -> Table:
    """Return the latency of one connection of each kind, then of a thousand at once."""
    from apikeys.services import create_key
    from environments.callers import SYSTEM

    place, port = Place("realtime"), free_port()
    key = create_key(
        place.organization.pk, "bench", actor=SYSTEM, scopes=["events:read"], environments=[place.environment]
    ).secret
    options = ["--interface=asgi", f"--port={port}", "--workers=1", "--ws", "--backpressure=8192", "--log-level=error"]
    command = [sys.executable, "-m", "granian", *options, "agentpost_site.asgi:application"]
    with running(command, port=port, variables={"DATABASE_URL": database_url()}):
        root = f"http://127.0.0.1:{port}"
        rows = [(f"one {name}", *_latency(kind, place, root, key)) for kind, name in KINDS.items()]
        first, half, last = _of_crowd(place, root, key)
    return Table(
        "From the moment just before an event's COMMIT to its sight on a stream of one web process, 10 a second:",
        ("stream", "median, ms", "99th percentile, ms"),
        rows,
        [
            (
                f"Of {CROWD:,} WebSockets of one process that are all told of an event, the first had it after "
                f"{first:.0f} ms, half after {half:.0f} ms, and all after {last:.0f} ms."
            )
        ],
    )


def _latency(kind: str, place: Place, root: str, key: str) -> tuple[float, float]:
    with listening(kind, root, key, 1, int(QUIET * SECONDS)) as listener:
        committed = published(place, QUIET, SECONDS)
        seen = dict(listener.seen())
    return percentiles([(seen[event_id] - at) / 1e6 for event_id, at in committed.items()])


def _of_crowd(place: Place, root: str, key: str) -> tuple[float, ...]:
    """Return after how many ms the first connection had an event that goes to each, half of them, and all."""
    with listening("websocket", root, key, CROWD, TOLD_TO_CROWD) as listener:
        committed = published(place, 1.0, TOLD_TO_CROWD)
        arrived = defaultdict(list)
        for event_id, at in listener.seen():
            arrived[event_id].append((at - committed[event_id]) / 1e6)
    if {len(times) for times in arrived.values()} != {CROWD}:
        raise RuntimeError("somebody was not told")
    each = [sorted(times) for times in arrived.values()]
    return tuple(statistics.median(times[place] for times in each) for place in (0, CROWD // 2, -1))
