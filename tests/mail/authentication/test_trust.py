"""Authentication-Results: how they are read, whose are honoured, and whose are left out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.authentication import Trust, stripped
from mail.authentication.results import parse
from tests.mail.authentication.conftest import MAIL, STRANGERS

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

FRONT = "10.0.0.7"
TOLD = "Authentication-Results: mx.front.test; "
ALL = (
    "spf=pass smtp.mailfrom=ann@example.org; dkim=pass header.d=example.org header.s=s1;"
    " dmarc=pass (p=REJECT dis=NONE) header.from=example.org"
)
VALUES = [  # value,                                               authserv-id, (method, result, properties)
    ("mx.test; none", "mx.test", []),
    ("mx.test 1; spf=pass", "mx.test", [("spf", "pass", {})]),
    ("MX.test;SPF=Pass smtp.MailFrom=a@b.test", "mx.test", [("spf", "pass", {"smtp.mailfrom": "a@b.test"})]),
    ("(a;b (c)) mx.test (d); spf = pass (e; dkim=fail)", "mx.test", [("spf", "pass", {})]),
    ('"mx test"; spf=fail reason="a; b \\" c"', "mx test", [("spf", "fail", {"reason": 'a; b " c'})]),
    (
        "mx.test; dkim/1=pass header.b=ab= header.d=x.test",
        "mx.test",
        [("dkim", "pass", {"header.b": "ab=", "header.d": "x.test"})],
    ),
    ("mx.test; dkim=pass; dkim=fail;", "mx.test", [("dkim", "pass", {}), ("dkim", "fail", {})]),
    ("mx.test; nonsense; =; spf=; spf", "mx.test", []),
    ("mx.test; spf=pass (unclosed dkim=pass", "mx.test", [("spf", "pass", {})]),
    ('mx.test; spf=pass reason="unclosed; dkim=pass', "mx.test", [("spf", "pass", {"reason": "unclosed; dkim=pass"})]),
]


@pytest.fixture
def front(world: World) -> World:
    world.trust = Trust.of(authserv_ids=["MX.front.test"], networks=["10.0.0.0/8", "fd00::/8"], arc_sealers=[])
    return world


@pytest.mark.parametrize(("value", "host", "statements"), VALUES)
def test_a_value_is_read_as_it_is_written(value: str, host: str, statements: list[object]) -> None:
    found = parse(value)
    assert found is not None
    assert found.authserv_id == host
    assert [(one.method, one.result, one.properties) for one in found.statements] == statements


@pytest.mark.parametrize("value", ["", ";", "(only)", " ; spf=pass"])
def test_a_value_without_a_host_says_nothing(value: str) -> None:
    assert parse(value) is None


@given(st.text(alphabet='ab=;()"\\ \t./@\ue000\ue001', max_size=80))
def test_no_value_breaks_the_reader(value: str) -> None:
    parse(value)


@pytest.mark.parametrize("bomb", ["(", '"', "\\", "=", ";", " ", "a=b ", '"a" ', "()"])
def test_a_large_value_is_read_at_once(bomb: str) -> None:
    started = time.perf_counter()
    parse("mx.test;" + bomb * 1_000_000)
    assert time.perf_counter() - started < 2


def test_a_trusted_host_is_honoured_and_spf_is_not_run_against_it(front: World) -> None:
    front.spf("example.org", "v=spf1 -all")
    found = front.check((TOLD + ALL + "\r\n").encode() + MAIL, peer=FRONT)
    assert (found.spf.result, found.dkim.result, found.dmarc.result, found.aligned) == ("pass", "pass", "pass", True)
    assert found.spf.reason == "honoured from mx.front.test"
    assert (found.dkim.particulars, found.dmarc.particulars) == ({"selector": "s1"}, {"policy": "reject"})
    assert ("example.org", "TXT") not in front.names.asked


def test_a_front_host_that_said_nothing_leaves_spf_open_and_signatures_to_us(front: World) -> None:
    front.key("example.org")
    front.spf("example.org", "v=spf1 -all")
    found = front.check(front.signed(), peer=FRONT)
    assert (found.spf.result, found.dkim.result, found.aligned) == ("none", "pass", True)
    assert FRONT in found.spf.reason


NOT_HONOURED = [  # peer,        header in front of the mail
    (STRANGERS, TOLD + ALL),
    (FRONT, TOLD.replace("front", "other") + ALL),
    (FRONT, "Received: 1\r\nReceived: 2\r\n" + TOLD + ALL),
    (FRONT, "X: " + TOLD + ALL),
    (FRONT, TOLD + "(" + ALL),
]


@pytest.mark.parametrize(("peer", "header"), NOT_HONOURED)
def test_nobody_else_is_honoured(front: World, peer: str, header: str) -> None:
    front.dmarc("example.org", "v=DMARC1; p=reject")
    found = front.check(header.encode() + b"\r\n" + MAIL, peer=peer)
    assert (found.spf.result, found.dkim.result, found.dmarc.result, found.aligned) == ("none", "none", "fail", False)


def test_the_topmost_word_on_a_method_counts(front: World) -> None:
    forged = (TOLD + "spf=pass smtp.mailfrom=a@example.org\r\n").encode()
    genuine = (TOLD + "spf=fail smtp.mailfrom=a@example.org\r\n").encode()
    found = front.check(genuine + b"Received: from x\r\n" + forged + MAIL, peer=FRONT)
    assert (found.spf.result, found.aligned) == ("fail", False)


def test_a_dmarc_pass_for_another_author_is_not_taken(front: World) -> None:
    told = (TOLD + "dmarc=pass header.from=evil.test\r\n").encode()
    front.dmarc("example.org", "v=DMARC1; p=reject")
    assert front.check(told + MAIL, peer=FRONT).dmarc.result == "fail"


def test_a_second_from_is_not_excused_by_a_front_host(front: World) -> None:
    raw = b"From: x@evil.test\r\n" + (TOLD + ALL + "\r\n").encode() + MAIL
    assert (front.check(raw, peer=FRONT).dmarc.result, front.check(raw, peer=FRONT).aligned) == ("fail", False)


def test_what_a_stranger_wrote_is_stripped_and_the_rest_stays(front: World) -> None:
    ours, theirs = "mx.front.test; spf=pass", "mx.google.com; spf=pass"
    headers = {"subject": ["x"], "authentication-results": [theirs, ours], "arc-authentication-results": ["i=1; a"]}
    kept = stripped(headers, peer=FRONT, trust=front.trust)
    assert kept == headers | {"authentication-results": [ours]}
    bare = {"subject": ["x"], "arc-authentication-results": ["i=1; a"]}
    assert stripped(headers, peer=STRANGERS, trust=front.trust) == bare
    assert stripped(headers, peer=FRONT, trust=Trust()) == bare
    assert stripped(bare, peer=STRANGERS, trust=Trust()) == bare


def test_trust_refuses_what_is_no_network() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        Trust.of(authserv_ids=[], networks=["nowhere"], arc_sealers=[])
