"""What a provider is asked while its webhook is handled: few at once, few questions, and all within bounds of time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self

import aiohttp
from anymail.webhooks import brevo, resend
from django.core.exceptions import RequestDataTooBig

AT_ONCE = 2
CONNECT_SECONDS, READ_SECONDS, OVERALL_SECONDS = 5.0, 20.0, 60.0
MOST_ATTACHMENTS = 50
CHUNK = 2**16
NOT_FOUND_OR_WORSE = 400
SLOTS = threading.BoundedSemaphore(AT_ONCE)


class Unanswered(Exception):
    """The provider was not asked, or did not answer in time: it is to tell it again. Its text is a sentence."""


class Denied(Exception):
    """The provider does not hand out what it was asked for. Its text is a sentence."""


@dataclass(slots=True)
class Asking:
    """What may still be asked because of one webhook: until when, how often, for how many bytes.

    Each attachment is a question; so is the mail itself, which comes on top where the provider is asked for that too.
    """

    most_octets: int
    ends: float = field(default_factory=lambda: time.monotonic() + OVERALL_SECONDS)
    questions: int = MOST_ATTACHMENTS

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask for what is at this URL; blocks.

        Raises Unanswered, Denied, and RequestDataTooBig for more bytes than are taken.
        """
        if self.questions <= 0:
            raise Denied(f"A mail may have no more than {MOST_ATTACHMENTS} attachments here.")
        self.questions -= 1
        answer = asyncio.run(self._asked(url, headers))
        self.most_octets -= len(answer.content)
        return answer

    async def _asked(self, url: str, headers: Mapping[str, str]) -> Answer:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise Unanswered("The provider did not hand out its mail in time.")
        patience = aiohttp.ClientTimeout(total=left, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=patience, trust_env=True) as session,
                session.get(url, headers=headers) as response,
            ):
                return Answer(response.status, await self._read(response), response.headers)
        except (aiohttp.ClientError, OSError) as problem:  # TimeoutError is one
            raise Unanswered("The provider did not hand out what its webhook speaks of.") from problem

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        read = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            read += chunk
            if len(read) > self.most_octets:
                raise RequestDataTooBig
        return bytes(read)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered: as much of ``requests.Response`` as django-anymail's views look at."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Raise Denied for an answer that says no, Unanswered for one that says "not now"."""
        if self.status >= NOT_FOUND_OR_WORSE:
            refusal = Denied if self.status in DENIALS else Unanswered
            raise refusal("The provider did not hand out what its webhook speaks of.")

    def json(self) -> Any:
        """Return what the answer holds. Raises ValueError."""
        return json.loads(self.content)

    def iter_content(self, size: int) -> Iterator[bytes]:
        """Return the answer in pieces."""
        return (self.content[start : start + size] for start in range(0, len(self.content), size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


DENIALS = {400, 401, 403, 404, 405, 406, 410, 422}
_ASKING: ContextVar[Asking] = ContextVar("asking")


@contextmanager
def asking(most_octets: int, *, besides: int) -> Iterator[None]:
    """Let the views in this block ask for a mail's attachments, and for a few things besides.

    Raises Unanswered while ``AT_ONCE`` others ask.
    """
    if not SLOTS.acquire(blocking=False):
        raise Unanswered("Too much is asked for right now.")
    token = _ASKING.set(Asking(most_octets, questions=MOST_ATTACHMENTS + besides))
    try:
        yield
    finally:
        _ASKING.reset(token)
        SLOTS.release()


class Bounded(ModuleType):
    """What django-anymail's views find under the name ``requests``: they pass no time-outs, and would wait for ever."""

    @staticmethod
    def get(url: str, headers: Mapping[str, str] | None = None, **_: object) -> Answer:
        """Ask within the bounds of ``asking``. Raises LookupError outside of it."""
        return _ASKING.get().get(url, headers or {})


# The calls are in the middle of what these views do with the answers, so the name is bound anew, once per process and
# in these two modules alone; it holds no state, that of a request is in its context.
brevo.requests = resend.requests = Bounded("requests")
