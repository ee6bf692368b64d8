"""Names that change their minds: a real name server, real connections over TLS, and no development mode.

127.0.0.2 plays the public Internet here, and 127.0.0.1 the operator's own machine; a receiver stands on both.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Network
from typing import Any

import dns.asyncresolver
import dns.exception
import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from tests.names import Names
from webhooks import addresses
from webhooks.transport import Failure, Transport

HOST = "hooks.acme.example"
PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
REFUSED = Failure.REFUSED_ADDRESS
Post = Callable[[], Awaitable[Failure | int | None]]


class RealResolver(AbstractResolver):
    """Asks the test's name server, for A and AAAA, each time."""

    def __init__(self) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        host, _, port = settings.AGENTPOST_DNS_SERVERS[0].partition(":")
        self._resolver.nameservers, self._resolver.port = [host], int(port)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [str(each) for kind in ("A", "AAAA") for each in await self._ask(host, kind)]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def _ask(self, host: str, kind: str) -> Any:
        try:
            return await self._resolver.resolve(host, kind)
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            return []

    async def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture(autouse=True)
def _internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    loopback = IPv4Network("127.0.0.0/8")
    kept = [block for block in addresses.REFUSED_IPV4 if block != loopback]
    monkeypatch.setattr(addresses, "REFUSED_IPV4", (*kept, IPv4Network(f"{PRIVATE}/32")))
    addresses.check_url.cache_clear()
    yield
    addresses.check_url.cache_clear()


def sockets_of_one_port() -> tuple[socket.socket, socket.socket]:
    """Return a socket at each address, both of a port that nobody else has at either."""
    while True:
        public, private = socket.create_server((PUBLIC, 0)), socket.socket()
        try:
            private.bind((PRIVATE, public.getsockname()[1]))
        except OSError:
            public.close()
            private.close()
        else:
            return public, private


class Receivers:
    """One receiver on either address, behind one port; each POST is noted by where it came in."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.closes = False

    async def hook(self, request: web.Request) -> web.Response:
        self.reached.append(request.get_extra_info("sockname")[0])
        answer = web.Response()
        if self.closes:
            answer.force_close()
        return answer

    @asynccontextmanager
    async def listening(self, **options: Any) -> AsyncIterator[Post]:
        """Yield what posts to the name once, and returns what went wrong, or the status."""
        authority, server, client = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        authority.issue_cert(HOST).configure_cert(server)
        authority.configure_trust(client)
        application = web.Application()
        application.router.add_post("/", self.hook)
        runner = web.AppRunner(application)
        await runner.setup()
        public, private = sockets_of_one_port()
        port = public.getsockname()[1]
        for listener in (public, private):
            await web.SockSite(runner, listener, ssl_context=server).start()
        try:
            async with Transport(resolver=RealResolver(), tls=client, **options) as transport:

                async def post() -> Failure | int | None:
                    answer = await transport.post(f"https://{HOST}:{port}/", b"{}", {}, timeout=5)
                    return answer.error or answer.status

                yield post
        finally:
            await runner.cleanup()


def test_a_name_that_turns_private_is_refused_at_its_next_connection(dns: Names) -> None:
    receivers = Receivers()
    receivers.closes = True

    async def exchange() -> list[Any]:
        async with receivers.listening(dns_cache_seconds=0) as post:
            dns.put(HOST, "A", PUBLIC)
            first = await post()
            dns.put(HOST, "A", PRIVATE)
            return [first, await post()]

    assert asyncio.run(exchange()) == [200, REFUSED]
    assert receivers.reached == [PUBLIC]


def test_a_connection_that_is_kept_alive_stays_where_it_was_judged(dns: Names) -> None:
    receivers = Receivers()

    async def exchange() -> list[Any]:
        async with receivers.listening(dns_cache_seconds=0) as post:
            dns.put(HOST, "A", PUBLIC)
            results = [await post()]
            dns.put(HOST, "A", PRIVATE)
            results.append(await post())  # over the connection that there is
            receivers.closes = True
            results.append(await post())  # over it still, for the last time
            return [*results, await post()]

    assert asyncio.run(exchange()) == [200, 200, 200, REFUSED]
    assert receivers.reached == [PUBLIC] * 3


def test_posts_at_once_beside_a_kept_connection_are_judged_each(dns: Names) -> None:
    receivers = Receivers()

    async def exchange() -> list[Any]:
        async with receivers.listening(dns_cache_seconds=0) as post:
            dns.put(HOST, "A", PUBLIC)
            await post()
            dns.put(HOST, "A", PRIVATE)
            return await asyncio.gather(*(post() for _ in range(5)))

    results = asyncio.run(exchange())
    assert sorted(results, key=str) == [200, *[REFUSED] * 4]
    assert set(receivers.reached) == {PUBLIC}


def test_an_answer_of_the_name_server_that_is_remembered_is_judged_at_every_use(
    dns: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers = Receivers()
    receivers.closes = True

    async def exchange() -> list[Any]:
        async with receivers.listening(dns_cache_seconds=60) as post:
            dns.put(HOST, "A", PUBLIC)
            first = await post()
            monkeypatch.setattr(addresses, "REFUSED_IPV4", (IPv4Network("127.0.0.0/8"),))
            return [first, await post()]

    assert asyncio.run(exchange()) == [200, REFUSED]


MIXTURES = [  # A, AAAA, what comes of it
    ([PUBLIC], ["::1"], 200),
    ([PRIVATE, PUBLIC], [], 200),
    ([PRIVATE, PUBLIC], ["fd00:ec2::254", "fe80::1"], 200),
    ([PRIVATE], ["::1"], REFUSED),
    ([PRIVATE], ["::ffff:7f00:2"], REFUSED),
    ([], ["::ffff:7f00:1"], REFUSED),
    ([], ["64:ff9b::7f00:1", "2002:7f00:1::1"], REFUSED),
    (["100.64.0.1", "169.254.169.254"], ["fd00:ec2::254"], REFUSED),
]


@pytest.mark.parametrize(("ipv4", "ipv6", "result"), MIXTURES)
def test_of_several_addresses_only_public_ones_are_connected_to(
    dns: Names, ipv4: list[str], ipv6: list[str], result: Any
) -> None:
    receivers = Receivers()

    async def exchange() -> Any:
        async with receivers.listening() as post:
            dns.put(HOST, "A", *ipv4)
            dns.put(HOST, "AAAA", *ipv6)
            return await post()

    assert asyncio.run(exchange()) == result
    assert receivers.reached == ([PUBLIC] if result == 200 else [])


def test_an_alias_is_judged_by_the_address_at_its_end(dns: Names) -> None:
    receivers = Receivers()

    async def exchange() -> Any:
        async with receivers.listening() as post:
            dns.put(HOST, "CNAME", "inside.acme.example")
            dns.put("inside.acme.example", "A", PRIVATE)
            return await post()

    assert asyncio.run(exchange()) == REFUSED
    assert receivers.reached == []
