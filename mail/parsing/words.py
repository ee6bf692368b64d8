"""Header values: unfolding, RFC 2047 encoded words and parameters, each in one pass over the value."""

from __future__ import annotations

import binascii

from mail.parsing import transfer
from mail.parsing.charsets import decode, from_surrogates

# RFC 2047 permits 75 characters in all; some senders put a whole subject into one word.
MAX_CHARSET = 80
MAX_WORD = 8_000

_LINE_BREAKS = str.maketrans("\r\n", "  ")


def unfold(value: str) -> str:
    """Return the value on one line (RFC 5322, 2.2.3), folding white space reduced to one blank, ends trimmed."""
    if "\n" in value or "\r" in value:
        value = " ".join(line.strip(" \t\r") for line in value.split("\n")).translate(_LINE_BREAKS)
    return value.strip(" \t")


def decode_words(value: str) -> str:
    """Return the value with RFC 2047 encoded words decoded; raw 8-bit bytes may come as surrogates.

    Neighbouring words of one charset are decoded together, because some senders split a character between two.
    """
    if "=?" not in value:
        return from_surrogates(value)
    return "".join(_runs(value))


def _runs(value: str) -> list[str]:
    out: list[str] = []
    run, charset = b"", ""
    done = 0
    start = value.find("=?")
    while start >= 0:
        word = _word_at(value, start)
        if word is None:
            start = value.find("=?", start + 2)
            continue
        between = value[done:start]
        if between.strip() or not out or word[0] != charset:
            out.extend((decode(run, charset)[0], _between(between, after_word=bool(charset))))
            run, charset = b"", word[0]
        run += word[1]
        done = word[2]
        start = value.find("=?", done)
    return [*out, decode(run, charset)[0], from_surrogates(value[done:])]


def _between(text: str, *, after_word: bool) -> str:
    """White space between two encoded words is not part of the text (RFC 2047, 6.2)."""
    return "" if after_word and not text.strip() else from_surrogates(text)


def _word_at(value: str, start: int) -> tuple[str, bytes, int] | None:
    """Return the charset, bytes and end of the encoded word at `start`, or None if there is none."""
    charset_end = value.find("?", start + 2, start + 2 + MAX_CHARSET)
    text_start = charset_end + 3
    if charset_end < 0 or value[charset_end + 2 : text_start] != "?":
        return None
    text_end = value.find("?=", text_start, text_start + MAX_WORD)
    if text_end < 0:
        return None
    content = _word_content(value[charset_end + 1].lower(), value[text_start:text_end])
    charset = value[start + 2 : charset_end].partition("*")[0].lower()
    return None if content is None else (charset, content, text_end + 2)


def _word_content(encoding: str, text: str) -> bytes | None:
    encoded = text.encode("utf_8", "surrogateescape")
    if encoding == "q":
        return binascii.a2b_qp(encoded.replace(b" ", b"_"), header=True)
    return transfer.decoded(encoded, "base64") if encoding == "b" else None
