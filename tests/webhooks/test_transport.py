import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from webhooks.transport import MAX_BODY_KEPT, Answer, Failure, Transport, retry_after_seconds

HOOK = b'{"type":"message.received"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver:
    """A server on loopback that reads one request per connection and then does what `behaviour` says."""

    def __init__(self, behaviour: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.behaviour = behaviour
        self.connections = 0
        self.requests: list[bytes] = []

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head + await reader.readexactly(len(HOOK)))
            await self.behaviour(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()


class Closing:
    """A server that answers the first request of its first connections, and ends each at the next one.

    It ends with ``word``, or with a reset where that is None. ``answered`` is how many connections it answers on.
    """

    def __init__(self, answered: int, word: bytes | None = b"") -> None:
        self.answered = answered
        self.word = word
        self.connections = 0
        self.posts = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if self.connections <= self.answered:
                await self._post(reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            await self._post(reader)
            writer.write(self.word or b"")
            if self.word is None:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    async def _post(self, reader: asyncio.StreamReader) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(HOOK))
        self.posts += 1

    def answers(self, posts: int) -> list[Answer]:
        """Return what so many POSTs bring, one after another."""

        async def exchange() -> list[Answer]:
            async with self.listening() as port, Transport(development=True) as transport:
                url = f"http://127.0.0.1:{port}/hook"
                return [await transport.post(url, HOOK, {}, timeout=10) for _ in range(posts)]

        return asyncio.run(exchange())


class Silent(Closing):
    """One that says nothing more on any further connection, and lets it stand."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.connections >= self.answered:
            self.connections += 1
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(30)
            writer.close()
            return
        await super()._serve(reader, writer)


class Names(AbstractResolver):
    """A resolver whose answers are given in advance; the last one is repeated."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        """Nothing is held open."""


def replying(raw: bytes) -> Receiver:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return Receiver(reply)


def replying_and_waiting(raw: bytes) -> Receiver:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        await asyncio.sleep(30)

    return Receiver(reply)


def answer_of(receiver: Receiver, *, timeout: float = 10.0, headers: dict[str, str] | None = None) -> Answer:
    async def exchange() -> Answer:
        async with receiver.listening() as port, Transport(development=True) as transport:
            return await transport.post(f"http://127.0.0.1:{port}/hook", HOOK, headers or {}, timeout=timeout)

    return asyncio.run(exchange())


def answer_to(url: str, *, development: bool = False, resolver: AbstractResolver | None = None) -> Answer:
    async def exchange() -> Answer:
        async with Transport(development=development, resolver=resolver) as transport:
            return await transport.post(url, HOOK, {}, timeout=10)

    return asyncio.run(exchange())


def test_a_2xx_answer_is_a_success() -> None:
    answer = answer_of(replying(OK))
    assert (answer.status, answer.body, answer.error, answer.retry_after) == (200, "ok", None, None)
    assert answer.is_success


def test_the_receiver_gets_the_exact_body_and_our_headers() -> None:
    receiver = replying(OK)
    answer_of(receiver, headers={"webhook-id": "evt_01J", "user-agent": "acme/2"})
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert body == HOOK
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    lines = head.lower().split(b"\r\n")
    assert {b"webhook-id: evt_01j", b"user-agent: acme/2", b"content-type: application/json"} <= set(lines)
    assert b"accept-encoding: identity" in lines


@pytest.mark.parametrize("status", [101, 300, 304, 400, 404, 410, 429, 500, 503, 999])
def test_an_answer_other_than_2xx_is_an_answer_but_no_success(status: int) -> None:
    answer = answer_of(replying(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()))
    assert (answer.status, answer.error) == (status, None)
    assert not answer.is_success


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    receiver = replying(f"HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".encode())
    assert answer_of(receiver).status == status
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_this_machine_reaches_nobody(status: int) -> None:
    inside = replying(OK)

    async def exchange() -> int | None:
        async with inside.listening() as port:
            where = f"http://127.0.0.1:{port}/admin"
            outside = replying(f"HTTP/1.1 {status} X\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
            async with outside.listening() as outer, Transport(development=True) as transport:
                return (await transport.post(f"http://127.0.0.1:{outer}/hook", HOOK, {}, timeout=5)).status

    assert asyncio.run(exchange()) == status
    assert inside.connections == 0


def test_a_connection_is_kept_alive_and_cookies_are_not() -> None:
    seen: list[tuple[Any, bool]] = []

    async def hook(request: web.Request) -> web.Response:
        seen.append((request.get_extra_info("peername"), "Cookie" in request.headers))
        return web.Response(headers={"Set-Cookie": "session=1"})

    async def exchange() -> None:
        async with served(hook) as port, Transport(development=True) as transport:
            for _ in range(3):
                await transport.post(f"http://localhost:{port}/", HOOK, {})

    asyncio.run(exchange())
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert not seen[0][1]


@asynccontextmanager
async def served(hook: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    application = web.Application(client_max_size=2**25)
    application.router.add_post("/", hook)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def test_a_body_of_megabytes_arrives_whole() -> None:
    async def hook(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def exchange() -> Answer:
        async with served(hook) as port, Transport(development=True) as transport:
            return await transport.post(f"http://127.0.0.1:{port}/", b"x" * 5_000_000, {})

    assert asyncio.run(exchange()).body == "5000000"


def test_only_the_first_4_kb_of_an_endless_answer_are_read() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 65_536)
            await writer.drain()

    answer = answer_of(Receiver(flood))
    assert answer.is_success
    assert answer.body == "a" * MAX_BODY_KEPT


def test_a_compressed_answer_is_not_unpacked() -> None:
    raw = b"\x1f\x8b\x08" + b"\xff" * 20
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    answer = answer_of(replying(head + raw))
    assert answer.is_success
    assert answer.body == raw.decode("utf-8", "replace")


def test_a_body_of_any_bytes_becomes_text_without_nul() -> None:
    answer = answer_of(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na\x00\xffb\xc3"))
    assert answer.body == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("beginning", "drop", "status", "body"),
    [
        (b"", b"", None, ""),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", None, ""),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", None, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nbegun", b" ", 200, "begun"),
    ],
    ids=["status line", "interim answers", "headers", "body"],
)
def test_a_receiver_that_drips_runs_into_the_time_out(
    beginning: bytes,
    drop: bytes,
    status: int | None,
    body: str,
) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(drop)

    answer = answer_of(Receiver(drip), timeout=0.4)
    assert (answer.status, answer.error) == (status, Failure.TIMEOUT)
    assert answer.body.strip() == body
    assert answer.is_success == (status == 200)  # the status line is the answer


def test_a_body_that_does_not_come_holds_no_place_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.transport.SECONDS_FOR_BODY", 0.2)
    answer = answer_of(replying_and_waiting(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow"), timeout=20.0)
    assert (answer.is_success, answer.error, answer.body) == (True, Failure.TIMEOUT, "slow")
    assert answer.duration_ms < 10_000


@pytest.mark.parametrize("word", [b"", None], ids=["end", "reset"])
def test_a_connection_that_is_closed_under_a_post_is_replaced_by_a_fresh_one(word: bytes | None) -> None:
    receiver = Closing(2, word)
    answers = receiver.answers(2)
    assert [(answer.status, answer.error) for answer in answers] == [(200, None)] * 2
    assert (receiver.connections, receiver.posts) == (2, 3)


def test_a_post_is_made_once_more_and_not_twice() -> None:
    receiver = Closing(1)
    _, answer = receiver.answers(2)
    assert (answer.status, answer.error) == (None, Failure.CONNECTION)
    assert (receiver.connections, receiver.posts) == (2, 3)


def test_a_post_is_made_once_more_within_its_own_time() -> None:
    async def exchange() -> Answer:
        async with receiver.listening() as port, Transport(development=True) as transport:
            url = f"http://127.0.0.1:{port}/hook"
            await transport.post(url, HOOK, {}, timeout=10)
            return await transport.post(url, HOOK, {}, timeout=0.5)

    receiver = Silent(1)
    assert asyncio.run(exchange()).error is Failure.TIMEOUT
    assert receiver.connections == 2


@pytest.mark.parametrize(
    "word",
    [b"H", b"HTTP/1.1 200", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["octet", "status line", "interim answer", "headers"],
)
def test_a_post_whose_answer_had_begun_is_not_made_again(word: bytes) -> None:
    receiver = Closing(5, word)
    _, answer = receiver.answers(2)
    assert (answer.status, answer.is_success) == (None, False)
    assert (receiver.connections, receiver.posts) == (1, 2)


def test_a_new_connection_that_is_closed_without_an_answer_is_a_failure() -> None:
    receiver = Closing(0)
    [answer] = receiver.answers(1)
    assert answer.error is Failure.CONNECTION
    assert receiver.posts == 1


def test_a_receiver_that_never_reads_runs_into_the_time_out() -> None:
    async def exchange() -> Answer:
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            port = listener.getsockname()[1]
            async with Transport(development=True) as transport:
                return await transport.post(f"http://127.0.0.1:{port}/", b"x" * 20_000_000, {}, timeout=0.3)

    assert asyncio.run(exchange()).error is Failure.TIMEOUT


def test_waiting_for_a_free_connection_is_told_apart_from_a_slow_receiver() -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def exchange() -> tuple[list[Failure | None], int]:
        receiver = Receiver(hang)
        async with receiver.listening() as port, Transport(development=True, connections_per_host=1) as transport:
            url = f"http://127.0.0.1:{port}/"
            first = asyncio.create_task(transport.post(url, HOOK, {}, timeout=0.6))
            await asyncio.sleep(0.1)
            second = await transport.post(url, HOOK, {}, timeout=0.2)
            return [(await first).error, second.error], len(receiver.requests)

    assert asyncio.run(exchange()) == ([Failure.TIMEOUT, Failure.BUSY], 1)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", Failure.CONNECTION),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Failure.CONNECTION),
        (b"220 mail.example ESMTP\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000 + b"\r\n\r\n", Failure.LARGE_HEADERS),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n", Failure.LARGE_HEADERS),
    ],
    ids=["nothing", "short body", "not HTTP", "bad header", "long header", "many headers"],
)
def test_a_broken_answer_has_a_name(raw: bytes, error: Failure) -> None:
    answer = answer_of(replying(raw))
    assert answer.error is error
    assert answer.is_success == (answer.status == 200)


def test_a_closed_port_is_a_connection_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        answer = answer_to(f"http://127.0.0.1:{port}/", development=True)
    assert (answer.status, answer.error) == (None, Failure.CONNECTION)


def test_an_unknown_name_is_a_dns_error() -> None:
    assert answer_to("https://hooks.acme.example/", resolver=Names([])).error is Failure.DNS


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://example.com/", Failure.INVALID_URL),
        ("https://user:pass@example.com/", Failure.INVALID_URL),
        ("not a URL", Failure.INVALID_URL),
        ("https://10.0.0.1/", Failure.REFUSED_ADDRESS),
        ("https://127.0.0.1/", Failure.REFUSED_ADDRESS),
        ("https://169.254.169.254/", Failure.REFUSED_ADDRESS),
        ("https://[::ffff:169.254.169.254]/", Failure.REFUSED_ADDRESS),
        ("https://2130706433/", Failure.REFUSED_ADDRESS),
        ("https://localhost/", Failure.REFUSED_ADDRESS),
    ],
)
def test_a_url_that_is_not_allowed_is_not_looked_up(url: str, error: Failure) -> None:
    names = Names(["127.0.0.1"])
    assert answer_to(url, resolver=names).error is error
    assert names.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Evil", "a\r\nX-Injected: b"),
        ("X-Evil", "a\x00b"),
        ("X Evil", "a"),
        ("", "a"),
        ("X-Evil", "\ud800"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Host", "internal.example"),
        ("Expect", "100-continue"),
    ],
)
def test_a_header_that_would_change_the_framing_is_refused(name: str, value: str) -> None:
    receiver = replying(OK)
    assert answer_of(receiver, headers={name: value}).error is Failure.INVALID_HEADERS
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.1", "fd00:ec2::254"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::1"],
        ["::127.0.0.1"],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104 -- an address to judge, not to bind
        ["fe80::1%lo"],
        ["168.63.129.16"],
        ["localhost"],
        ["2130706433"],
        ["0177.0.0.1"],
    ],
)
def test_a_name_that_resolves_to_refused_addresses_is_not_connected_to(addresses: list[str]) -> None:
    async def exchange() -> Answer:
        async with receiver.listening() as port, Transport(resolver=Names(addresses)) as transport:
            return await transport.post(f"https://hooks.acme.example:{port}/", HOOK, {}, timeout=5)

    receiver = replying(OK)
    assert asyncio.run(exchange()).error is Failure.REFUSED_ADDRESS
    assert receiver.connections == 0


def test_a_literal_address_is_judged_at_the_socket_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.transport.check_url", lambda *_, **__: None)

    async def exchange() -> Answer:
        async with receiver.listening() as port, Transport() as transport:
            return await transport.post(f"http://127.0.0.1:{port}/", HOOK, {}, timeout=5)

    receiver = replying(OK)
    assert asyncio.run(exchange()).error is Failure.REFUSED_ADDRESS
    assert receiver.connections == 0


@pytest.mark.parametrize("private", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_a_name_that_is_rebound_between_two_connections_is_judged_anew(private: str) -> None:
    async def exchange() -> list[Failure | None]:
        async with (
            receiver.listening() as port,
            Transport(development=True, resolver=Names(["127.0.0.1"], [private]), dns_cache_seconds=0) as transport,
        ):
            url = f"http://rebound.localhost:{port}/"
            return [(await transport.post(url, HOOK, {}, timeout=5)).error for _ in range(2)]

    receiver = replying(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert asyncio.run(exchange()) == [None, Failure.REFUSED_ADDRESS]
    assert receiver.connections == 1


def test_the_permitted_one_of_several_addresses_is_used() -> None:
    async def exchange() -> Answer:
        async with (
            receiver.listening() as port,
            Transport(development=True, resolver=Names(["10.0.0.1", "fd00::1", "127.0.0.1"])) as transport,
        ):
            return await transport.post(f"http://several.localhost:{port}/", HOOK, {}, timeout=5)

    receiver = replying(OK)
    assert asyncio.run(exchange()).is_success


def test_a_proxy_from_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert answer_of(replying(OK)).is_success


@pytest.mark.parametrize(
    ("certified", "trusted", "error"),
    [
        ("hooks.acme.example", True, None),
        ("hooks.globex.example", True, Failure.TLS),
        ("hooks.acme.example", False, Failure.TLS),
    ],
    ids=["right name", "another's name", "unknown authority"],
)
def test_the_certificate_must_be_trusted_and_name_the_host(
    certified: str,
    trusted: bool,
    error: Failure | None,
) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(certified).configure_cert(server)
    if trusted:
        authority.configure_trust(client)

    async def exchange() -> Answer:
        names = Names(["127.0.0.1"])
        async with (
            replying(OK).listening(server) as port,
            Transport(development=True, resolver=names, tls=client) as transport,
        ):
            return await transport.post(f"https://hooks.acme.example:{port}/", HOOK, {}, timeout=5)

    assert asyncio.run(exchange()).error is error


def test_plain_http_behind_an_https_url_is_a_tls_error() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()

    async def exchange() -> Answer:
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with server, Transport(development=True) as transport:
            port = server.sockets[0].getsockname()[1]
            return await transport.post(f"https://127.0.0.1:{port}/", HOOK, {}, timeout=5)

    assert asyncio.run(exchange()).error is Failure.TLS


def test_the_answer_says_when_to_come_back() -> None:
    answer = answer_of(replying(b"HTTP/1.1 429 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
    assert (answer.status, answer.retry_after) == (429, 120)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 0120 ", 120),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Sun, 08 Mar 2026 14:32:00 GMT", 120),
        ("Sun, 08 Mar 2026 14:29:00 GMT", 0),
        ("Sun, 08 Mar 2099 14:29:00 GMT", 86_400),
        ("Sunday, 08-Mar-26 14:32:00 GMT", 120),
        ("Sun Mar  8 14:32:00 2026", 120),
        ("Sun, 08 Mar 2026 14:32:00 -0000", 120),
        ("Sun, 99 Mar 2026 14:32:00 GMT", None),
        ("Sun, 08 Mar 2026 14:32:00 +9999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: int | None) -> None:
    assert retry_after_seconds(value, datetime(2026, 3, 8, 14, 30, tzinfo=UTC)) == seconds
