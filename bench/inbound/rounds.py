"""The rounds of a measurement: each server is loaded in turn, and what it took and what that cost is written down."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import orjson

from bench.account import Account, account
from bench.ground import folder_for_all
from bench.inbound.mails import SIZES
from bench.inbound.orders import PATIENCE, Orders
from bench.inbound.ours import agentpost
from bench.peers import TROUBLE, Peer
from bench.peers.aiosmtpd import aiosmtpd
from bench.peers.node import haraka, smtp_server
from bench.peers.postfix import postfix
from bench.processes import wait_for
from bench.report import ROOT, Table, median_and_spread

OURS = "AgentPost, the whole pipeline"
YARDSTICKS = ("Postfix to maildir", "Haraka to maildir, fsync")
PEERS: dict[str, Callable[[Path, int], AbstractContextManager[Peer]]] = {
    YARDSTICKS[0]: postfix,
    YARDSTICKS[1]: haraka,
    "smtp-server to maildir, fsync": smtp_server,
    "aiosmtpd to maildir, no fsync": aiosmtpd,
}
LOADERS = 2
Setting = tuple[str, int, int]
SOME: list[Setting] = [("10 KB", 16, 1), ("10 KB", 16, 200), ("1 KB", 16, 1), ("100 KB", 16, 1)]
ALL: list[Setting] = list(product(SIZES, (16, 64), (1, 200)))
COLUMNS = ("Server", "mails/s", "µs of processor time a mail", "times Postfix", "times Haraka", "lost or twice")


@dataclass
class Score:
    """What one server did in the rounds of one setting."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)


def measure(*, full: bool = False) -> list[Table]:
    """Load all servers by turns, and return a table for each size of mail, number of sessions and of environments."""
    settings, rounds, seconds = (ALL, 5, 10.0) if full else (SOME, 3, 2.5)
    environments = sorted({number for _, _, number in settings})
    with account("inbound") as spent, _servers(environments) as servers:
        _scores(servers, settings[0], 1, 1.0, spent)  # which warms
        scores = {setting: _scores(servers, setting, rounds, seconds, spent) for setting in settings}
        stored = {name: server[environments[0]].message_ids() for name, server in servers.running.items()}
    return [_table(setting, scores[setting], stored, servers.missing) for setting in settings]


@dataclass
class Servers:
    """Those that run, each by the number of its mailboxes that get mail; and why the others do not."""

    running: dict[str, Mapping[int, Peer]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@contextmanager
def _servers(environments: list[int]) -> Iterator[Servers]:
    """Run all that are installed and start."""
    with folder_for_all() as top, ExitStack() as stack:
        servers = Servers()
        for number, (name, start) in enumerate(PEERS.items()):
            folder = top / str(number)
            folder.mkdir()
            try:
                peer = stack.enter_context(start(folder, max(environments)))
            except TROUBLE as problem:
                servers.missing[name] = str(problem)
            else:
                servers.running[name] = {one: peer.with_mailboxes(one) for one in environments}
        servers.running[OURS] = stack.enter_context(agentpost(*environments))
        yield servers


def _scores(servers: Servers, setting: Setting, rounds: int, seconds: float, spent: Account) -> dict[str, Score]:
    """Load all by turns; who fails runs no more, and is missing."""
    scores: dict[str, Score] = {name: Score() for name in servers.running}
    for _ in range(rounds):
        for name in [*servers.running]:
            try:
                _round(servers.running[name][setting[2]], setting, seconds, spent, scores[name])
            except TROUBLE as problem:
                servers.missing[name] = f"{type(problem).__name__}: {problem}"
                del servers.running[name], scores[name]
    return scores


def _round(peer: Peer, setting: Setting, seconds: float, spent: Account, score: Score) -> None:
    """Load a server, and add what it did to its score: until the last mail lies where it stays."""
    size, sessions, _ = setting
    began, cpu = time.monotonic(), spent.seconds()
    tags = [f"{time.time_ns()}.{number}" for number in range(LOADERS)]
    orders = [Orders(peer.port, peer.addresses, size, sessions // LOADERS, seconds, tag) for tag in tags]
    answers = _load(orders, seconds)
    wait_for(peer.is_settled, PATIENCE)
    took, cost = time.monotonic() - began, spent.seconds() - cpu
    stored = {f"{tag}.{one}@sender.example" for tag, said in zip(tags, answers, strict=True) for one in said["stored"]}
    score.acknowledged |= stored
    score.rates.append(len(stored) / took)
    score.costs.append(cost / max(1, len(stored)) * 1e6)
    for said in answers:
        score.refused.update(said["refused"])


def _load(orders: list[Orders], seconds: float) -> list[dict]:  # type: ignore[type-arg]
    """Let all of them be done at once. Raises ChildProcessError where one could not be."""
    with ExitStack() as at_the_end:
        loaders = [at_the_end.enter_context(_loader(order)) for order in orders]
        said = [loader.communicate(timeout=seconds + 2 * PATIENCE)[0] for loader in loaders]
    if any(loader.returncode for loader in loaders):
        raise ChildProcessError("the load broke off")
    return [orjson.loads(one) for one in said]


@contextmanager
def _loader(order: Orders) -> Iterator["subprocess.Popen[str]"]:
    command, pipe = [sys.executable, "-m", "bench.inbound.load"], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as loader:  # noqa: S603 - our own
        try:
            assert loader.stdin  # noqa: S101 - a pipe
            loader.stdin.write(order.as_json())
            loader.stdin.close()
            loader.stdin = None
            yield loader
        finally:
            loader.kill()


def _table(
    setting: Setting, scores: Mapping[str, Score], stored: Mapping[str, Counter[str]], missing: Mapping[str, str]
) -> Table:
    size, sessions, environments = setting
    known = {name: score for name, score in scores.items() if name in stored}
    yardsticks = [known.get(name) for name in YARDSTICKS]
    rows: list[list[object]] = [_row(name, score, yardsticks, stored[name]) for name, score in known.items()]
    rows += [[f"{name}: {why}", *[None] * (len(COLUMNS) - 1)] for name, why in missing.items()]
    about = f"{size}, {sessions} sessions, {environments} environment{'s' if environments > 1 else ''}."
    refused = {name: dict(score.refused) for name, score in known.items() if score.refused}
    return Table(about, COLUMNS, rows, [f"Not taken: {refused}."] if refused else [], is_whole=OURS not in missing)


def _row(name: str, score: Score, yardsticks: list[Score | None], stored: Counter[str]) -> list[object]:
    wrong = sum(stored[one] != 1 for one in score.acknowledged)
    ratios = [_times(score, yardstick) for yardstick in yardsticks]
    verified = f"{wrong} of {len(score.acknowledged):,}"
    return [name, median_and_spread(score.rates), median_and_spread(score.costs), *ratios, verified]


def _times(score: Score, yardstick: Score | None) -> str | None:
    """Return the processor time as a multiple of another server's, round by round."""
    if yardstick is None:
        return None
    return median_and_spread([ours / theirs for ours, theirs in zip(score.costs, yardstick.costs, strict=True)])
