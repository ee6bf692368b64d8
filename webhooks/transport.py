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
from types import SimpleNamespace
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
    """The connection was lost before one octet of an answer had come."""


class _Conversation(ResponseHandler):
    """A connection that tells one lost in the middle of an answer from one lost without a word of it."""

    _has_answered = False

    def set_response_params(self, **parameters: Any) -> None:
        """Begin to wait for the answer to a further request."""
        self._has_answered = False
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        """Take what the receiver sends."""
        self._has_answered = True
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Tell whoever waits for the answer that there will be none."""
        if isinstance(exc, LOST) and not self._has_answered:
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
    is_reused: bool = False  # the connection: it served another POST before
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
        return self._places.setdefault(URL(url).raw_authority, asyncio.Semaphore(self._connections_per_host))

    async def _exchange_at_all(self, url: str, body: bytes, headers: Mapping[str, str], exchange: _Exchange) -> None:
        """Post; once more on a fresh connection if one at rest was closed without a word (RFC 9112, 9.3.1)."""
        try:
            await self._exchange(self._session, url, body, headers, exchange)
        except NothingCameError:
            if not exchange.is_reused:
                raise
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
            trace_request_ctx=exchange,
        )
        try:
            exchange.status = response.status
            exchange.retry_after = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
            async with asyncio.timeout(SECONDS_FOR_BODY):
                await _read_beginning(response.content, exchange)
        finally:
            response.close()


def is_permitted_header(name: str, value: str) -> bool:
    """Tell whether a request header is well formed and leaves the framing of the message alone (RFC 9110, 5.1, 5.5)."""
    is_well_formed = _HEADER_NAME.fullmatch(name) and value.replace("\t", " ").isprintable()
    return bool(is_well_formed) and name.lower() not in FRAMING_HEADERS


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
    reuse = aiohttp.TraceConfig()
    reuse.on_connection_reuseconn.append(_note_reuse)
    return aiohttp.ClientSession(
        connector=connector,
        trace_configs=[reuse],
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=DEFAULT_HEADERS,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=MAX_BODY_KEPT,
    )


async def _note_reuse(_session: aiohttp.ClientSession, context: SimpleNamespace, _about: object) -> None:
    context.trace_request_ctx.is_reused = True


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
