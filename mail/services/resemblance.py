"""Whether two mails say nearly the same: fingerprints that differ little where texts do (simhash, Charikar 2002).

What tells one mail of a runaway from the next does not count: digits, dates, ids, links, case, blanks, punctuation,
quoted lines, ``Re:``. No database; the cost is bounded, whatever a mail holds.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

LONGEST = 20_000  # characters that are looked at
MOST_WORDS = 200
BITS = 64
NEAR = 9  # of 64 bits; texts that have nothing in common differ in about 32

TAG = re.compile(r"<[^<>]*>")
QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
RUN = re.compile(r"[0-9A-Za-z_./:+@#?=&%~-]+")
WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]")  # ideographs stand alone
REPLY_PREFIXES = {"re", "fw", "fwd", "aw", "wg", "sv", "vs", "tr", "rv", "rif", "antw"}
DATES = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    "sunday", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "january", "february",
    "march",
    "april", "june", "july", "august", "september", "october", "november", "december", "am", "pm", "utc", "gmt",
}  # fmt: skip
PASSED_OVER = REPLY_PREFIXES | DATES


def fingerprint(subject: str, text: str | None, html: str | None = None, names: Iterable[str] = ()) -> int:
    """Return the fingerprint of a mail, a signed 64-bit number; ``names`` are those of its files."""
    body = text if text is not None else TAG.sub(" ", (html or "")[:LONGEST])
    words = words_of("\n".join([subject[:LONGEST], body[:LONGEST], *names])[: 2 * LONGEST])
    shingles = [" ".join(pair) for pair in zip(["", *words], [*words, ""], strict=True)]
    columns = zip(*(f"{_hash(shingle):064b}" for shingle in shingles), strict=True)
    bits = "".join("1" if 2 * column.count("1") > len(shingles) else "0" for column in columns)
    value = int(bits, 2)
    return value - 2**BITS if value >= 2 ** (BITS - 1) else value


def words_of(text: str) -> list[str]:
    """Return the first words of a text that count, in lower case."""
    plain = RUN.sub(_without_ids, QUOTED.sub("", text)).casefold()
    return [word for word in WORD.findall(plain) if word not in PASSED_OVER][:MOST_WORDS]


def _without_ids(run: re.Match[str]) -> str:
    """Return nothing for what holds a digit, or is a link."""
    return " " if "://" in run[0] or any(map(str.isdigit, run[0])) else run[0]


def _hash(shingle: str) -> int:
    return int.from_bytes(blake2b(shingle.encode("utf-8", "surrogatepass"), digest_size=BITS // 8).digest())


def is_near(one: int, other: int) -> bool:
    """Return whether two fingerprints are those of nearly the same text."""
    differing: int = (one ^ other) & (2**BITS - 1)
    return differing.bit_count() <= NEAR
