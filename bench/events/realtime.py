"""How long after the commit of an event the streams of one web process have shown it."""

import statistics
import sys
from collections import defaultdict

from bench.events.ground import Place, database_url
from bench.events.latency import QUIET, SECONDS, percentiles, published
from bench.events.listener import listening
from bench.events.processes import free_port, running

CROWD, TOLD_TO_CROWD = 1_000, 10


def measure() -> None:
    """Print the latency of one connection of each kind, then of a thousand at once."""
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
        print("\n| stream | median | 99th percentile |\n|---|---|---|")
        for kind in ("websocket", "sse"):
            _print_latency(kind, place, root, key)
        _print_crowd(place, root, key)


def _print_latency(kind: str, place: Place, root: str, key: str) -> None:
    with listening(kind, root, key, 1, int(QUIET * SECONDS)) as listener:
        committed = published(place, QUIET, SECONDS)
        seen = dict(listener.seen())
    middle, late = percentiles([(seen[event_id] - at) / 1e6 for event_id, at in committed.items()])
    print(f"| {kind} | {middle:.1f} ms | {late:.1f} ms |", flush=True)


def _print_crowd(place: Place, root: str, key: str) -> None:
    """Each event goes to every connection: how long until the first had it, half of them, and all."""
    with listening("websocket", root, key, CROWD, TOLD_TO_CROWD) as listener:
        committed = published(place, 1.0, TOLD_TO_CROWD)
        arrived = defaultdict(list)
        for event_id, at in listener.seen():
            arrived[event_id].append((at - committed[event_id]) / 1e6)
    if {len(times) for times in arrived.values()} != {CROWD}:
        raise RuntimeError("somebody was not told")
    each = [sorted(times) for times in arrived.values()]
    first, half, last = (statistics.median(times[place] for times in each) for place in (0, CROWD // 2, -1))
    print(f"\n{CROWD:,} WebSockets: the first after {first:.0f} ms, half after {half:.0f} ms, all after {last:.0f} ms")
