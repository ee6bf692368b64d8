"""A certificate of our own making, for as long as the operator has none: encrypted, and proof of nothing."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS = 10
LONGEST_COMMON_NAME = 64


def own_certificate(folder: Path, hostname: str) -> Path:
    """Return the PEM file of a self-signed certificate and its key in this folder; it is made once, with mode 0600.

    Raises OSError when it can neither be read nor written.
    """
    path = folder / "submission.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder)  # private to us from the start
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_self_signed(hostname))
            with suppress(FileExistsError):  # another process was first, and its certificate serves both
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return path


def _self_signed(hostname: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:LONGEST_COMMON_NAME])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
