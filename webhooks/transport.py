"""Posting to strangers' servers: one bounded attempt, to public addresses only, that always ends in an answer."""

import asyncio
import contextlib
import functools
import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Self
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from webhooks.addresses import TargetAddressError, TargetError, check_url, is_permitted

MAX_BODY_KEPT = 4096
MAX_RETRY_AFTER = 24 * 60 * 60
LARGE_BODY = 2**20
SECONDS_FOR_BODY = 5.0  # once the status is known: the rest is for the log alone
# Shorter than the idle time-outs of the usual receivers (5 s and more), which would else close under our next POST.
KEEP_ALIVE_SECONDS = 4.0
DEFAULT_HEADERS = {
    "User-Agent": "AgentPost-Webhooks/1",
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
FRAMING_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    },
)

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Failure(StrEnum):
    """Why a POST brought no complete answer."""

    TIMEOUT = "timeout"  # the time ran out anywhere between looking the name up and the last byte
    BUSY = "busy"  # the time ran out waiting for one of our own connections to this host; nothing was sent
    DNS = "dns"  # the host's name could not be resolved
    REFUSED_ADDRESS = "refused address"  # every address of the host is private, loopback, metadata, ...
    CONNECTION = "connection"  # refused, unreachable, reset, or closed before the answer was complete
    TLS = "tls"  # no TLS, or a certificate that does not verify
    PROTOCOL = "protocol"  # the answer is not HTTP
    LARGE_HEADERS = "too large headers"  # a header over 8 KB, or more than 128 of them
    INVALID_URL = "invalid url"  # check_url() refuses it
    INVALID_HEADERS = "invalid headers"  # a request header that is malformed or would change the framing


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one POST.

    `status` is None when no status line arrived; it may be set beside an `error` that struck later. `body` is the first
    4 KB, as UTF-8 with anything else (and NUL) replaced. `retry_after` is in seconds, at most a day.
    """

    status: int | None
    body: str
    error: Failure | None
    duration_ms: int
    retry_after: int | None

    @property
    def is_success(self) -> bool:
        """Whether the status line of a 2xx answer arrived in time; what became of its body does not matter."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class RefusedAddressError(OSError):
    """A connection was about to be made to an address that no webhook may be sent to."""

    def __init__(self) -> None:
        """Set the one text: aiohttp keeps the type of several connection errors only if their texts agree."""
        super().__init__("refused address")


class NothingCameError(aiohttp.ClientConnectionError):
    """A connection that had served another POST was lost before one octet of an answer to this one had come."""


class _Conversation(ResponseHandler):
    """A connection that tells whether it was closed at rest, without a word of an answer, or in the middle of one."""

    _has_answered = False
    _requests = 0

    def set_response_params(self, **parameters: Any) -> None:
        """Begin to wait for the answer to a further request."""
        self._has_answered = False
        self._requests += 1
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        """Take what the receiver sends."""
        self._has_answered = True
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell whoever waits for the answer that there will be none."""
        if isinstance(exc, LOST) and self._requests > 1 and not self._has_answered:
            super().set_exception(NothingCameError(str(exc)), exc)
        else:
            super().set_exception(exc, *cause)


class _Connector(aiohttp.TCPConnector):
    """A pool of conversations."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        kind: type[ResponseHandler] = _Conversation
        self._factory = functools.partial(kind, loop=self._loop)


LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError, BrokenPipeError)


@dataclass(slots=True)
class _Exchange:
    """What is known so far of one POST, kept when it is cut short."""

    is_waiting: bool = True
    status: int | None = None
    body: bytes = b""
    retry_after: int | None = None


class Transport:
    """A pool of kept-alive connections to webhook receivers, shared by every POST of one event loop.

    Never follows redirects, keeps no cookies, ignores proxy variables and does not decompress. The address of every new
    connection is judged on the way into connect(), so neither rebinding names nor literal addresses get around it.
    """

    def __init__(
        self,
        *,
        development: bool = False,
        connections_per_host: int = 32,
        resolver: AbstractResolver | None = None,
        dns_cache_seconds: int = 10,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Open the pool; needs a running event loop.

        `development` permits loopback targets. `resolver` replaces the system's name resolution and stays the caller's
        to close; its answers are reused for `dns_cache_seconds` and judged at every use. `tls` replaces the system's
        trust roots. There is no limit over all hosts: the caller bounds that.
        """
        self._development = development
        self._connections_per_host = connections_per_host
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        connector = functools.partial(
            _Connector,
            limit=0,
            resolver=resolver,
            ttl_dns_cache=dns_cache_seconds,
            ssl=tls or True,
            socket_factory=_guarded_sockets(development=development),
        )
        self._session = _session(connector(keepalive_timeout=KEEP_ALIVE_SECONDS))
        self._fresh = _session(connector(force_close=True))  # each POST has a connection of its own

    async def __aenter__(self) -> Self:
        """Return the transport itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections. Let the POSTs under way end first: they are cut off, and no further one is taken."""
        await self._session.close()
        await self._fresh.close()

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout: float = 30.0,  # noqa: ASYNC109 -- the time-out is part of the answer, not an exception
    ) -> Answer:
        """Post `body` and return the answer, complete or not, at most `timeout` seconds later.

        Raises nothing that a receiver, a network, a URL or a header can cause: see Failure. `headers` go on top of
        DEFAULT_HEADERS and may name none of FRAMING_HEADERS.
        """
        started = time.monotonic()
        exchange = _Exchange()
        error = self._objection(url, headers)
        if error is None:
            error = await self._attempt(url, body, headers, timeout, exchange)
        return Answer(
            status=exchange.status,
            body=exchange.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
            error=error,
            duration_ms=round((time.monotonic() - started) * 1000),
            retry_after=exchange.retry_after,
        )

    def _objection(self, url: str, headers: Mapping[str, str]) -> Failure | None:
        try:
            check_url(url, development=self._development)
        except TargetAddressError:
            return Failure.REFUSED_ADDRESS
        except TargetError:
            return Failure.INVALID_URL
        if all(is_permitted_header(name, value) for name, value in headers.items()):
            return None
        return Failure.INVALID_HEADERS

    async def _attempt(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        seconds: float,
        exchange: _Exchange,
    ) -> Failure | None:
        try:
            async with asyncio.timeout(seconds), self._place(url):
                exchange.is_waiting = False
                await self._exchange_at_all(url, body, headers, exchange)
        except TimeoutError:
            return Failure.BUSY if exchange.is_waiting else Failure.TIMEOUT
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error)
        return None

    def _place(self, url: str) -> asyncio.Semaphore:
        """Return the places of the URL's host, shared by all who post there now and forgotten with the last of them."""
        host = URL(url).raw_authority
        if (places := self._places.get(host)) is None:
            places = self._places[host] = asyncio.Semaphore(self._connections_per_host)
        return places

    async def _exchange_at_all(self, url: str, body: bytes, headers: Mapping[str, str], exchange: _Exchange) -> None:
        """Post; once more on a fresh connection if one at rest was closed without a word (RFC 9112, 9.3.1)."""
        try:
            await self._exchange(self._session, url, body, headers, exchange)
        except NothingCameError:
            await self._exchange(self._fresh, url, body, headers, exchange)

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        exchange: _Exchange,
    ) -> None:
        response = await session.post(
            url,
            data=body if len(body) <= LARGE_BODY else io.BytesIO(body),
            headers=headers,
            allow_redirects=False,
        )
        try:
            exchange.status = response.status
            exchange.retry_after = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
            async with asyncio.timeout(None if response.content.is_eof() else SECONDS_FOR_BODY):
                await _read_beginning(response.content, exchange)
        finally:
            response.close()


def is_permitted_header(name: str, value: str) -> bool:
    """Tell whether a request header is well formed and leaves the framing of the message alone (RFC 9110, 5.1, 5.5)."""
    return _is_permitted_name(name) and (value.isprintable() or value.replace("\t", " ").isprintable())


@functools.lru_cache(maxsize=1024)
def _is_permitted_name(name: str) -> bool:
    return bool(_HEADER_NAME.fullmatch(name)) and name.lower() not in FRAMING_HEADERS


def retry_after_seconds(value: str | None, now: datetime) -> int | None:
    """Return what a Retry-After header asks for, in seconds from `now` between 0 and a day (RFC 9110, 10.2.3).

    Takes seconds and HTTP dates; None for neither.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text.lstrip("0")[:9] or "0"), MAX_RETRY_AFTER)
    with contextlib.suppress(ValueError, OverflowError):
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0, round((aware - now).total_seconds())), MAX_RETRY_AFTER)
    return None


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=DEFAULT_HEADERS,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=MAX_BODY_KEPT,
    )


async def _read_beginning(content: aiohttp.StreamReader, exchange: _Exchange) -> None:
    while missing := MAX_BODY_KEPT - len(exchange.body):
        chunk = await content.read(missing)
        if not chunk:
            return
        exchange.body += chunk


def _failure(error: aiohttp.ClientError | OSError) -> Failure:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, RefusedAddressError):
        return Failure.REFUSED_ADDRESS
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure.LARGE_HEADERS if _has_large_headers(error) else Failure.PROTOCOL
    for kinds, failure in _FAILURES:
        if isinstance(error, kinds):
            return failure
    return Failure.CONNECTION


_FAILURES: tuple[tuple[tuple[type[Exception], ...], Failure], ...] = (
    ((aiohttp.ClientConnectorDNSError,), Failure.DNS),
    ((aiohttp.ClientSSLError, ssl.SSLError), Failure.TLS),
    ((aiohttp.InvalidURL,), Failure.INVALID_URL),
)


def _has_large_headers(error: aiohttp.ClientResponseError) -> bool:
    return error.message.strip().startswith(("Got more than", "Too many headers"))


def _guarded_sockets(*, development: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Return the maker of every socket, which sees the very address that connect() gets, literal or resolved."""

    def open_socket(address_info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not _is_permitted_peer(str(address[0]), development=development):
            raise RefusedAddressError
        return socket.socket(family, kind, protocol)

    return open_socket


def _is_permitted_peer(host: str, *, development: bool) -> bool:
    try:
        return is_permitted(ip_address(host), development=development)
    except ValueError:
        return False
