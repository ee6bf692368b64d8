"""Bytes to text, whatever the label says, and text that PostgreSQL can store."""

from __future__ import annotations

import re
from encodings import aliases, normalize_encoding

from mail.parsing import flags

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Labels are matched against Python's own table, never handed to `codecs.lookup` as they come: it imports by name and
# remembers every miss for ever. Left out: codecs that are not charsets, and those that take more than linear time.
_NOT_CHARSETS = {
    "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "mbcs", "oem",
    "idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined",
}  # fmt: skip
_CODECS = ({*aliases.aliases.values()} | {"koi8_u", "cp874", "mac_cyrillic", "utf_8_sig"}) - _NOT_CHARSETS

# What senders mean by a label, where that is wider than what it says (WHATWG encoding standard).
_MEANT = {
    "ascii": "utf_8",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ksc5601": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
}
_LABELS = {
    "8bit": "ascii",
    "unicode_1_1_utf_7": "utf_7",
    "unicode_1_1_utf_8": "utf_8",
    "windows_874": "cp874",
    "iso_8859_8_i": "iso8859_8",
    "x_sjis": "cp932",
    "x_gbk": "gb18030",
    "x_mac_roman": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def codec_for(label: str) -> str | None:
    """Return the Python codec for a charset label of a message, or None for a label nobody knows."""
    name = normalize_encoding(label.strip().strip("\"'").lower()) if label.isascii() else ""
    name = _LABELS.get(name, name)
    codec = aliases.aliases.get(name, name)
    return _MEANT.get(codec, codec) if codec in _CODECS else None


def decode(content: bytes, label: str | None) -> tuple[str, str | None]:
    """Return the text of `content`, and a flag if its label was unknown or untrue; never raise."""
    codec = codec_for(label) if label else "utf_8"
    if codec is None:
        return _guess(content), flags.CHARSET_UNKNOWN
    try:
        return content.decode(codec), None
    except (UnicodeError, LookupError):
        return _repair(content, codec), flags.CHARSET_REPAIRED if label else None


def _repair(content: bytes, codec: str) -> str:
    if codec in ("utf_8", "utf_8_sig", "cp1252"):
        return _guess(content)
    try:
        return content.decode("utf_8")
    except UnicodeDecodeError:
        return content.decode(codec, "replace")


def _guess(content: bytes) -> str:
    """UTF-8 if most of what is not ASCII reads as UTF-8, else windows-1252."""
    text = content.decode("utf_8", "replace")
    broken = text.count(REPLACEMENT)
    if not broken:
        return text
    beyond_ascii = sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - broken
    return text if beyond_ascii > broken else content.decode("cp1252", "replace")


def storable(text: str) -> str:
    """Return the text with NUL and lone surrogates, which PostgreSQL refuses, replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\x00", REPLACEMENT) if "\x00" in text else text
    return _UNSTORABLE.sub(REPLACEMENT, text)


def from_surrogates(text: str) -> str:
    """Header text as the standard library keeps raw 8-bit bytes (surrogateescape), read as UTF-8 or windows-1252."""
    if text.isascii():
        return text
    return _guess(text.encode("utf_8", "surrogateescape"))
