"""Webhooks, and the log and the streams that tell of the same events: how soon, how many, and who holds up whom."""

from bench.events import dead, latency, peer, polling, realtime, throughput
from bench.events.receiver import receiving
from bench.ground import database, deliverer
from bench.report import Table, attempt


def measure(*, full: bool) -> list[Table]:
    """Measure a deliverer on a PostgreSQL of its own; in full also the log and the streams."""
    with database():
        with receiving() as receiver, deliverer():
            tables = [
                attempt("latency", lambda: latency.measure(receiver)),
                attempt("backlog", lambda: throughput.measure(receiver, full=full)),
                attempt("dead endpoints", lambda: dead.measure(receiver, full=full)),
            ]
        if full:
            tables += [attempt("streams", realtime.measure), attempt("the log", polling.measure)]
    return [tables[0], attempt("beside a server that polls", peer.measure), *tables[1:]]
