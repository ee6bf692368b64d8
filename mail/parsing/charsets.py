"""Bytes to text, whatever the label says, and text that PostgreSQL can store."""

from __future__ import annotations

import re
from encodings import aliases, normalize_encoding

from chardetng_py import EncodingDetector

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
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ksc5601": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
}
_LABELS = {
    "7bit": "ascii",
    "8bit": "ascii",
    "unicode_1_1_utf_7": "utf_7",
    "unicode_1_1_utf_8": "utf_8",
    "utf8mb4": "utf_8",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "macintosh": "mac_roman",
    "mac_ce": "mac_latin2",
    "mac_centraleurroman": "mac_latin2",
    "euc_cn": "gb18030",
    "sjis": "cp932",
    "ms932": "cp932",
    "ms949": "cp949",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "iso_2022_jp_ms": "iso2022_jp",
}
# Where a strict codec fails on characters that a vendor added, these read the same bytes more generously.
_WIDER = {
    "iso2022_jp_ext": ("iso2022_jp_2004", b"\x1b$B", b"\x1b$(Q"),
    "euc_jp": ("euc_jis_2004", b"", b""),
    "big5hkscs": ("cp950", b"", b""),
}
_SHIFTS = {b"\x1b$)C": "iso2022_kr", b"\x1b$B": "iso2022_jp_ext", b"\x1b$@": "iso2022_jp_ext"}
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf_16", b"\xfe\xff": "utf_16", b"\xef\xbb\xbf": "utf_8"}
_LATIN = ("cp1250", "cp1254", "cp1257", "cp1258", "iso8859_2", "iso8859_4", "iso8859_13")
_SAMPLE = 64 * 1024
_LETTER = re.compile(rb"[A-Za-z\xc0-\xff]")
_EIGHT_BIT_LETTER = re.compile(rb"[\xc0-\xff]")
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def codec_for(label: str) -> str | None:
    """Return the Python codec for a charset label of a message, or None for a label nobody knows."""
    name = normalize_encoding(label.strip().strip("\"'").lower()) if label.isascii() else ""
    bare = name.removeprefix("x_").removeprefix("cs")
    for spelling in (name, bare, re.sub(r"^(windows|ms|ibm|cp)_?(?=\d)", "cp", bare), bare.replace("_", "")):
        known = _LABELS.get(spelling, spelling)
        codec = aliases.aliases.get(known, known)
        if codec in _CODECS:
            return _MEANT.get(codec, codec)
    return None


def decode(content: bytes, label: str | None) -> tuple[str, str | None]:
    """Return the text of `content`, and a flag if its label was unknown or untrue; never raise."""
    codec = codec_for(label) if label else "utf_8"
    if codec is None:
        return _guess(content), flags.CHARSET_UNKNOWN
    if codec in ("utf_8", "cp1252") and _is_shifted(content):
        return _guess(content), flags.CHARSET_REPAIRED if label and codec_for(label) == "cp1252" else None
    try:
        if codec == "cp1252" and _is_mislabelled(content):
            return _guess(content), flags.CHARSET_REPAIRED
        return content.decode(codec).removeprefix("\ufeff"), None
    except (UnicodeError, LookupError):
        return _repair(content, codec), flags.CHARSET_REPAIRED if label else None


def _is_shifted(content: bytes) -> bool:
    """Whether text with another label, or none, announces its charset: by escapes (RFC 1468, 1557) or a mark."""
    return (b"\x1b$" in content and any(escape in content for escape in _SHIFTS)) or content[:2] in _BYTE_ORDER_MARKS


def _is_mislabelled(content: bytes) -> bool:
    """Whether bytes labelled as Western are none: they read as UTF-8, or more letters than not are beyond ASCII."""
    sample = content[:_SAMPLE]
    if sample.isascii():
        return False
    try:
        content.decode("utf_8")
    except UnicodeDecodeError:
        beyond = len(_EIGHT_BIT_LETTER.findall(sample))
        return beyond > 3 and 2 * beyond > len(_LETTER.findall(sample))  # noqa: PLR2004 - a word's worth
    return True


def _repair(content: bytes, codec: str) -> str:
    if codec in ("utf_8", "utf_8_sig", "cp1252"):
        return _guess(content)
    wider, old, new = _WIDER.get(codec, (codec, b"", b""))
    readings = [("utf_8", content)] if not content.isascii() else []
    for name, spelled in (*readings, (wider, content.replace(old, new) if old else content)):
        try:
            return spelled.decode(name)
        except UnicodeDecodeError:
            continue
    return content.decode(codec, "replace")


def _guess(content: bytes) -> str:
    """Read text that has no true label: by its marks and escapes, as UTF-8 if most of it is, else by its letters."""
    for mark, codec in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content[len(mark) * (codec == "utf_8") :].decode(codec, "replace")
    for escape, codec in _SHIFTS.items():
        if escape in content:
            return content.decode(codec, "replace")
    text = content.decode("utf_8", "replace")
    broken = text.count(REPLACEMENT)
    if not broken:
        return text
    beyond_ascii = sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) - broken
    return text if beyond_ascii > broken else content.decode(_detected(content), "replace")


def _detected(content: bytes) -> str:
    """Return the codec that Firefox would choose for these bytes, judged by the first 64 KB that matter."""
    first = _EIGHT_BIT.search(content)
    start = max(0, first.start() - 1024) if first else 0
    detector = EncodingDetector()
    detector.feed(content[start : start + _SAMPLE], last=True)
    codec = codec_for(detector.guess(tld=None, allow_utf8=False)) or "cp1252"
    return "cp1252" if codec in _LATIN and not _has_letters(content[start : start + _SAMPLE]) else codec


def _has_letters(content: bytes) -> bool:
    """Whether bytes beyond ASCII are letters: a lone pound sign or a curly quote tells of no language."""
    return any(chr(byte).isalpha() for byte in set(content) if byte >= 0xC0)  # noqa: PLR2004 - where Latin letters begin


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
