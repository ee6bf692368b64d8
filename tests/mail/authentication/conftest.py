"""A real name server on loopback, and signers with fresh keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mail.authentication import Authentication, Resolver, Trust, authenticate
from tests.names import Names, NameServer, name_server

OURS, STRANGERS = "192.0.2.1", "198.51.100.66"
MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: bob@agents.test\r\nSubject: Hello\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nHello Bob\r\n"
)


@pytest.fixture(scope="session")
def _server() -> Iterator[NameServer]:
    with name_server() as server:
        yield server


@pytest.fixture
def names(_server: NameServer) -> Names:
    """Fresh names behind the one server."""
    _server.names = Names()
    return _server.names


@pytest.fixture
def resolver(names: Names, _server: NameServer) -> Resolver:
    return Resolver([_server.address], timeout=0.5)


@dataclass
class World:
    """A sender's DNS and keys, and a mail that goes through `authenticate`."""

    names: Names
    resolver: Resolver
    rsa_pem: bytes
    rsa_public: bytes
    trust: Trust = field(default_factory=Trust)

    def spf(self, domain: str, record: str) -> None:
        self.names.put(domain, "TXT", record.encode())

    def dmarc(self, domain: str, *records: str) -> None:
        self.names.put(f"_dmarc.{domain}", "TXT", *(record.encode() for record in records))

    def key(self, domain: str, extra: str = "", selector: str = "s") -> None:
        record = b"v=DKIM1; k=rsa; " + extra.encode() + b" p=" + self.rsa_public
        self.names.put(f"{selector}._domainkey.{domain}", "TXT", record)

    def signed(self, raw: bytes = MAIL, domain: str = "example.org", **options: Any) -> bytes:
        """Return the mail with a signature made by dkimpy, which knows nothing of our verifier."""
        return dkim.sign(raw, b"s", domain.encode(), self.rsa_pem, **options) + raw

    def sealed(self, raw: bytes, domain: str, authserv_id: str) -> bytes:
        return b"".join(dkim.arc_sign(raw, b"s", domain.encode(), self.rsa_pem, authserv_id.encode())) + raw

    def check(self, raw: bytes = MAIL, **facts: Any) -> Authentication:
        usual = {"peer": STRANGERS, "helo": "mx.example.org", "envelope_sender": "ann@example.org"}
        return authenticate(raw, **(usual | {"resolver": self.resolver, "trust": self.trust} | facts))


@pytest.fixture(scope="session")
def _rsa() -> tuple[bytes, bytes]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return pem_of(private), public_of(private)


@pytest.fixture
def world(names: Names, resolver: Resolver, _rsa: tuple[bytes, bytes]) -> World:
    return World(names, resolver, *_rsa)


def pem_of(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def public_of(private: rsa.RSAPrivateKey) -> bytes:
    der = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der)


def ed25519_pair() -> tuple[bytes, bytes]:
    """Return a private key as dkimpy reads it, and the public one as DNS has it, both in base64."""
    private = Ed25519PrivateKey.generate()
    return base64.b64encode(private.private_bytes_raw()), base64.b64encode(private.public_key().public_bytes_raw())
