"""STARTTLS (RFC 3207)."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mail.smtp import Listeners

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


HOST = "mx.acme.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PEM file with a self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("tls") / "mx.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
def tls_front(listen: Callable[..., Listeners], certificate: Path) -> Listeners:
    return listen(tls_certificate=certificate)


def begin_tls(peer: Peer, context: ssl.SSLContext) -> None:
    """Wrap the peer's socket, after 220."""
    peer.socket = context.wrap_socket(peer.socket, server_hostname=HOST)
    peer.listen_anew()


def test_a_mail_comes_in_over_tls(tls_front: Listeners, memory: Memory, trusting: ssl.SSLContext) -> None:
    with smtplib.SMTP(*tls_front.smtp[0]) as client:
        client._host = HOST
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=trusting)
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("a@globex.example", "agent@acme.example", b"x\r\n" * 100_000)
    assert [(arrival.tls, len(arrival.raw)) for arrival in memory.stored] == [(True, 300_000)]


def test_starttls_forgets_what_was_said_in_the_clear(
    tls_front: Listeners,
    connect: Callable[..., Peer],
    trusting: ssl.SSLContext,
) -> None:
    peer = connect(tls_front.smtp[0]).greet()
    peer.ask("MAIL FROM:<a@globex.example>")
    assert peer.ask("STARTTLS").startswith("220")
    begin_tls(peer, trusting)
    assert peer.ask("RCPT TO:<agent@acme.example>").startswith("503")
    assert peer.ask("MAIL FROM:<a@globex.example>").startswith("503")
    peer.ask("EHLO client.example")
    assert peer.begin().say("x", ".").hear().startswith("250")


def test_a_command_slipped_in_before_tls_is_never_run(
    tls_front: Listeners,
    connect: Callable[..., Peer],
    trusting: ssl.SSLContext,
) -> None:
    peer = connect(tls_front.smtp[0]).greet()
    assert peer.say("STARTTLS", "NOOP slipped in").hear().startswith("220")
    begin_tls(peer, trusting)
    assert peer.ask("VRFY x").startswith("252")


def test_tls_is_begun_once(tls_front: Listeners, connect: Callable[..., Peer], trusting: ssl.SSLContext) -> None:
    peer = connect(tls_front.smtp[0]).greet()
    peer.ask("STARTTLS")
    begin_tls(peer, trusting)
    assert peer.ask("STARTTLS").startswith("503 5.5.1")


def test_a_handshake_that_fails_ends_only_that_connection(tls_front: Listeners, connect: Callable[..., Peer]) -> None:
    failing = connect(tls_front.smtp[0]).greet()
    failing.ask("STARTTLS")
    failing.say("this is no handshake")
    while failing.socket.recv(100):
        pass
    assert connect(tls_front.smtp[0]).greet().ask("NOOP").startswith("250")


def test_a_certificate_that_cannot_be_read_is_said_at_the_start(
    listen: Callable[..., Listeners], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        listen(tls_certificate=tmp_path / "missing.pem")
