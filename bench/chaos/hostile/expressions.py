"""Every regular expression of ours against texts made of its own parts, by the clock of the processor.

Another process does it, which is ended when one expression takes too long: nothing interrupts `re`.
"""

import subprocess
import sys
import time

from bench.chaos.hostile.ground import Held
from bench.report import ROOT

LENGTHS = (4_000, 8_000, 16_000)
LENGTHS_OF_FULL = (25_000, 50_000, 100_000)
RATIO, MATTERS = 2.6, 0.002  # a doubling's cost, twice in a row; seconds below which no ratio is told from noise
ATTACKS = {False: 4, True: 20}
PROCESSOR = {False: 120, True: 7200}  # seconds for all; a process that takes more is killed


def attack(*, full: bool) -> list[Held]:
    """Return how many expressions grow faster than their texts, beside those whose texts are capped."""
    command = [sys.executable, "-m", __name__, *(["full"] if full else [])]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    lines = ran.stdout.splitlines()
    tried = sum(line.startswith("tried ") for line in lines)
    slow = [line.removeprefix("slow ") for line in lines if line.startswith("slow ")]
    slow += [f"{lines[-1].removeprefix('tried ')} (never ended)"] if ran.returncode and lines else []
    note = "Expressions that are slow: " + "; ".join(slow) if slow else ""
    return [Held("ReDoS", "time in proportion to the text", tried, max(len(slow), ran.returncode != 0), note)]


def main() -> None:
    """Try each; print what was tried and what was slow."""
    import os
    import resource

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
    import django

    django.setup()
    from tests.house.expressions import attacks, expressions
    from tests.house.test_expressions import CAPPED

    full = sys.argv[1:] == ["full"]
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR[full], PROCESSOR[full]))
    for expression in expressions()[0]:
        if expression.place in CAPPED:
            continue
        print(f"tried {expression.place}", flush=True)
        for one in attacks(expression, ATTACKS[full]):
            if _grows(expression, one, LENGTHS_OF_FULL if full else LENGTHS):
                print(f"slow {expression.place} {one}", flush=True)
                break


def _grows(expression: object, one: object, lengths: tuple[int, ...]) -> bool:
    before, grown = 0.0, 0
    for length in lengths:
        spent = min(_spent(expression, one.text(length)) for _ in range(2))
        grown = grown + 1 if before and spent > MATTERS and spent / before > RATIO else 0
        before = spent
    return grown >= 2  # noqa: PLR2004 - twice in a row


def _spent(expression: object, text: str) -> float:
    pattern = expression.compiled()
    octets_or_text = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
    began = time.thread_time()
    if expression.mode == "search":
        for _ in pattern.finditer(octets_or_text):
            pass
    else:
        getattr(pattern, expression.mode)(octets_or_text)
    return time.thread_time() - began


if __name__ == "__main__":
    main()
