"""The one door to DNS: cached, bounded in time, safe for threads, and replaceable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from environments.name_servers import stub_resolver
from mail.authentication.cache import Cache, Kept, Question, Records
from mail.authentication.patience import Patience

KINDS = frozenset(("A", "AAAA", "MX", "PTR", "TXT"))
MAX_CACHE_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 32 * 1024
MIN_TTL, MAX_TTL, MAX_NEGATIVE_TTL, FAILURE_TTL = 30.0, 3600.0, 300.0, 60.0
QUERY_TIMEOUT = 3.0
SHORTEST = 0.05
MAX_QUESTIONS = 150


class Unanswered(Exception):
    """DNS gave no answer: a time-out, a failing server, none configured. Says why in a sentence."""


class Resolving(Protocol):
    """What evaluation needs of DNS; a test may bring its own."""

    def lookup(self, name: str, kind: str, until: float) -> Records:
        """Return the records of `name`, none where there are none.

        TXT as bytes, A, AAAA and PTR as str, MX as (preference, host). `until` is a time of `time.monotonic` that
        holds. Raises Unanswered.
        """


class Resolver:
    """DNS over UDP and TCP through a recursive server.

    Args:
        servers: `address`, `address:port` or `[address]:port`; none means the system's. Raises ValueError for others.
        timeout: seconds that one question may take, retries included.
        max_cache_bytes: how much memory answers may keep.
    """

    def __init__(
        self,
        servers: Sequence[str] = (),
        *,
        timeout: float = QUERY_TIMEOUT,
        max_cache_bytes: int = MAX_CACHE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub: Any = stub_resolver(servers, timeout)
        self._timeout = timeout
        self._cache = Cache(max_cache_bytes)
        self._patience = Patience()
        self._clock = clock

    def lookup(self, name: str, kind: str, until: float) -> Records:
        """See Resolving. What was asked before is answered from memory while it lives, failures too."""
        question = (name.rstrip(".").lower(), kind)
        kept = self._cache.get(question, self._clock())
        if kept is None:
            kept = self._ask(question, until)
        if kept.failure:
            raise Unanswered(kept.failure)
        return kept.records

    def _ask(self, question: Question, until: float) -> Kept:
        absolute = _absolute(question[0])
        if absolute is None:
            return Kept(())
        if self._stub is None:
            raise Unanswered("no DNS server is configured")
        left = until - time.monotonic()
        if left < SHORTEST:
            raise Unanswered("the time for this mail was up before DNS was asked")
        patience = self._patience.allowance(question[0], self._timeout, self._clock())
        seconds = min(patience, left)
        kept, ttl = self._query(absolute, question, seconds)
        # A failure is kept only when the server had its time, else a late question would speak for the next mail's.
        if not kept.failure or seconds >= patience:
            self._cache.put(question, kept, self._clock() + ttl)
        return kept

    def _query(self, name: dns.name.Name, question: Question, seconds: float) -> tuple[Kept, float]:
        try:
            answer = self._stub.resolve(name, question[1], lifetime=seconds, raise_on_no_answer=False, search=False)
            records, ttl = _records(answer), answer.expiration - time.time()
        except dns.resolver.NXDOMAIN as absent:
            records, ttl = (), _negative_ttl(absent)
        except dns.exception.Timeout:
            self._patience.timed_out(question[0], self._clock())
            return Kept((), f"DNS did not answer in time for {question[0]} {question[1]}"), FAILURE_TTL
        except Exception as error:  # noqa: BLE001 - whatever a server sends, it is no answer
            return Kept((), f"DNS failed for {question[0]} {question[1]} ({type(error).__name__})"), FAILURE_TTL
        self._patience.answered(question[0])
        if sum(len(str(record)) for record in records) > MAX_ANSWER_BYTES:
            return Kept((), f"the DNS answer for {question[0]} {question[1]} is too large"), FAILURE_TTL
        return Kept(records), min(max(ttl, MIN_TTL), MAX_TTL if records else MAX_NEGATIVE_TTL)


class Questions:
    """What one mail may ask of DNS: until a time, and a number of questions."""

    def __init__(self, resolver: Resolving, until: float) -> None:
        self._resolver = resolver
        self._until = until
        self._left = MAX_QUESTIONS

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def ask(self, name: str, kind: str) -> Records:
        """Return the records. Raises Unanswered."""
        self._left -= 1
        if self._left < 0:
            raise Unanswered(f"more than {MAX_QUESTIONS} DNS questions for one mail")
        return self._resolver.lookup(name, kind, self._until)

    def txt(self, name: str) -> list[bytes]:
        """Return the TXT records, the strings of each joined. Raises Unanswered."""
        return [record for record in self.ask(name, "TXT") if isinstance(record, bytes)]


def _absolute(name: str) -> dns.name.Name | None:
    """Return the name for the wire, or None for what cannot be a name. Backslashes mean nothing here."""
    try:
        return dns.name.Name([label.encode("ascii") for label in name.split(".")] + [b""])
    except (dns.exception.DNSException, UnicodeError):
        return None


def _records(answer: dns.resolver.Answer) -> Records:
    kind = dns.rdatatype.to_text(answer.rdtype)
    return tuple(_READ[kind](data) for data in answer.rrset or ())


_READ: dict[str, Callable[[Any], Any]] = {
    "A": lambda data: data.address,
    "AAAA": lambda data: data.address,
    "MX": lambda data: (data.preference, data.exchange.to_text(omit_final_dot=True).lower()),
    "PTR": lambda data: data.target.to_text(omit_final_dot=True).lower(),
    "TXT": lambda data: b"".join(data.strings),
}


def _negative_ttl(absent: dns.resolver.NXDOMAIN) -> float:
    """Return how long a missing name may be remembered (RFC 2308, 5)."""
    try:
        responses = absent.responses().values()
        return float(min(response.resolve_chaining().minimum_ttl for response in responses))
    except (dns.exception.DNSException, ValueError):
        return MIN_TTL
