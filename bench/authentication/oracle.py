"""Compare with mailauth, an independent verifier: `python -m bench.authentication.oracle FOLDER`.

FOLDER is one in which `npm install mailauth` was run. Mails are made by combination: each signature (form, algorithm,
signer), each change on the way, each envelope, each DMARC record. What disagrees is printed, the score at the end.
"""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.authentication.cost import rsa_pair
from mail.authentication import Verdict, authenticate

SCRIPT = Path(__file__).with_name("mailauth.mjs")
PEER = "192.0.2.1"
MAIL = (
    b"From:  Ann  <ann@news.%s>\r\nTo: bob@agents.test\r\nSubject: Hello\r\n\tthere \r\n"
    b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\r\nHello  Bob \t\r\n\r\n  a\tb\r\n\r\n\r\n"
)
FORMS = [(head, body) for head in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]
DOMAINS = {"reject.test": "v=DMARC1; p=reject", "strict.test": "v=DMARC1; p=none; adkim=s; aspf=s", "silent.test": None}
CHANGES = {
    "none": lambda mail: mail,
    "trace": lambda mail: b"Received: from a by b\r\n" + mail,
    "body": lambda mail: mail.replace(b"Hello  Bob", b"Hello  Rob"),
    "blanks": lambda mail: mail.replace(b"Hello  Bob", b"Hello Bob"),
    "subject": lambda mail: mail.replace(b"Subject: Hello", b"Subject: Hullo"),
    "footer": lambda mail: mail + b"To unsubscribe, ask.\r\n",
}
ENVELOPES = ("ann@{}", "ann@news.{}", "ann@elsewhere.test", "")


def world() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return signers by name, and a zone with their keys and everybody's policies."""
    pem, public = rsa_pair()
    private = Ed25519PrivateKey.generate()
    seed, point = (
        base64.b64encode(raw) for raw in (private.private_bytes_raw(), private.public_key().public_bytes_raw())
    )
    zone: dict[str, dict[str, Any]] = {"elsewhere.test": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}}
    for domain, record in DOMAINS.items():
        zone[domain] = {"TXT": ["v=spf1 a:mx." + domain + " ~all"], "MX": []}
        zone[f"mx.{domain}"] = {"A": [PEER]}
        zone[f"news.{domain}"] = {"TXT": [f"v=spf1 include:{domain} -all"]}
        if record:
            zone[f"_dmarc.{domain}"] = {"TXT": [record]}
    for domain in [*DOMAINS, *(f"news.{each}" for each in DOMAINS), "elsewhere.test"]:
        zone[f"r._domainkey.{domain}"] = {"TXT": ["v=DKIM1; p=" + public.decode()]}
        zone[f"e._domainkey.{domain}"] = {"TXT": ["v=DKIM1; k=ed25519; p=" + point.decode()]}
    return {"r": (pem, b"rsa-sha256"), "e": (seed, b"ed25519-sha256")}, zone


def cases(signers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the mails with the facts of their connections."""
    made = []
    for domain, form, selector, prefix, change in itertools.product(
        DOMAINS, FORMS, signers, ("", "news.", "elsewhere"), CHANGES
    ):
        raw = MAIL % domain.encode()
        signer = "elsewhere.test" if prefix == "elsewhere" else prefix + domain
        key, algorithm = signers[selector]
        options = {"canonicalize": form, "signature_algorithm": algorithm}
        raw = CHANGES[change](dkim.sign(raw, selector.encode(), signer.encode(), key, **options) + raw)
        envelope = ENVELOPES[len(made) % len(ENVELOPES)].format(domain)
        peer = PEER if len(made) % 3 else "198.51.100.1"
        name = f"{domain} {b'/'.join(form).decode()} {selector} by {signer} change={change} from <{envelope}> at {peer}"
        made.append({"name": name, "raw": base64.b64encode(raw).decode(), "peer": peer, "helo": "mx.reject.test"})
        made[-1]["envelope_sender"] = envelope
    return made


class Zone:
    """The zone as our evaluation asks for it; implements Resolving."""

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        self._records = records

    def lookup(self, name: str, kind: str, until: float) -> tuple[Any, ...]:
        found = self._records.get(name.rstrip("."), {}).get(kind, [])
        return tuple(value.encode() if kind == "TXT" else value for value in found)


def _in_their_words(verdict: Verdict) -> str:
    """Return a signature's result; mailauth calls a body that was changed `neutral`."""
    return "neutral" if "does not match the body" in verdict.reason else verdict.result


def ours(case: dict[str, str], zone: Zone) -> dict[str, Any]:
    """Return our results in mailauth's shape."""
    facts = {name: case[name] for name in ("peer", "helo", "envelope_sender")}
    found = authenticate(base64.b64decode(case["raw"]), resolver=zone, **facts)
    signatures = [_in_their_words(verdict) for verdict in found.signatures]
    return {"spf": found.spf.result, "dkim": signatures, "dmarc": found.dmarc.result, "arc": found.arc.result}


def main(folder: Path) -> None:
    """Print what disagrees, by mechanism, and the score of each."""
    signers, zone = world()
    mails = cases(signers)
    question = json.dumps({"zone": zone, "cases": mails}).encode()
    answer = subprocess.run(["node", SCRIPT], cwd=folder, input=question, capture_output=True, check=True)  # noqa: S603, S607
    agreed: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for case, theirs in zip(mails, json.loads(answer.stdout), strict=True):
        mine = ours(case, Zone(zone))
        for mechanism, result in mine.items():
            seen[f"{mechanism} {result}"] += 1
            agreed[mechanism] += result == theirs[mechanism]
            if result != theirs[mechanism]:
                sys.stdout.write(f"{mechanism}: ours {result}, mailauth {theirs[mechanism]}: {case['name']}\n")
    sys.stdout.write("".join(f"{name}: {count} of {len(mails)} agree\n" for name, count in agreed.items()))
    sys.stdout.write("".join(f"  {name}: {count}\n" for name, count in sorted(seen.items())))


if __name__ == "__main__":
    started = time.perf_counter()
    main(Path(sys.argv[1]))
    sys.stdout.write(f"{time.perf_counter() - started:.0f} s\n")
