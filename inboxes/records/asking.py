"""DNS, asked now, for everything about one domain at once, within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from environments.name_servers import stub_resolver
from inboxes.records.values import shown

SECONDS = 4.0
SHORTEST = 0.05
THREADS = 8
MOST_VALUES = 20
MOST_OCTETS = 8192

Question = tuple[str, str]  # name, type
Answers = Mapping[Question, "Answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is published under a name: TXT as text, MX as ``10 host``. ``failure`` says why nobody knows."""

    values: tuple[str, ...] = ()
    failure: str = ""


def ask(questions: Iterable[Question], servers: Sequence[str], *, seconds: float) -> Answers:
    """Return the answers to all questions, asked side by side, after at most about ``seconds``. Never raises for DNS.

    ``servers`` are as for ``environments.name_servers.stub_resolver``.
    """
    wanted = list(dict.fromkeys(questions))
    stub = stub_resolver(servers, seconds)
    if stub is None:
        return dict.fromkeys(wanted, Answer(failure="no DNS server is configured"))
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="dns") as threads:
        answers = threads.map(lambda question: _answer(stub, question, until), wanted)
        return dict(zip(wanted, answers, strict=True))


def _answer(stub: dns.resolver.Resolver, question: Question, until: float) -> Answer:
    name, kind = question
    left = until - time.monotonic()
    if left < SHORTEST:
        return Answer(failure=f"there was no time left to ask for {kind} of {name}")
    try:
        found = stub.resolve(name, kind, lifetime=left, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN:
        return Answer()
    except dns.exception.Timeout:
        return Answer(failure=f"the name servers did not answer in time for {kind} of {name}")
    except dns.resolver.NoNameservers:
        return Answer(failure=f"the name servers of the domain failed to answer for {kind} of {name}")
    except Exception as problem:  # noqa: BLE001 - whatever a server sends, it is no answer
        return Answer(failure=f"DNS could not be asked for {kind} of {name} ({type(problem).__name__})")
    return Answer(tuple(_READ[kind](value) for value in list(found.rrset or ())[:MOST_VALUES]))


_READ: dict[str, Callable[[Any], str]] = {
    "MX": lambda value: shown(f"{value.preference} {value.exchange.to_text(omit_final_dot=True).lower()}"),
    "TXT": lambda value: b"".join(value.strings)[:MOST_OCTETS].decode("utf-8", "replace"),
}
