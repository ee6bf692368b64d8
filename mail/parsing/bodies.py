"""Which parts of a message are its body and which are attachments, and what text they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mail.parsing import flags, limits, tnef, uuencoding
from mail.parsing.charsets import decode, from_surrogates, storable
from mail.parsing.filenames import guessed_type, safe_filename
from mail.parsing.flowed import unflowed
from mail.parsing.parameters import media_type, parameters
from mail.parsing.values import Disposition, ParsedAttachment, Part

MAX_ATTACHMENTS = 1_000
_DECLARED_IN_HTML = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w:.-]{1,40})", re.IGNORECASE)
_HTML_HEAD = 2048


@dataclass(slots=True)
class Contents:
    """What the parts amount to; `found` are flags. `spare` are bodies that count only where there is no other."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attachments: list[ParsedAttachment] = field(default_factory=list)
    spare: list[tnef.Container] = field(default_factory=list)
    found: dict[str, None] = field(default_factory=dict)

    def text_body(self) -> str | None:
        return _joined(self.texts or [container.text for container in self.spare if not self.htmls])

    def html_body(self) -> str | None:
        return _joined(self.htmls or [container.html for container in self.spare if not self.texts])

    def attach(self, content: bytes, name: str, content_type: str, content_id: str = "", disposition: str = "") -> None:
        if len(self.attachments) >= MAX_ATTACHMENTS:
            self.found[flags.TOO_MANY_PARTS] = None
            return
        content_id = storable(content_id.strip("<> \t"))
        filename = safe_filename(name, content_type, len(self.attachments) + 1)
        shown = _disposition(disposition, content_id)
        self.attachments.append(ParsedAttachment(filename, content_type, content, content_id or None, shown))


def sorted_out(parts: list[Part]) -> Contents:
    """Return bodies and attachments of the leaves of a message, in their order.

    A text part is body unless it is marked as an attachment or is a named file beside the body. A `winmail.dat` is
    replaced by what is in it; its bodies count only where the message has no other. Files that stand uuencoded in a
    plain body become attachments.
    """
    contents = Contents()
    for part in parts:
        _take(contents, part)
    return contents


def _take(contents: Contents, part: Part) -> None:
    # A type that cannot be read, or a multipart that has lost its parts, is text/plain (RFC 2045, 5.2).
    declared = media_type(part.content_type)
    content_type = "text/plain" if not declared or declared.startswith("multipart/") else declared
    options = parameters(part.content_type)
    disposition, named = part.disposition.partition(";")[0].strip().lower(), parameters(part.disposition)
    name = named.get("filename") or options.get("name") or named.get("name") or ""
    is_shown = disposition != "attachment" and (part.is_root or not name)
    if is_shown and content_type == "text/plain":
        contents.texts.append(_plain(contents, part.content, options))
    elif is_shown and content_type == "text/html":
        contents.htmls.append(_html(contents, part.content, options))
    elif not (content_type in tnef.TYPES or name.lower() == "winmail.dat") or not _unpack(contents, part.content):
        contents.attach(part.content, name, content_type, part.content_id or "", disposition)


def _plain(contents: Contents, content: bytes, options: dict[str, str]) -> str:
    body, files = uuencoding.extracted(content)
    for file in files:
        name = from_surrogates(file.name.decode("utf_8", "surrogateescape"))
        contents.attach(file.content, name, guessed_type(name))
    text = _text(contents, body, options.get("charset"))
    if options.get("format", "").lower() == "flowed" and len(text) <= limits.MAX_FLOWED_LENGTH:
        return unflowed(text, drops_space=options.get("delsp", "").lower() == "yes")
    return text


def _html(contents: Contents, content: bytes, options: dict[str, str]) -> str:
    charset = options.get("charset")
    inside = _DECLARED_IN_HTML.search(content, 0, _HTML_HEAD) if not charset and not content.isascii() else None
    return _text(contents, content, inside[1].decode("ascii", "replace") if inside else charset)


def _text(contents: Contents, content: bytes, charset: str | None) -> str:
    text, flag = decode(content, charset.partition(" ")[0] if charset else None)
    if flag:
        contents.found[flag] = None
    text = storable(text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _unpack(contents: Contents, content: bytes) -> bool:
    container = tnef.unpacked(content)
    if container is None:
        contents.found[flags.TNEF_UNREADABLE] = None
        return False
    contents.spare.append(container)
    for file in container.files:
        content_type = media_type(file.content_type) or guessed_type(file.name)
        contents.attach(file.content, file.name, content_type, file.content_id)
    return True


def _joined(texts: list[str]) -> str | None:
    return "\n".join(text for text in texts if text) or None


def _disposition(declared: str, content_id: str) -> Disposition:
    """As declared; a part that only has a Content-ID is there to be shown inside the HTML body."""
    if declared in ("inline", "attachment"):
        return "inline" if declared == "inline" else "attachment"
    return "inline" if content_id else "attachment"
