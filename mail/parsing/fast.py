"""The first reader: fast-mail-parser. It takes nearly all mail; what it would get wrong it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_mail_parser import ParseError, PyLazyMimePart, PyMailMetadata, parse_email, parse_email_tree

from mail.parsing import fallback, flags, limits
from mail.parsing.addresses import address
from mail.parsing.values import Address, Headers, Part, Reading, Refused

if TYPE_CHECKING:
    from fast_mail_parser import PyAddress

_OF_PARTS = ("content-type", "content-disposition", "content-transfer-encoding")


def read(raw: bytes) -> Reading:
    """Read a message. Raises Refused for what the fallback reads better."""
    try:
        tree = parse_email_tree(raw, mode="lazy")
        parts, found = _parts(tree)
        headers = _lowered(tree.headers)
        addresses = _addresses(parse_email(raw, mode="metadata"), headers)
    except ParseError as error:
        raise Refused(str(error)) from error
    except BaseException as error:
        # A panic in Rust arrives as a BaseException of a class that cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(str(error)) from error
    if addresses is None or _is_encoded(raw):
        head = fallback.read_head(raw)
        headers, addresses = head.headers, head.addresses
    return Reading(headers, addresses, parts, found)


def _parts(root: PyLazyMimePart) -> tuple[list[Part], tuple[str, ...]]:
    """Return the leaves in order, depth first, without recursion. Embedded messages stay whole."""
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
        content = node.content
        if content is not None:
            parts.append(_part(node, content, is_root=node is root))
            continue
        children = node.children[: limits.MAX_PARTS]
        if not children:
            reason = "a multipart without parts"
            raise Refused(reason)
        waiting.extend((child, depth + 1) for child in reversed(children))
    return parts, tuple(found)


def _part(node: PyLazyMimePart, content: bytes, *, is_root: bool) -> Part:
    headers = {name.lower(): values[0] for name, values in node.headers.items() if name.lower() in _OF_PARTS}
    declared = headers.get("content-type", "")
    disposition = headers.get("content-disposition", "")
    if not _is_plain(declared) or not _is_plain(disposition) or _is_odd(headers.get("content-transfer-encoding", "")):
        reason = "parameters or an encoding that the fast reader has its own ideas of"
        raise Refused(reason)
    return Part(
        content_type="message/rfc822" if node.is_message else declared,
        content=content,
        content_id=node.content_id,
        disposition=disposition,
        is_root=is_root,
    )


def _is_plain(value: str) -> bool:
    """Whether decoding cannot have changed the value, nor lost anything of it: the fast reader decodes as it reads."""
    return value.isascii() and value.isprintable() and "*" not in value and "=?" not in value


def _is_odd(encoding: str) -> bool:
    return encoding.strip().lower() not in ("", "7bit", "8bit", "binary", "base64", "quoted-printable")


def _lowered(headers: dict[str, list[str]]) -> Headers:
    lowered: Headers = {}
    for name, values in headers.items():
        lowered.setdefault(name.lower(), []).extend(values)
    return lowered


def _addresses(mail: PyMailMetadata, headers: Headers) -> dict[str, tuple[Address, ...]] | None:
    """Return the addresses of each header present; None where the raw header must be looked at again."""
    seen: dict[str, list[PyAddress]] = {
        "from": [mail.from_] if mail.from_ else [],
        "to": mail.to,
        "cc": mail.cc,
        "bcc": mail.bcc,
        "reply-to": mail.reply_to,
    }
    found: dict[str, tuple[Address, ...]] = {}
    for name, boxes in seen.items():
        values = headers.get(name)
        if values is None:
            continue
        made = [address(box.address, box.display_name or "") for box in boxes]
        whole = tuple(box for box in made if box is not None)
        is_named_in_comment = "(" in values[0] and not all(box.name for box in whole)
        if len(values) > 1 or not whole or len(whole) < len(made) or is_named_in_comment:
            return None
        found[name] = whole
    return found


def _is_encoded(raw: bytes) -> bool:
    """Whether the headers hold anything that has to be decoded: the fast reader knows few of the ways to be wrong."""
    head = raw[: limits.header_end(raw)]
    return b"=?" in head or not head.isascii()
