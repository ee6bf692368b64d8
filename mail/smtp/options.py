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
    max_together_bytes: int = MEBIBYTE
    """A mail that is larger, for all its recipients with an answer of their own, is stored alone, past the others."""
    lookup_threads: int = 4
    lookup_timeout: float = 30
    examiner_threads: int = 16
    max_examined_per_peer: int = 6
    """Mails of one IPv4 address or IPv6 /64 that are being examined at once."""
    examine_timeout: float = 15
    """After which the peer is asked to try again."""
    store_timeout: float = 30
    login_threads: int = 2
    submission_threads: int = 4
    idle_timeout: float = 300
    data_timeout: float = 900
    """From 354 to the final dot."""
    max_waiting_notes: int = 10_000
    """Attempts that wait for the intake ledger; what comes on top is counted, logged and lost."""
    max_batch_notes: int = 200
    note_interval: float = 0.3
    """How long attempts gather before they are noted together."""
    note_retries: int = 5
    """How often a batch that could not be noted is tried again, after one second, two, four and so on."""
    note_timeout: float = 1
    """What noting the last attempts may take once the process is told to stop."""
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
    submission_port: int | None = None
    """Where mail is submitted (RFC 6409), STARTTLS first."""
    submission_tls_port: int | None = None
    """Where it is submitted inside TLS from the first octet on (RFC 8314)."""
    submission_certificate: Path | None = None
    """PEM file of certificate and key for submission, when there is no `tls_certificate`."""
    limits: Limits = field(default_factory=Limits)
