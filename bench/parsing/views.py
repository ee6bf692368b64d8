"""The fields that are compared, as our parser and as the strangers see them."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mail.parsing import Address, ParsedAttachment, ParsedMail

HERE = Path(__file__).parent
STRANGERS = ("mailparser", "postal-mime")
View = dict[str, Any]


def of_ours(mail: ParsedMail) -> View:
    """Return what is compared of a message that we read."""
    return {
        "subject": mail.subject,
        "from": _emails([mail.from_address] if mail.from_address else []),
        "to": _emails(mail.to),
        "cc": _emails(mail.cc),
        "text": mail.text_body or "",
        "html": mail.html_body or "",
        "attachments": [[part.filename, part.content_type, _digest(part)] for part in mail.attachments],
    }


def of_strangers(raws: Iterable[bytes]) -> Iterator[dict[str, View]]:
    """Yield, for each message, the view of each stranger by its name; `{"error": ...}` where one gave up."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").is_dir():
        raise SystemExit("The other parsers need Node: npm install --prefix bench/parsing")
    command = [node, "--max-old-space-size=1024", str(HERE / "strangers.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdin  # noqa: S101 - PIPE was asked for
        assert process.stdout  # noqa: S101 - PIPE was asked for
        for raw in raws:
            process.stdin.write(base64.b64encode(raw) + b"\n")
            process.stdin.flush()
            yield json.loads(process.stdout.readline())
        process.stdin.close()


def _digest(part: ParsedAttachment) -> str:
    """Return the SHA-256 of an attachment; of a textual one without regard to line breaks, which parsers change."""
    content = part.content
    if part.content_type.startswith(("text/", "message/")):
        content = content.replace(b"\r\n", b"\n").rstrip(b"\n")
    return hashlib.sha256(content).hexdigest()


def _emails(boxes: Iterable[Address]) -> list[str]:
    return [box.email for box in boxes]
