"""Asking the API from inside the process: how the event loop has a call authenticated, permitted, placed and answered.

What streams, long polls and the tools of agents may see is thus decided by the views of the API and nowhere else. The
site provides the one who answers (``agentpost_site.front.asking``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from environments.callers import Caller

CALLER = "agentpost.caller"  # in the WSGI environ, where no client can put anything
AGAIN = "agentpost.again"  # there too: true of a question that repeats one which was counted against the rate limit


@dataclass(frozen=True, slots=True)
class Question:
    """One request.

    ``path`` is percent-decoded and ``query`` percent-encoded, as in WSGI; ``headers`` are those of HTTP, in any case;
    ``body`` is JSON, or empty.
    ``caller`` is who asks, where that has been found out already; ``extras`` go into the WSGI environ as they are.
    """

    path: str
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    caller: Caller | None = None
    extras: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Ask(Protocol):
    """Puts a question to the API, on a thread, and returns its answer."""

    async def __call__(self, question: Question, /) -> Answer: ...
