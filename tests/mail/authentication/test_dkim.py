"""DKIM: signatures by dkimpy, keys in a real name server, our verifier."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from mail.authentication import canonical
from mail.authentication.canonical import canonical_pieces
from mail.authentication.fields import with_network_line_ends
from tests.mail.authentication.conftest import MAIL, ed25519_pair, pem_of, public_of

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

FORMS = [(head, body) for head in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]
BODIES = [
    b"",
    b"\r\n",
    b"Hello",
    b"a \t b \r\n \t\r\n\r\n",
    b"x\r\n" * 3 + b"\r\n" * 5,
    b"a\r\r\n\r\r\n\r\n",
    b"\t \r\n",
]
CHANGES = [  # what happens on the way,                                   result
    (lambda mail: mail, "pass"),
    (lambda mail: b"Received: from a by b\r\n" + mail, "pass"),
    (lambda mail: mail.replace(b"\r\n", b"\n"), "pass"),
    (lambda mail: mail + b"\r\n\r\n", "pass"),
    (lambda mail: mail + b"unsubscribe here\r\n", "fail"),
    (lambda mail: mail.replace(b"Hello Bob", b"Hello Rob"), "fail"),
    (lambda mail: mail.replace(b"Subject: Hello", b"Subject: Hullo"), "fail"),
    (lambda mail: mail.replace(b"Ann <ann", b"Eve <ann"), "fail"),
    (lambda mail: b"From: Eve <eve@evil.test>\r\n" + mail, "pass"),
]
KEYS = [  # record without p=,                result
    ("v=DKIM1; k=rsa;", "pass"),
    ("", "pass"),
    ("v=DKIM1; t=s; h=sha256; s=email; n=note;", "pass"),
    ("v=DKIM1; s=*:tlsrpt;", "pass"),
    ("v=DKIM1; t=y;", "neutral"),
    ("v=DKIM2;", "permerror"),
    ("v=DKIM1; k=ed25519;", "permerror"),
    ("v=DKIM1; h=sha1;", "permerror"),
    ("v=DKIM1; s=tlsrpt;", "permerror"),
]
TAGS = [  # tag in place of what dkimpy wrote,  result,      word of the reason
    (b"x=1000", "fail", "expired"),
    (b"x=later", "permerror", "no number"),
    (b"t=99999999999", "permerror", "future"),
    (b"v=2", "permerror", "version"),
    (b"a=rsa-sha1", "permerror", "SHA-1"),
    (b"a=dsa-sha256", "permerror", "algorithm"),
    (b"c=loose/loose", "permerror", "canonical"),
    (b"q=http", "permerror", "DNS"),
    (b"h=to : subject", "permerror", "From"),
    (b"i=@evil.test", "permerror", "i="),
    (b"d=com/", "permerror", "d="),
    (b"s=a b", "permerror", "s="),
    (b"s=none", "permerror", "no public key"),
    (b"b=*", "permerror", "base64"),
    (b"bh=AAAA", "fail", "header"),
]


def with_tag(signed: bytes, tag: bytes) -> bytes:
    """Return the mail with the tag in its signature set, whatever was there."""
    head, end, rest = signed.partition(b"\r\nFrom:")
    name = tag.partition(b"=")[0]
    without = re.sub(rb"([:;])\s*" + name + rb"=[^;]*(;|$)", rb"\1", head)
    return without.rstrip(b"; ") + b"; " + tag + end + rest


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("form", FORMS)
def test_every_canonical_form_of_every_body_is_verified(world: World, form: Any, body: bytes) -> None:
    world.key("example.org")
    raw = b"From:  Ann\r\n\t <ann@example.org> \r\nSubject:a  b\t\r\n\r\n" + body
    assert world.check(world.signed(raw, canonicalize=form)).dkim.result == "pass"


@pytest.mark.parametrize(("change", "result"), CHANGES)
def test_a_signature_holds_exactly_while_nothing_signed_changes(world: World, change: Any, result: str) -> None:
    world.key("example.org")
    signed = world.signed(include_headers=[b"from", b"to", b"subject"])
    assert world.check(change(signed)).dkim.result == result


@pytest.mark.parametrize(("record", "result"), KEYS)
def test_a_key_record_says_what_its_key_is_for(world: World, record: str, result: str) -> None:
    world.names.put("s._domainkey.example.org", "TXT", record.encode() + b" p=" + world.rsa_public)
    assert world.check(world.signed()).dkim.result == result


@pytest.mark.parametrize(("tag", "result", "word"), TAGS)
def test_a_signature_with_a_wrong_tag_is_refused_and_says_why(world: World, tag: bytes, result: str, word: str) -> None:
    world.key("example.org")
    verdict = world.check(with_tag(world.signed(), tag)).dkim
    assert (verdict.result, word in verdict.reason) == (result, True), verdict.reason


def test_a_revoked_key_a_missing_key_and_two_keys_prove_nothing(world: World) -> None:
    signed = world.signed()
    assert "no public key" in world.check(signed).dkim.reason
    world.names.put("t._domainkey.example.org", "TXT", b"v=DKIM1; p=")
    assert "revoked" in world.check(with_tag(signed, b"s=t")).dkim.reason
    world.names.put("u._domainkey.example.org", "TXT", b"v=DKIM1; p=AAAA", b"p=AAAA")
    assert "more than one" in world.check(with_tag(signed, b"s=u")).dkim.reason


def test_a_server_that_fails_is_a_passing_error(world: World) -> None:
    world.names.failing.add("s._domainkey.example.org")
    assert world.check(world.signed()).dkim.result == "temperror"


def test_an_ed25519_signature_is_verified(world: World) -> None:
    private, public = ed25519_pair()
    world.names.put("s._domainkey.example.org", "TXT", b"v=DKIM1; k=ed25519; p=" + public)
    raw = dkim.sign(MAIL, b"s", b"example.org", private, signature_algorithm=b"ed25519-sha256") + MAIL
    assert world.check(raw).dkim.result == "pass"
    assert world.check(raw.replace(b"Hello Bob", b"Hello Rob")).dkim.result == "fail"


@pytest.mark.parametrize(("bits", "result"), [(1024, "pass"), (1016, "permerror")])
def test_rsa_keys_below_1024_bits_are_refused(world: World, bits: int, result: str) -> None:
    numbers = dkim_key(bits)
    world.names.put("s._domainkey.example.org", "TXT", b"p=" + numbers[1])
    raw = dkim.sign(MAIL, b"s", b"example.org", numbers[0]) + MAIL
    assert world.check(raw).dkim.result == result


def dkim_key(bits: int) -> tuple[bytes, bytes]:
    """Return a key that `cryptography` may no longer want to generate, composed from two primes."""
    if bits >= 1024:
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        return pem_of(private), public_of(private)
    p, q = (dkim_key_numbers().p for _ in range(2))
    p, q = next_prime(p >> 4), next_prime(q >> 4)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    private = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return pem_of(private), public_of(private)


def dkim_key_numbers() -> rsa.RSAPrivateNumbers:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024).private_numbers()  # noqa: S505 - to be made weaker still


def next_prime(number: int) -> int:
    number |= 1
    while pow(2, number - 1, number) != 1 or (number - 1) % 65537 == 0:
        number += 2
    return number


def test_a_strict_key_does_not_sign_for_subdomains(world: World) -> None:
    world.key("example.org", "t=s;")
    assert world.check(world.signed(identity=b"@example.org")).dkim.result == "pass"
    assert world.check(world.signed(identity=b"@sub.example.org")).dkim.result == "permerror"


def test_text_appended_behind_a_length_tag_is_not_vouched_for(world: World) -> None:
    world.key("example.org")
    signed = world.signed(length=True)
    assert world.check(signed).aligned
    attacked = world.check(signed + b"Send money to Eve.\r\n")
    assert (attacked.dkim.result, attacked.aligned) == ("neutral", False)
    assert "unsigned" in attacked.dkim.reason


@pytest.mark.parametrize("added", [b"Subject: Pay Eve", b"To: all@agents.test", b"subject: a\r\nSubject: b"])
def test_a_second_field_put_before_a_signed_one_is_not_vouched_for(world: World, added: bytes) -> None:
    world.key("example.org")
    signed = world.signed(include_headers=[b"from", b"to", b"subject", b"date"])
    attacked = world.check(added + b"\r\n" + signed)
    assert (attacked.dkim.result, attacked.aligned) == ("neutral", False)
    assert "unsigned" in attacked.dkim.reason


def test_a_length_beyond_the_body_fails(world: World) -> None:
    world.key("example.org")
    assert world.check(with_tag(world.signed(), b"l=5000")).dkim.result == "fail"


def test_the_authors_signature_counts_among_many_and_ten_are_looked_at(world: World) -> None:
    world.key("example.org")
    strangers = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=s; h=from; bh=AAAA; b=AAAA\r\n" % number
        for number in range(50)
    )
    found = world.check(strangers + world.signed())
    assert (found.dkim.result, found.aligned, len(found.signatures)) == ("pass", True, 10)


def test_a_strangers_valid_signature_passes_and_is_not_aligned(world: World) -> None:
    world.key("lists.test")
    found = world.check(world.signed(domain="lists.test"))
    assert (found.dkim.result, found.dkim.domain, found.aligned) == ("pass", "lists.test", False)


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r", b"\n", b"\r\n", b"a"]), max_size=30))
def test_our_canonical_bodies_are_dkimpys(pieces: list[bytes]) -> None:
    body = with_network_line_ends(b"".join(pieces)) + b"\r\n"
    for method in ("simple", "relaxed"):
        theirs = dkim.canonicalization.ALGORITHMS[method.encode()].canonicalize_body(body)
        assert b"".join(canonical_pieces(body, method)) == theirs


def test_a_body_is_the_same_in_one_piece_and_in_many(monkeypatch: pytest.MonkeyPatch) -> None:
    body = (b"a \t\r\n" + b"\r\n" * 40 + b" b") * 20 + b"\r\n" * 99
    whole = {method: b"".join(canonical_pieces(body, method)) for method in ("simple", "relaxed")}
    monkeypatch.setattr(canonical, "PIECE", 16)
    assert {method: b"".join(canonical_pieces(body, method)) for method in whole} == whole
