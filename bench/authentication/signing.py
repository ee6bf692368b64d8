"""Have mailauth, an independent verifier, check what we sign: `python -m bench.authentication.signing FOLDER`.

FOLDER is one in which `npm install mailauth` was run. Every mail of tests/emails is signed with an RSA and an Ed25519
key; whatever mailauth does not pass is printed, then how many it passed, and how long a signature takes.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mail.signing import Key, sign

SCRIPT = Path(__file__).with_name("mailauth.mjs")
MAILS = Path(__file__).parent.parent.parent / "tests" / "emails"
DOMAIN = "acme.example"
FACTS = {"peer": "192.0.2.1", "helo": "mx.acme.example", "envelope_sender": f"ann@{DOMAIN}"}


def main(folder: Path) -> None:
    """Print what fails, the score, and the cost."""
    private, small = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    keys = [Key(DOMAIN, "one", private), Key(DOMAIN, "two", small)]
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = small.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    zone = {
        f"one._domainkey.{DOMAIN}": {"TXT": ["v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()]},
        f"two._domainkey.{DOMAIN}": {"TXT": ["v=DKIM1; k=ed25519; p=" + base64.b64encode(raw).decode()]},
    }
    files = sorted(MAILS.glob("*.eml"))
    started = time.perf_counter()
    signed = [sign(path.read_bytes(), keys) for path in files]
    seconds = time.perf_counter() - started
    cases = [{"raw": base64.b64encode(one).decode(), **FACTS} for one in signed]
    question = json.dumps({"zone": zone, "cases": cases}).encode()
    answer = subprocess.run(["node", SCRIPT], cwd=folder, input=question, capture_output=True, check=True)  # noqa: S603, S607
    results = [(path.name, found["dkim"][:2]) for path, found in zip(files, json.loads(answer.stdout), strict=True)]
    failed = [(name, found) for name, found in results if found != ["pass", "pass"]]
    sys.stdout.write("".join(f"{name}: {', '.join(found)}\n" for name, found in failed))
    sys.stdout.write(f"{len(results) - len(failed)} of {len(results)} mails pass with both signatures\n")
    sys.stdout.write(f"{seconds / len(files) * 1000:.2f} ms for a mail with both signatures\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
