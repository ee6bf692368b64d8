"""The figures of events: ``python -m bench.events [latency] [throughput] [polling] [realtime]``, by default all."""

import argparse
import time

from bench.events import latency, polling, realtime, throughput
from bench.events.ground import database
from bench.events.receiver import receiving

PARTS = ("latency", "throughput", "polling", "realtime")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--steady", type=float, default=300.0, help="events a second under load (default %(default)s)")
    parser.add_argument("--backlog", type=int, default=throughput.BACKLOG, help="deliveries (default %(default)s)")
    options = parser.parse_args()
    parts = options.parts
    started = time.monotonic()
    with database(), receiving() as receiver:
        if "latency" in parts:
            latency.measure(receiver, options.steady)
        if "throughput" in parts:
            throughput.measure(receiver, options.backlog)
        if "polling" in parts:
            polling.measure()
        if "realtime" in parts:
            realtime.measure()
    print(f"\n{time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
