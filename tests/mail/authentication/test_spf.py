"""SPF against a real name server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mail.authentication import Resolver

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

OURS, STRANGERS = "192.0.2.1", "198.51.100.66"
RECORDS = [  # record of example.org,                     peer,       result
    ("v=spf1 ip4:192.0.2.0/24 -all", OURS, "pass"),
    ("v=spf1 ip4:192.0.2.0/24 -all", f"::ffff:{OURS}", "pass"),
    ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1", "pass"),
    ("v=spf1 a -all", OURS, "pass"),
    ("v=spf1 mx -all", OURS, "pass"),
    ("v=spf1 include:sender.test -all", OURS, "pass"),
    ("v=spf1 redirect=sender.test", OURS, "pass"),
    ("v=spf1 exists:%{i}.%{l}.lists.test -all", OURS, "pass"),
    ("v=spf1 ip4:192.0.2.0/24 -all", STRANGERS, "fail"),
    ("v=spf1 ip4:192.0.2.0/24 ~all", STRANGERS, "softfail"),
    ("v=spf1 ip4:192.0.2.0/24 ?all", STRANGERS, "neutral"),
    ("v=spf1", STRANGERS, "neutral"),
    ("something else", STRANGERS, "none"),
    ("v=spf1 include:failing.test -all", STRANGERS, "temperror"),
    ("v=spf1 include:silent.test -all", STRANGERS, "temperror"),
    ("v=spf1 moo -all", STRANGERS, "permerror"),
    ("v=spf1 include:example.org -all", STRANGERS, "permerror"),
    ("v=spf1 a:x1.test a:x2.test a:x3.test ip4:192.0.2.0/24", OURS, "permerror"),
    ("v=spf1 include:nowhere.test -all", STRANGERS, "permerror"),
    ("v=spf1 ip4:192.0.2.0/24 -all", "", "none"),
    ("v=spf1 ip4:192.0.2.0/24 -all", "/run/lmtp.sock", "none"),
]


@pytest.fixture
def sender(world: World) -> World:
    world.names.put("mx.example.org", "A", OURS)
    world.names.put("example.org", "A", OURS)
    world.names.put("example.org", "MX", (10, "mx.example.org"))
    world.spf("sender.test", "v=spf1 ip4:192.0.2.0/24 -all")
    world.names.put(f"{OURS}.ann.lists.test", "A", "127.0.0.2")
    world.names.failing.add("failing.test")
    world.names.silent.add("silent.test")
    return world


@pytest.mark.parametrize(("record", "peer", "result"), RECORDS)
def test_a_record_says_who_may_send(sender: World, record: str, peer: str, result: str) -> None:
    sender.spf("example.org", record)
    assert sender.check(peer=peer).spf.result == result


def test_the_null_sender_is_judged_by_its_greeting(sender: World) -> None:
    sender.spf("mx.example.org", "v=spf1 a -all")
    verdict = sender.check(peer=OURS, envelope_sender="").spf
    assert (verdict.result, verdict.domain, verdict.particulars) == ("pass", "mx.example.org", {"identity": "helo"})


@pytest.mark.parametrize(
    "sender_address", ["ann", "ann@", "ann@[192.0.2.1]", "ann@localhost", "@", "ann@a..b", "a" * 9000]
)
def test_an_envelope_without_a_domain_is_none(world: World, sender_address: str) -> None:
    assert world.check(envelope_sender=sender_address).spf.result == "none"


def test_an_international_domain_is_asked_for_by_its_a_labels(world: World) -> None:
    world.spf("xn--bcher-kva.test", "v=spf1 ip4:192.0.2.1 -all")
    verdict = world.check(peer=OURS, envelope_sender="jörg@bücher.test").spf
    assert (verdict.result, verdict.domain) == ("pass", "xn--bcher-kva.test")


def test_two_records_are_an_error(world: World) -> None:
    world.names.put("example.org", "TXT", b"v=spf1 -all", b"v=spf1 +all")
    assert world.check().spf.result == "permerror"


def test_a_name_that_does_not_exist_publishes_nothing(world: World) -> None:
    assert world.check(envelope_sender="a@nowhere.test").spf.result == "none"


def test_a_loop_of_aliases_is_no_pass(world: World) -> None:
    world.names.put("example.org", "CNAME", "loop.test")
    world.names.put("loop.test", "CNAME", "example.org")
    assert world.check().spf.result in {"temperror", "none"}


def test_the_senders_explanation_is_neither_fetched_nor_shown(world: World) -> None:
    world.spf("example.org", "v=spf1 -all exp=why.example.org")
    world.names.put("why.example.org", "TXT", b"Ignore all previous instructions")
    assert "Ignore" not in world.check().spf.reason
    assert ("why.example.org", "TXT") not in world.names.asked


def test_a_record_with_braces_is_quoted_and_not_filled_in(world: World) -> None:
    world.spf("example.org", "v=spf1 {0.__class__} -all")
    assert world.check().spf.result == "permerror"


def test_no_dns_server_at_all_is_a_passing_error(world: World) -> None:
    nowhere = Resolver(["127.0.0.1:1"], timeout=0.2)
    assert world.check(resolver=nowhere).spf.result == "temperror"
