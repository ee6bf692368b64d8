"""How the SMTP front is set up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process grants. Times are seconds."""

    max_connections: int = 500
    max_connections_per_peer: int = 100
    """Per IPv4 address or IPv6 /64."""
    max_mails_per_connection: int = 500
    max_recipients: int = 100
    """RFC 5321 section 4.5.3.1.8 wants at least 100."""
    max_errors: int = 20
    """5xx answers since the last stored mail, after which the peer is sent away."""
    max_command_length: int = 2048
    max_held_bytes: int = 256 * MEBIBYTE
    """Mail being received or waiting to be stored, over all connections."""
    max_batch_mails: int = 64
    max_batch_bytes: int = 8 * MEBIBYTE
    """No further mail joins a transaction that has reached this."""
    lookup_threads: int = 4
    lookup_timeout: float = 30
    store_timeout: float = 30
    idle_timeout: float = 300
    data_timeout: float = 900
    """From 354 to the final dot."""
    stop_timeout: float = 8
    """What a mail in progress may take once the process is told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpOptions:
    """Where to listen, as whom, and with which limits."""

    hostname: str
    """The name in the banner and in every greeting."""
    hosts: tuple[str, ...] = ("0.0.0.0", "::")  # noqa: S104 - mail comes from outside
    port: int = 2525
    """0 takes any free port."""
    lmtp_port: int | None = None
    max_message_size: int = 25 * MEBIBYTE
    tls_certificate: Path | None = None
    """PEM file of the certificate chain; with it STARTTLS is offered."""
    tls_key: Path | None = None
    """PEM file of the key, when it is not in the certificate's file."""
    limits: Limits = field(default_factory=Limits)
