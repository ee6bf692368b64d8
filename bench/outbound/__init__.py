"""Mail out: signed and handed over to an SMTP sink, beside Postfix that relays the same mails to the same sink."""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.account import Account, account
from bench.ground import database, folder_for_all
from bench.outbound.ours import Line, sending
from bench.outbound.sink import sink
from bench.peers import TROUBLE
from bench.peers.postfix import Relay, relay
from bench.report import Table, median_and_spread

MAILS, FULL_MAILS = 400, 5_000
ROUNDS = 3
ENVIRONMENTS = (1, 5)


@dataclass(frozen=True)
class Speed:
    """Mails a second, and processor seconds a mail."""

    a_second: float
    cpu_each: float


def measure(*, full: bool) -> list[Table]:
    """Return how fast each empties its queue, in turns, and what a mail costs in processor time."""
    how_many = FULL_MAILS if full else MAILS
    with ExitStack() as at_the_end:
        spent = at_the_end.enter_context(account("outbound"))
        port = at_the_end.enter_context(sink())
        at_the_end.enter_context(database({"AGENTPOST_RELAY_URL": f"smtp://127.0.0.1:{port}"}))
        lines = {f"AgentPost, {_named(number)}": Line(number) for number in ENVIRONMENTS}
        speeds: dict[str, list[Speed]] = {name: [] for name in lines}
        notes = []
        try:
            peer = at_the_end.enter_context(relay(at_the_end.enter_context(folder_for_all()), port))
            speeds["Postfix, unsigned"] = []
        except TROUBLE as trouble:
            peer = None
            notes.append(f"Postfix is not beside it: {trouble}.")
        for _ in range(ROUNDS):
            for name, line in lines.items():
                speeds[name].append(_of_ours(line, spent, how_many))
            if peer:
                mails = next(iter(lines.values())).mails_as_they_left(how_many)
                speeds["Postfix, unsigned"].append(_of_postfix(peer, spent, mails))
    return [_table(how_many, speeds, notes)]


def _named(environments: int) -> str:
    return "one environment" if environments == 1 else f"{environments} environments"


def _of_ours(line: Line, spent: Account, how_many: int) -> Speed:
    line.queue(how_many)
    with sending():
        line.wait_for(1)
        before, first = spent.seconds(), line.sent()
        line.wait_for(how_many)
        cpu = spent.seconds() - before
    moments = line.moments(how_many)
    return Speed((how_many - 1) / (moments[-1] - moments[0]), cpu / max(1, how_many - first))


def _of_postfix(peer: Relay, spent: Account, mails: list[tuple[str, str, bytes]]) -> Speed:
    peer.hold(mails)
    before = spent.seconds()
    seconds = peer.seconds_to_release()
    return Speed(len(mails) / seconds, (spent.seconds() - before) / len(mails))


def _table(how_many: int, speeds: dict[str, list[Speed]], notes: list[str]) -> Table:
    theirs = speeds.get("Postfix, unsigned")
    rows = []
    for name, them in speeds.items():
        ratios = [mine.a_second / other.a_second for mine, other in zip(them, theirs, strict=True)] if theirs else []
        rows.append(
            (
                name,
                median_and_spread([one.a_second for one in them]),
                median_and_spread(ratios) if ratios else None,
                median_and_spread([one.cpu_each * 1e3 for one in them]),
            )
        )
    return Table(
        f"A queue of {how_many:,} mails, one recipient each, handed over one by one to Postfix's `smtp-sink`, from the "
        "first that is recorded as sent to the last. AgentPost signs each with RSA-2048 and Ed25519, asks before each "
        "whether it may leave, and writes timeline and event. Postfix relays the same mails from its queue on "
        "disk; it signs nothing without a milter. In turns, median of the rounds (least to greatest):",
        ("sender", "mails a second", "Postfix = 1", "processor ms a mail, all processes"),
        rows,
        notes,
    )
