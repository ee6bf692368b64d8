"""How mail finds its recipients' own servers, and what becomes of it there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings

from mail.transports.direct import DirectToMx
from mail.transports.names import Names
from mail.transports.session import Manner, Patience
from mail.transports.targets import Reach
from tests.mail.sink import DROP, GARBAGE, Sink, Slow, running_sink
from tests.mail.smtpd import free_port
from tests.mail.transports.test_smtp_relay import HERE, handed_over, no, parcel, result_of, yes, yes_at_first
from tests.names import Names as Zone

QUICK = Patience(connect=1, command=1, data=1, overall=10)


class Internet:
    """Mail servers on one port of several addresses."""

    def __init__(self, stack: ExitStack) -> None:
        self.port = free_port()
        self._stack = stack

    def server(self, host: str = "127.0.0.1", **options: Any) -> Sink:
        return self._stack.enter_context(running_sink(host=host, port=self.port, **options))

    def carrier(self, reach: Reach = HERE, patience: Patience = QUICK) -> DirectToMx:
        names = Names(settings.AGENTPOST_DNS_SERVERS, seconds=1)
        return DirectToMx(self.port, Manner("agentpost.example", patience=patience), reach, names)


@pytest.fixture
def internet() -> Iterator[Internet]:
    with ExitStack() as stack:
        yield Internet(stack)


@pytest.fixture
def zone(dns: Zone) -> Zone:
    """Let example.com have two mail servers, and more that are asked for by name."""
    dns.put("example.com", "MX", (20, "second.example.com"), (10, "first.example.com"))
    dns.put("first.example.com", "A", "127.0.0.2")
    dns.put("second.example.com", "A", "127.0.0.3")
    return dns


def test_the_preferred_server_gets_the_mail(zone: Zone, internet: Internet) -> None:
    first, second = internet.server("127.0.0.2"), internet.server("127.0.0.3")
    found = result_of(internet.carrier())
    assert (found.ending, found.host, len(first.taken), len(second.taken)) == ("delivered", "first.example.com", 1, 0)
    assert first.taken[0].sender == "b-1@acme.example"


FIRST_SERVER = [  # what it does, and where; how it ends then, and how many mails each of the two took
    ("banner", DROP, "delivered", (0, 1)),
    ("banner", "554 5.7.1 Not you", "delivered", (0, 1)),
    ("mail", "421 4.3.2 Bye", "delivered", (0, 1)),
    ("rcpt", "450 4.2.0 Greylisted", "delivered", (0, 1)),
    ("rcpt", DROP, "delivered", (0, 1)),
    ("data", DROP, "delivered", (0, 1)),
    ("end", "451 4.3.0 Later", "delivered", (0, 1)),
    ("rcpt", "550 5.1.1 Nobody", "refused", (0, 0)),
    ("end", "554 5.7.1 Spam", "refused", (0, 0)),
    ("end", DROP, "deferred", (1, 0)),  # it may have the mail: no other server may get it now
]


@pytest.mark.parametrize(("stage", "action", "ending", "took"), FIRST_SERVER)
def test_the_next_server_is_asked_when_the_first_one_has_no_time(
    zone: Zone, internet: Internet, stage: str, action: Any, ending: str, took: tuple[int, int]
) -> None:
    first, second = internet.server("127.0.0.2"), internet.server("127.0.0.3")
    first.always(stage, action)
    found = result_of(internet.carrier())
    assert (found.ending, (len(first.taken), len(second.taken))) == (ending, took), found


@pytest.mark.parametrize(("yeses", "heard"), [(2, [1, 0]), (3, [1, 1])])
def test_whether_a_mail_may_leave_is_asked_at_each_server_before_data_and_before_its_first_byte(
    zone: Zone, internet: Internet, yeses: int, heard: list[int]
) -> None:
    servers = internet.server("127.0.0.2"), internet.server("127.0.0.3")
    servers[0].always("end", "451 4.3.0 Later")
    found = result_of(internet.carrier(), may_leave=yes_at_first(yeses))
    assert (found.ending, [server.heard.count("DATA") for server in servers]) == ("withheld", heard)
    assert [server.taken for server in servers] == [[], []]


def test_what_may_not_leave_any_more_goes_to_no_server(zone: Zone, internet: Internet) -> None:
    servers = internet.server("127.0.0.2"), internet.server("127.0.0.3")
    assert result_of(internet.carrier(), may_leave=no).ending == "withheld"
    assert [server.taken for server in servers] == [[], []]


def test_without_a_server_that_answers_it_is_tried_again_later(zone: Zone, internet: Internet) -> None:
    found = result_of(internet.carrier())
    assert (found.ending, "cannot be reached" in found.reply) == ("deferred", True)


def test_a_domain_with_many_servers_has_few_of_them_tried(
    dns: Zone, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def unreachable(address: str, port: int, seconds: float) -> Any:
        tried.append(address)
        raise OSError

    monkeypatch.setattr("mail.transports.session.connected", unreachable)
    hosts = [f"mx{number}.example.com" for number in range(9)]
    dns.put("example.com", "MX", *((number, host) for number, host in enumerate(hosts)))
    for number, host in enumerate(hosts):
        dns.put(host, "A", *(f"127.1.{number}.{last}" for last in range(1, 30)))
    assert result_of(internet.carrier()).ending == "deferred"
    assert [address.split(".")[2] for address in tried] == list("000011112222")


DOMAINS = [  # records of example.com; how the mail ends, with which code
    ({}, "refused", "5.1.2"),  # there is no such domain
    ({"TXT": ["v=spf1 -all"]}, "refused", "5.4.4"),  # there is, and it has no server
    ({"MX": [(0, ".")]}, "refused", "5.1.10"),  # RFC 7505
    ({"A": ["127.0.0.2"]}, "delivered", ""),  # RFC 5321: the domain itself
    ({"MX": [(10, "first.example.com")], "A": ["127.0.0.9"]}, "delivered", ""),
    ({"MX": [(10, "nowhere.example.com")]}, "refused", "5.4.4"),
    ({"MX": [(5, "nowhere.example.com"), (10, "first.example.com")]}, "delivered", ""),
    ({"MX": [(5, "failing.example.com"), (10, "first.example.com")]}, "delivered", ""),
    ({"MX": [(5, "failing.example.com")]}, "deferred", "4.4.3"),
    ({"MX": [(5, "inner.example.com")]}, "refused", "5.4.4"),
    ({"MX": [(5, "127.0.0.2")]}, "refused", "5.4.4"),  # an address is no name of a host
]


@pytest.mark.parametrize(("records", "ending", "code"), DOMAINS)
def test_dns_decides_where_mail_goes(
    dns: Zone, internet: Internet, records: dict[str, list[Any]], ending: str, code: str
) -> None:
    for kind, values in records.items():
        dns.put("example.com", kind, *values)
    dns.put("first.example.com", "A", "127.0.0.2")
    dns.put("inner.example.com", "A", "10.0.0.1", "169.254.169.254")
    dns.failing.add("failing.example.com")
    internet.server("127.0.0.2")
    found = result_of(internet.carrier())
    expected = code if ending != "delivered" else "2.0.0"
    assert (found.ending, found.enhanced_code) == (ending, expected), found


def test_silent_dns_means_later(dns: Zone, internet: Internet) -> None:
    dns.silent.add("example.com")
    found = result_of(internet.carrier())
    assert (found.ending, found.enhanced_code) == ("deferred", "4.4.3")


def test_ipv6_and_ipv4_addresses_are_tried_in_turn(dns: Zone, internet: Internet) -> None:
    dns.put("example.com", "MX", (10, "mx.example.com"))
    dns.put("mx.example.com", "AAAA", "::1")
    dns.put("mx.example.com", "A", "127.0.0.2")
    four = internet.server("127.0.0.2")
    assert (result_of(internet.carrier()).ending, len(four.taken)) == ("delivered", 1)
    six = internet.server("::1")
    assert (result_of(internet.carrier()).ending, len(six.taken), len(four.taken)) == ("delivered", 1, 1)


@pytest.mark.parametrize(
    ("kind", "address"),
    [("A", "127.0.0.2"), ("A", "10.1.2.3"), ("A", "169.254.169.254"), ("AAAA", "::1"), ("AAAA", "fe80::1")],
)
def test_no_address_inside_is_ever_connected_to(dns: Zone, internet: Internet, kind: str, address: str) -> None:
    dns.put("example.com", "MX", (10, "mx.example.com"))
    dns.put("mx.example.com", kind, address)
    server = internet.server("127.0.0.2")
    found = result_of(internet.carrier(Reach()))
    assert (found.ending, found.enhanced_code, server.connections) == ("refused", "5.4.4", 0)
    assert "public Internet" in found.reply
    assert address not in found.reply


@pytest.mark.parametrize("certificate", ["valid", "self_signed", "expired", "wrong_name"])
def test_whatever_certificate_a_server_has_encrypts(zone: Zone, internet: Internet, certificate: str) -> None:
    first = internet.server("127.0.0.2", tls=certificate)
    found = result_of(internet.carrier())
    assert (found.ending, bool(found.tls), bool(first.taken[0].tls)) == ("delivered", True, True)


@pytest.mark.parametrize("action", [GARBAGE, DROP, "454 4.7.0 TLS is not available"])
def test_where_tls_fails_the_mail_goes_in_the_clear(zone: Zone, internet: Internet, action: str) -> None:
    first = internet.server("127.0.0.2", tls="valid")
    first.always("starttls", action)
    found = result_of(internet.carrier())
    assert (found.ending, found.tls, first.connections) == ("delivered", "", 2)


def test_one_domain_sees_few_connections_at_once_and_another_does_not_wait_for_it(
    zone: Zone, internet: Internet
) -> None:
    zone.put("other.example", "A", "127.0.0.3")
    first, other = internet.server("127.0.0.2"), internet.server("127.0.0.3")
    first.always("end", Slow(0.2))

    async def act() -> list[str]:
        carrier, order = internet.carrier(), []

        async def one(name: str, number: int) -> None:
            await carrier.hand_over(parcel(f"bob@{name}", number=number), yes)
            order.append(name)

        busy = [asyncio.create_task(one("example.com", number)) for number in range(9)]
        await asyncio.sleep(0.05)
        await one("other.example", 10)
        await asyncio.gather(*busy)
        await carrier.close()
        return order

    order = asyncio.run(act())
    assert (len(first.taken), first.most_at_once, len(other.taken)) == (9, 3, 1)
    assert order[0] == "other.example"


def test_connections_to_a_domain_are_kept(zone: Zone, internet: Internet) -> None:
    first = internet.server("127.0.0.2")
    handed_over(internet.carrier(), *(parcel(number=number) for number in range(4)))
    assert (len(first.taken), first.connections) == (4, 1)


def test_an_international_domain_is_asked_for_in_ascii(dns: Zone, internet: Internet) -> None:
    dns.put("xn--bcher-kva.example", "A", "127.0.0.2")
    server = internet.server("127.0.0.2")
    assert result_of(internet.carrier(), parcel("info@bücher.example")).ending == "delivered"
    assert server.taken[0].recipients == ["info@xn--bcher-kva.example"]
