"""The second reader: the standard library's compat32 parser, for what the fast one refuses, and its oracle in tests.

`email.policy.default` must not be used on mail from outside: its header parser takes 25 s for one 50 KB header.
"""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from typing import TYPE_CHECKING, Any, cast

from mail.parsing import flags, limits
from mail.parsing.addresses import parse_addresses
from mail.parsing.parameters import media_type, parameters
from mail.parsing.transfer import decoded
from mail.parsing.values import Address, Headers, Part, Reading
from mail.parsing.words import decode_words, unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS_HEADERS = ("from", "to", "cc", "bcc", "reply-to")
# A line that ends one part and begins the headers of the next.
_BOUNDARY_LINE = re.compile(rb'^--([^\s"\\-][^\r\n"\\]{0,69})\r?\n[!-9;-~]{1,60}:', re.MULTILINE)


class _Whole(Message):
    """A compat32 message that keeps embedded messages whole and cuts headers before their parameters are parsed.

    The standard library would parse message/rfc822 without limit of depth and write it back changed; and its
    parameter parser takes quadratic time. Content-Type and boundary are read by `parameters`, as everywhere.
    """

    def get_content_type(self) -> str:
        declared = self.declared_type()
        return "application/octet-stream" if declared.startswith("message/") else declared

    def declared_type(self) -> str:
        return media_type(next(self.every("content-type"), "")) or self.get_default_type()

    def get_content_maintype(self) -> str:
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: Any = None) -> Any:
        boundary = parameters(next(self.every("content-type"), "")).get("boundary", "").rstrip()
        return boundary or failobj

    def every(self, name: str) -> Iterator[str]:
        """Return the raw values of a header, 8-bit bytes as surrogates."""
        return (value for key, value in self.raw_items() if key.lower() == name.lower())

    def raw_content(self) -> bytes:
        """Return the encoded content of a leaf; `get_payload` would decode it by its charset."""
        payload: Any = vars(self)["_payload"]
        return payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b""

    def embeds_a_message(self) -> bool:
        """Whether the part is a message/rfc822, declared or as the default inside a multipart/digest."""
        return self.declared_type() == "message/rfc822"


def read(raw: bytes) -> Reading:
    """Read a whole message."""
    root = cast("_Whole", BytesParser(_Whole, policy=compat32).parsebytes(raw))
    whole, found = _with_its_parts(root, raw)
    parts, more = _parts(whole)
    return Reading(*_head(root), parts, found + more)


def _with_its_parts(root: _Whole, raw: bytes) -> tuple[_Whole, tuple[str, ...]]:
    """Return the root, or for a multipart whose boundary is missing or wrong one read with the boundary of its body."""
    if root.is_multipart() or not root.declared_type().startswith("multipart/"):
        return root, ()
    body = raw[limits.header_end(raw) :]
    used = _BOUNDARY_LINE.search(body)
    if used is None:
        return root, ()
    head = b'Content-Type: multipart/mixed; boundary="%s"\n' % used[1].rstrip()
    repaired = cast("_Whole", BytesParser(_Whole, policy=compat32).parsebytes(head + body))
    return repaired, (flags.BOUNDARY_REPAIRED,)


def read_head(raw: bytes) -> Reading:
    """Read only the headers of a message; its body is not looked at."""
    parser = BytesHeaderParser(_Whole, policy=compat32)
    head = cast("_Whole", parser.parsebytes(raw[: limits.header_end(raw) + 2]))
    return Reading(*_head(head), [])


def _head(message: _Whole) -> tuple[Headers, dict[str, tuple[Address, ...]]]:
    headers: Headers = {}
    for name, value in message.raw_items():
        headers.setdefault(decode_words(name.lower()), []).append(decode_words(unfold(value)))
    raw_values = {name: list(message.every(name)) for name in ADDRESS_HEADERS if name in headers}
    return headers, {name: parse_addresses(values) for name, values in raw_values.items()}


def _parts(root: _Whole) -> tuple[list[Part], tuple[str, ...]]:
    """Return the leaves in order, depth first, without recursion."""
    parts: list[Part] = []
    found: dict[str, None] = {}
    visited = 0
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        visited += 1
        if visited > limits.MAX_PARTS:
            found[flags.TOO_MANY_PARTS] = None
            break
        if depth > limits.MAX_DEPTH:
            found[flags.NESTED_TOO_DEEPLY] = None
            continue
        children = cast("list[_Whole] | None", node.get_payload() if node.is_multipart() else None)
        if children is None:
            parts.append(_part(node, is_root=node is root))
        else:
            waiting.extend((child, depth + 1) for child in reversed(children[: limits.MAX_PARTS]))
    return parts, tuple(found)


def _part(node: _Whole, *, is_root: bool) -> Part:
    declared = "message/rfc822" if node.embeds_a_message() else next(node.every("content-type"), "")
    content_id = next(node.every("content-id"), "")
    return Part(
        content_type=unfold(declared),
        content=_content(node),
        content_id=decode_words(unfold(content_id)).strip("<>") or None,
        disposition=unfold(next(node.every("content-disposition"), "")),
        is_root=is_root,
    )


def _content(node: _Whole) -> bytes:
    encoding = next(node.every("content-transfer-encoding"), "")
    return decoded(node.raw_content(), unfold(encoding))
