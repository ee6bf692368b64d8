"""The DKIM-Signature field (RFC 6376, section 3.5), in relaxed/relaxed form."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from mail.authentication import canonical, fields, signatures
from mail.authentication.fields import Field, Signable
from mail.signing.keys import Key

NAME = "DKIM-Signature"
WIDTH = 76
CRLF_FOLD = "\r\n "
METHOD = "relaxed"
# Named once more than they occur, so that whoever adds another one breaks the signature (RFC 6376, section 8.15).
OVERSIGNED = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post",
)  # fmt: skip
SIGNED_IF_THERE = ("Sender", "List-Id", "List-Help", "Auto-Submitted", "Content-Disposition", "Feedback-ID")


def sign(raw: bytes, keys: Sequence[Key], *, at: int | None = None) -> bytes:
    """Return the mail with one DKIM-Signature of each key on top, its line ends made CRLF.

    ``at`` is t= in seconds of Unix time, the present by default. Without keys the mail comes back as it is.
    """
    if not keys:
        return raw
    wired = fields.with_network_line_ends(raw)
    message = fields.read(wired)
    names = _signed_names(message)
    body_hash = _base64(canonical.hash_body(message.body, METHOD).digest)
    moment = int(time.time()) if at is None else at
    written = [_field(message, names, body_hash, key, moment) for key in keys]
    return "".join(written).encode() + wired


def _signed_names(message: Signable) -> list[str]:
    present = Counter(field.name for field in message.fields)
    signed = [name for name in OVERSIGNED for _ in range(present[name.lower()] + 1)]
    return signed + [name for name in SIGNED_IF_THERE for _ in range(present[name.lower()])]


def _field(message: Signable, names: Sequence[str], body_hash: str, key: Key, at: int) -> str:
    """Return the whole field with its CRLF. What is signed of it is all but the value of b= (section 3.7)."""
    head = f"{NAME}: " + CRLF_FOLD.join(
        (
            f"v=1; a={key.algorithm}; c={METHOD}/{METHOD};",
            *_folded_tags((f"d={key.domain};", f"s={key.selector};", f"t={at};")),
            f"h={_folded_names(names)};",
            f"bh={body_hash};",
            "b=",
        )
    )
    signature = key.signature(_digest(message, names, head))
    return f"{head}{CRLF_FOLD.join(_cut(_base64(signature)))}\r\n"


def _digest(message: Signable, names: Iterable[str], head: str) -> bytes:
    hasher = hashlib.sha256()
    for each in signatures.selected(message, (name.lower() for name in names)):
        hasher.update(canonical.header(each, METHOD))
    own = Field(NAME.lower(), head.encode())
    hasher.update(canonical.header(own, METHOD).removesuffix(canonical.CRLF))
    return hasher.digest()


def _folded_tags(tags: Iterable[str]) -> list[str]:
    """Return the tags on as few lines as their width permits."""
    lines: list[str] = []
    for tag in tags:
        if lines and len(lines[-1]) + len(tag) + 2 <= WIDTH:
            lines[-1] += f" {tag}"
        else:
            lines.append(tag)
    return lines


def _folded_names(names: Sequence[str]) -> str:
    """Return the list of h=, folded after colons, where folding means nothing (RFC 6376, section 3.5)."""
    folded, width = names[0], len(names[0]) + 3
    for name in names[1:]:
        if width + len(name) + 2 > WIDTH:
            folded, width = f"{folded}:{CRLF_FOLD}{name}", len(name) + 1
        else:
            folded, width = f"{folded}:{name}", width + len(name) + 1
    return folded


def _cut(text: str) -> list[str]:
    """Return a long base64 text in lines; blanks in b= mean nothing. The first line has ``b=`` before it."""
    step = WIDTH - 3
    return [text[start : start + step] for start in range(0, len(text), step)]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
