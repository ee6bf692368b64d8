"""What we sign is verified by dkimpy, which knows nothing of our code, and by our own verifier."""

from __future__ import annotations

import base64
import re
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mail.authentication import authenticate
from mail.signing import Key, load, sign

DOMAIN = "acme.example"
MAIL = (
    b"From: Ann <ann@acme.example>\r\nTo: bob@example.com\r\nSubject:  Hello\r\n\tthere \r\n"
    b"Message-ID: <1@acme.example>\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\r\n"
    b"Hello  Bob \t\r\n\r\n  a\tb\r\n\r\n\r\n"
)
LONG = b"References: " + b"\r\n ".join(b"<%d@a-rather-long-name.example.com>" % number for number in range(40))
MAILS = {
    "plain": MAIL,
    "bare line feeds": MAIL.replace(b"\r\n", b"\n"),
    "no body": MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
    "no line end at the end": MAIL + b"the end",
    "8-bit": MAIL.replace(b"Hello  Bob", "Grüße, Bob".encode()).replace(b"Ann ", "Änn ".encode()),
    "two of a field": b"Received: from a\r\nReceived: from b\r\nCc: a@b.example\r\nCc: c@d.example\r\n" + MAIL,
    "a long header": LONG + b"\r\n" + MAIL,
    "dots and From": MAIL + b".\r\n..\r\nFrom here\r\n",
    "an older signature": b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=x; h=from; bh=eA==; b=eA==\r\n" + MAIL,
}
CHANGES: list[tuple[bytes, bytes]] = [
    (b"Hello  Bob", b"Hello  Rob"),
    (b"Subject:  Hello", b"Subject: Hullo"),
    (b"To: bob", b"To: rob"),
    (b"MIME-Version", b"Cc: more@example.com\r\nMIME-Version"),
    (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
    (b"MIME-Version", b"From: eve@evil.example\r\nMIME-Version"),
    (b"MIME-Version", b"Reply-To: eve@evil.example\r\nMIME-Version"),
    (b"MIME-Version", b"Content-Type: text/html\r\nMIME-Version"),
    (b"MIME-Version", b"List-Unsubscribe: <https://evil.example>\r\nMIME-Version"),
]
HARMLESS: list[tuple[bytes, bytes]] = [
    (b"MIME-Version", b"X-Trace: 1\r\nMIME-Version"),
    (b"Subject:  Hello\r\n\tthere ", b"subject: Hello   there"),
    (b"Hello  Bob \t", b"Hello Bob"),
    (b"\r\n\r\n\r\n", b"\r\n"),
]


def key(kind: str, selector: str, **options: Any) -> Key:
    made = rsa.generate_private_key(65537, 2048) if kind == "rsa" else Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Key(DOMAIN, selector, load(made.private_bytes(serialization.Encoding.DER, *form)))


KEYS = [key("rsa", "one"), key("ed25519", "two")]


def published(one: Key) -> bytes:
    public, encoding = one.private.public_key(), serialization.Encoding
    if one.algorithm == "rsa-sha256":
        shown = public.public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(shown)
    shown = public.public_bytes(encoding.Raw, serialization.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(shown)


ZONE = {f"{one.selector}._domainkey.{DOMAIN}": published(one) for one in KEYS}


class Zone:
    """What DNS says; implements ``Resolving``."""

    def lookup(self, name: str, kind: str, until: float) -> tuple[bytes, ...]:
        return (ZONE[name],) if kind == "TXT" and name in ZONE else ()


def tampered(old: bytes, new: bytes) -> bytes:
    """Return the mail, signed, then changed below its signatures."""
    assert old in MAIL
    return sign(MAIL, KEYS).removesuffix(MAIL) + MAIL.replace(old, new, 1)


def asked(name: bytes, **_: Any) -> bytes | None:
    return ZONE.get(name.decode().rstrip("."))


def by_dkimpy(raw: bytes, index: int) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(idx=index, dnsfunc=asked))
    except dkim.ValidationError:
        return False


def by_us(raw: bytes) -> list[str]:
    facts = {"peer": "192.0.2.1", "helo": "x", "envelope_sender": f"ann@{DOMAIN}"}
    found = authenticate(raw, resolver=Zone(), **facts)
    return [one.result for one in found.signatures]


@pytest.mark.parametrize("name", MAILS)
def test_both_signatures_hold(name: str) -> None:
    signed = sign(MAILS[name], KEYS)
    assert by_us(signed)[:2] == ["pass", "pass"]
    assert [by_dkimpy(signed, 0), by_dkimpy(signed, 1)] == [True, True]
    assert signed.endswith(MAILS[name].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_what_a_reader_sees_cannot_be_changed_or_added(old: bytes, new: bytes) -> None:
    changed = tampered(old, new)
    assert "pass" not in by_us(changed)
    assert [by_dkimpy(changed, 0), by_dkimpy(changed, 1)] == [False, False]


@pytest.mark.parametrize(("old", "new"), HARMLESS)
def test_what_relays_do_to_blanks_does_no_harm(old: bytes, new: bytes) -> None:
    changed = tampered(old, new)
    assert by_us(changed) == ["pass", "pass"]
    assert [by_dkimpy(changed, 0), by_dkimpy(changed, 1)] == [True, True]


@pytest.mark.parametrize("name", ["plain", "a long header", "two of a field"])
def test_the_field_is_folded_into_short_lines(name: str) -> None:
    long_name = Key(f"{'a-long-label-' * 4}x.{'b' * 60}.example", "ap-12345678-rsa", KEYS[0].private)
    head = sign(MAILS[name], [*KEYS, long_name]).partition(MAILS[name])[0]
    lines = head.split(b"\r\n")
    assert max(map(len, lines)) <= 140  # a domain is one word, however long
    assert max(map(len, sign(MAILS[name], KEYS).partition(MAILS[name])[0].split(b"\r\n"))) <= 78
    assert all(re.match(rb"DKIM-Signature: |[ ]\S|$", line) for line in lines)


def test_without_keys_a_mail_stays_as_it_is() -> None:
    assert sign(MAILS["bare line feeds"], []) == MAILS["bare line feeds"]


def test_what_is_no_key_for_mail_is_refused() -> None:
    form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(*form)
    for der in (b"no key", curve):
        with pytest.raises(ValueError):
            load(der)
