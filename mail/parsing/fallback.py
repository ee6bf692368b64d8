"""The second reader: the standard library's compat32 parser, for what the fast one refuses, and its oracle in tests.

`email.policy.default` must not be used on mail from outside: its header parser takes 25 s for one 50 KB header.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from typing import TYPE_CHECKING, Any, cast

from mail.parsing import flags, limits
from mail.parsing.addresses import parse_addresses
from mail.parsing.charsets import from_surrogates
from mail.parsing.values import Address, Headers, Part, Reading
from mail.parsing.words import decode_words, unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS_HEADERS = ("from", "to", "cc", "bcc", "reply-to")
MAX_PARAMETERS = 64
MAX_STRUCTURED_HEADER = 4096


class _Whole(Message):
    """A compat32 message that keeps embedded messages whole and cuts headers before their parameters are parsed.

    The standard library would parse message/rfc822 without limit of depth and write it back changed; and its
    parameter parser takes quadratic time.
    """

    def get_content_type(self) -> str:
        declared = super().get_content_type()
        return "application/octet-stream" if declared.startswith("message/") else declared

    def get_content_maintype(self) -> str:
        return self.get_content_type().partition("/")[0]

    def get(self, name: str, failobj: Any = None) -> Any:
        value = next(self.every(name), None)
        if value is None:
            return failobj
        pieces = value[:MAX_STRUCTURED_HEADER].split(";", MAX_PARAMETERS)
        return from_surrogates(";".join(pieces[:MAX_PARAMETERS]))

    def get_param(self, param: str, *options: Any, **named: Any) -> Any:
        """Return the parameter; numbered RFC 2231 pieces that the standard library stumbles over are none."""
        try:
            return super().get_param(param, *options, **named)
        except (TypeError, ValueError, LookupError):
            return named.get("failobj", options[0] if options else None)

    def every(self, name: str) -> Iterator[str]:
        """Return the raw values of a header, 8-bit bytes as surrogates."""
        return (value for key, value in self.raw_items() if key.lower() == name.lower())

    def embeds_a_message(self) -> bool:
        """Whether the part is a message/rfc822, declared or as the default inside a multipart/digest."""
        return super().get_content_type() == "message/rfc822"


def read(raw: bytes) -> Reading:
    """Read a whole message."""
    root = cast("_Whole", BytesParser(_Whole, policy=compat32).parsebytes(raw))
    parts, found = _parts(root)
    return Reading(*_head(root), parts, found)


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
        content_type=decode_words(unfold(declared)),
        content=_content(node),
        filename=_filename(node),
        content_id=decode_words(unfold(content_id)).strip("<>") or None,
        disposition=node.get_content_disposition(),
        is_root=is_root,
    )


def _content(node: _Whole) -> bytes:
    content = node.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _filename(node: _Whole) -> str:
    try:
        return decode_words(node.get_filename() or "")
    except (ValueError, LookupError):
        return ""
