"""Mail from a folder: .eml files, mbox files and RFC 822 files under any name, each distinct message once."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 32 * 1024 * 1024
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_ENVELOPE = re.compile(rb"^From \S+.*\d\d:\d\d.*\d{4}.*\r?\n(?=[!-9;-~]+:)", re.MULTILINE)


def messages(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each distinct message below the folder, in the order of names."""
    seen: set[bytes] = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.stat().st_size > MOST_BYTES or path.suffix in (".json", ".md"):
            continue
        for number, raw in enumerate(_split(path.read_bytes())):
            digest = hashlib.sha256(raw).digest()
            if digest not in seen and _begins_with_a_header(raw):
                seen.add(digest)
                yield f"{path.relative_to(folder)}{f'#{number}' if number else ''}", raw


def _split(content: bytes) -> list[bytes]:
    """Return the messages of an mbox; what holds fewer than two "From " lines is one message as it stands."""
    starts = [match.start() for match in _ENVELOPE.finditer(content)]
    if len(starts) < 2 or starts[0] > 0:  # noqa: PLR2004 - an mbox of one message is that message
        return [content]
    return [content[start:end] for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]


def _begins_with_a_header(raw: bytes) -> bool:
    lines = raw.lstrip(b"\r\n\xef\xbb\xbf").split(b"\n", 3)[:3]
    return any(_HEADER_LINE.match(line) for line in lines)
