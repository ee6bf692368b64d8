"""What a stranger's mail and a stranger's DNS may cost, and that nothing of it is an error."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.authentication import Authentication, authenticate
from tests.mail.authentication.conftest import MAIL

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

CEILING = 2.0
SIGNATURE = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s; h=from; bh=AAAA; b=AAAA"
BOMBS = {
    "thousands of signatures": (SIGNATURE + b"\r\n") * 20_000 + MAIL,
    "a huge h=": SIGNATURE.replace(b"h=from", b"h=from" + b":from" * 200_000) + b"\r\n" + MAIL,
    "many tags": b"DKIM-Signature: " + b"a=b;" * 100_000 + b"\r\n" + MAIL,
    "blanks in a signature": SIGNATURE + b" " * 1_000_000 + b"!\r\n" + MAIL,
    "folds in a signature": SIGNATURE + b"\r\n " * 300_000 + b"!\r\n" + MAIL,
    "a header of one line": b"X: " + b"y" * 5_000_000 + b"\r\n" + MAIL,
    "a header of colons": b":\r\n" * 300_000 + MAIL,
    "many results": b"Authentication-Results: a; spf=pass\r\n" * 30_000 + MAIL,
    "many seals": b"".join(b"ARC-Seal: i=%d; cv=none; a=rsa-sha256; d=a.test; s=s; b=A\r\n" % i for i in range(9999))
    + MAIL,
    "a From of commas": b"From: " + b"a@b.test," * 200_000 + b"\r\n\r\nx",
    "many Froms": b"From: a@b.test\r\n" * 50_000 + b"\r\nx",
    "nothing but line ends": b"\r\n" * 2_000_000,
    "bare carriage returns": MAIL + b"\r" * 5_000_000 + b"\r\n",
}
BODIES = {
    "a line of blanks": b" " * 10_000_000 + b"x\r\n",
    "empty lines": b"\r\n" * 5_000_000 + b"x\r\n",
    "blank lines": b" \t\r\n" * 2_500_000 + b"x\r\n",
    "carriage returns": b"\r" * 10_000_000 + b"\r\n",
    "text": b"Hello, this is a line of text.\r\n" * 300_000,
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_judged_within_the_ceiling(world: World, raw: bytes) -> None:
    world.key("example.org")
    started = time.perf_counter()
    assert not world.check(raw).aligned
    assert time.perf_counter() - started < CEILING


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_large_signed_body_is_hashed_within_the_ceiling(world: World, body: bytes) -> None:
    world.key("example.org")
    signed = world.signed(include_headers=[b"from"], canonicalize=(b"relaxed", b"relaxed"))
    started = time.perf_counter()
    assert world.check(signed + body).dkim.result == "fail"
    assert time.perf_counter() - started < CEILING


def test_a_header_too_long_to_look_through_is_not_aligned_whatever_it_says(world: World) -> None:
    world.spf("example.org", "v=spf1 +all")
    found = world.check(b"X: y\r\n" * 3_000 + MAIL)
    assert (found.spf.result, found.dmarc.result, found.aligned) == ("pass", "fail", False)


@pytest.mark.parametrize("deadline", [0.0, 0.4])
def test_the_deadline_holds_though_dns_never_answers(world: World, deadline: float) -> None:
    world.names.silent.add("example.org")
    started = time.perf_counter()
    found = world.check(SIGNATURE + b"\r\n" + MAIL, deadline=deadline)
    assert time.perf_counter() - started < deadline + 1
    assert {found.spf.result, found.dkim.result, found.dmarc.result} == {"temperror"}


def test_the_deadline_holds_though_every_answer_is_late(world: World) -> None:
    world.names.delay = 0.1
    for number in range(30):
        world.spf(f"s{number}.test", f"v=spf1 include:s{number + 1}.test -all")
    started = time.perf_counter()
    found = world.check(envelope_sender="a@s0.test", deadline=0.5)
    assert time.perf_counter() - started < 1.5
    assert found.spf.result == "temperror"


def test_one_mail_asks_a_bounded_number_of_questions(world: World) -> None:
    exchanges = [(number, f"m{number}.test") for number in range(10)]
    for number in range(10):
        world.names.put(f"d{number}.test", "MX", *exchanges)
        world.names.put(f"m{number}.test", "A", "203.0.113.1")
    world.spf("example.org", "v=spf1 " + " ".join(f"mx:d{number}.test" for number in range(10)) + " -all")
    world.check()
    assert len(world.names.asked) <= 150


def test_what_a_stranger_wrote_is_one_short_printable_line(world: World) -> None:
    world.spf("example.org", "v=spf1 " + "\x1b[31m\u202e" + "x" * 2000 + " -all")
    nasty = b"DKIM-Signature: v=1; d=example.org; s=\x1b[31m" + b"s" * 2000 + b"; h=from; a=\x07; b=; bh=\r\n"
    shown = world.check(nasty + MAIL, envelope_sender="a@" + "e" * 500 + "\x07.test").as_json()
    for text in texts_of(shown):
        assert len(text) <= 300
        assert text.isprintable()


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_of(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


class Nothing:
    """DNS that knows nothing."""

    def lookup(self, name: str, kind: str, until: float) -> tuple[()]:
        return ()


class Broken:
    """DNS that fails in a way that nobody foresaw."""

    def lookup(self, name: str, kind: str, until: float) -> tuple[()]:
        raise ZeroDivisionError


PIECES = [
    *(
        b"From: a@b.test",
        b"DKIM-Signature: ",
        b"ARC-Seal: i=1;",
        b"Authentication-Results: ",
        b"v=1",
        b"d=a.test",
        b"l=1",
    ),
    *(b"\r\n", b"\n", b"\r", b" ", b";", b"=", b"\xff", b"\0", b"{x}"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join), st.text(max_size=20), st.text(max_size=20))
def test_nothing_raises(raw: bytes, sender: str, peer: str) -> None:
    for resolver in (Nothing(), Broken()):
        found = authenticate(raw, peer=peer, helo=sender, envelope_sender=sender, resolver=resolver, shown_from=sender)
        assert isinstance(found, Authentication)
        json.dumps(found.as_json()).encode("ascii")
