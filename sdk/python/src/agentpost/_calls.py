"""A call of the API, and whether it may be made once more."""

from __future__ import annotations

import random
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

import httpx2

from agentpost.errors import ConfigurationError

IDEMPOTENCY_KEY = "Idempotency-Key"
TOO_MANY = 429
WORTH_ANOTHER_TRY = {TOO_MANY, 502, 503, 504}
NEVER_RECEIVED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
NEVER_RIGHT = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is told of, not waited for
Outcome = Union[httpx2.Response, httpx2.TransportError]


@dataclass(frozen=True)
class Call:
    """A call of the API.

    ``path`` is below ``/api/v1``; with ``is_signed_url`` it is a whole URL, which opens by what is in it and is called
    without the key. ``is_harmless`` says that a POST does no more when it is made twice. ``read_timeout`` in seconds
    takes the place of the client's.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Optional[Mapping[str, Any]] = None
    content: Optional[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_signed_url: bool = False
    is_harmless: bool = False
    read_timeout: Optional[float] = None

    @property
    def is_repeatable(self) -> bool:
        """Whether the call may be made once more when nobody knows if it has been carried out."""
        body = self.body or {}
        if self.method == "POST":
            return self.is_harmless or IDEMPOTENCY_KEY in self.headers or bool(body.get("client_id"))
        return self.method != "PATCH" or "version" not in body


def path_of(*words: str) -> str:
    """Return a path of words and ids.

    Raises ConfigurationError for an id that is empty, which would name the whole list.
    """
    for word, behind in zip(words, ("", *words)):
        if not isinstance(word, str) or not word.strip(" ."):
            raise ConfigurationError(f"The id behind {behind!r} is missing: {word!r}.")
    return "/" + "/".join(urllib.parse.quote(word, safe="") for word in words)


def header(name: str, value: str) -> dict[str, str]:
    """Return a header. Raises ConfigurationError for a value that is empty, or that no header can hold."""
    if not value.strip() or not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{name} cannot be {value!r}.")
    return {name: value}


def may_have_arrived(outcome: Outcome) -> bool:
    """Return whether the server may have carried out a call that came to this."""
    if isinstance(outcome, httpx2.Response):
        return outcome.status_code != TOO_MANY
    return not isinstance(outcome, NEVER_RECEIVED)


def pause_before_retry(call: Call, outcome: Outcome, retries: int, retry_after: float | None) -> float | None:
    """Return for how many seconds to wait before the call is made again; None when it is not.

    ``retries`` were made before, and the server has asked for ``retry_after`` seconds.
    """
    if isinstance(outcome, httpx2.Response):
        if outcome.status_code not in WORTH_ANOTHER_TRY or (retry_after or 0) > LONGEST_PAUSE:
            return None
    elif isinstance(outcome, NEVER_RIGHT):
        return None
    if may_have_arrived(outcome) and not call.is_repeatable:
        return None
    return max(retry_after or 0.0, back_off(retries))


def back_off(retries: int) -> float:
    """Return half a second, then twice as long each time up to 8 s, less up to a half at random."""
    return float(min(8.0, 0.5 * 2**retries)) * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
