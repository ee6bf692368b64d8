"""Domains as people see them: what is registered, which script it is in, and what it looks like."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

MAX_DOMAIN_LENGTH = 253
MAX_LABEL_LENGTH = 63
MIN_SHAPED_LENGTH = 5

# Names that are imitated most, and so short a list that a firm of a similar name is not hit.
BRANDS = frozenset(
    (
        *("paypal", "google", "gmail", "microsoft", "office365", "outlook", "apple", "icloud", "amazon", "facebook"),
        *("instagram", "whatsapp", "linkedin", "netflix", "github", "gitlab", "dropbox", "docusign", "adobe", "stripe"),
        *("coinbase", "binance", "blockchain", "wellsfargo", "chase", "citibank", "hsbc", "barclays", "santander"),
        *("dhl", "fedex", "usps", "postbank", "sparkasse", "commerzbank", "deutschebank", "ebay", "walmart", "slack"),
        *("telegram", "twitter", "youtube", "yahoo", "openai", "anthropic", "salesforce", "zoom", "spotify"),
    ),
)

# Letters of other scripts that look like Latin ones (the part of Unicode TR 39's table that fonts make true).
_LOOKALIKES = str.maketrans(
    dict(
        [
            *zip("авекмнорстухѕіјԁԛԝһӏґьпгղսօցհոɡɩıɑʏɪ", "abekmhopctyxsijdqwhlrbnrnuoghngiiayi", strict=True),
            *zip("αβεικνορτυχωηγμ", "abeikvoptuxwnyu", strict=True),
            *zip("АВЕКМНОРСТУХЅІЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abekmhopctyxsijabezhikmnoptyx", strict=True),  # noqa: RUF001
            *zip("ſƖøłđħŧ", "sloldht", strict=True),
        ],
    ),
)
_SHAPES = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("5", "s"), ("i", "l"))
_SCRIPT_SETS = (
    frozenset(("HAN", "HIRAGANA", "KATAKANA", "LATIN")),
    frozenset(("HAN", "HANGUL", "LATIN")),
    frozenset(("HAN", "BOPOMOFO", "LATIN")),
)
_SCRIPTS = {"CJK": "HAN", "IDEOGRAPHIC": "HAN", "KATAKANA-HIRAGANA": "KATAKANA"}
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}+@([\w-]{1,63}+(?:\.[\w-]{1,63}+)+)")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def registrable(domain: str) -> str:
    """Return the part of a domain that somebody registered (`b.co.uk` of `a.b.co.uk`), or the domain where none is.

    In Unicode and lower case, whichever way it came.
    """
    shown = to_unicode(domain)
    return _suffixes().privatesuffix(shown) or shown


def is_public(domain: str) -> bool:
    """Whether the domain ends in a suffix that the Public Suffix List knows by name."""
    last = domain.rpartition(".")[2]
    return bool(_suffixes().publicsuffix(domain, accept_unknown=False)) and not last.isdigit()


def domain_of(email: str) -> str:
    """Return the domain of an address, in lower case; "" where it has none."""
    return email.rpartition("@")[2].strip(" .>").lower()[:MAX_DOMAIN_LENGTH] if "@" in email else ""


def addresses_in(text: str) -> list[str]:
    """Return the addresses that a short text holds, in lower case."""
    return [match.group().lower() for match in _ADDRESS.finditer(text[:1_000])]


def to_unicode(domain: str) -> str:
    """Return a domain with its punycode labels decoded (RFC 3492); what cannot be decoded stays."""
    lowered = domain[:MAX_DOMAIN_LENGTH].lower().strip(".")
    if "xn--" not in lowered:
        return lowered
    return ".".join(_label_to_unicode(label) for label in lowered.split("."))


def _label_to_unicode(label: str) -> str:
    if not label.startswith("xn--") or len(label) > MAX_LABEL_LENGTH:
        return label
    try:
        return label[4:].encode("ascii").decode("punycode").lower()
    except (UnicodeError, ValueError, OverflowError):
        return label


def skeleton(text: str) -> str:
    """Return what a text looks like: texts with the same skeleton can be taken for one another."""
    return shape(letters(text))


def letters(text: str) -> str:
    """Return a text with look-alike letters and accents replaced by plain Latin ones, in lower case."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LOOKALIKES))
    return "".join(one for one in decomposed if not unicodedata.combining(one)).translate(_LOOKALIKES)


def shape(text: str) -> str:
    """Return a text with the look-alikes within ASCII made one (`rn` and `m`, `0` and `o`)."""
    for pair, single in _SHAPES:
        text = text.replace(pair, single)
    return text


# A short name has neighbours in ASCII that are honest firms.
_BRAND_SKELETONS = {skeleton(brand): brand for brand in sorted(BRANDS) if len(brand) >= MIN_SHAPED_LENGTH}


@lru_cache(maxsize=4096)
def is_mixed(label: str) -> bool:
    """Whether a label mixes scripts that no language writes together."""
    if label.isascii():
        return False
    scripts = {_script(one) for one in label if one.isalpha()}
    return len(scripts) > 1 and not any(scripts <= allowed for allowed in _SCRIPT_SETS)


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "UNKNOWN").split(" ")[0]
    if first in {"FULLWIDTH", "HALFWIDTH", "MODIFIER"}:
        return "LATIN"
    return _SCRIPTS.get(first, first)


def imitated(domain: str, ours: frozenset[str]) -> str | None:
    """Return what a domain imitates (a domain of ours, a well-known name, or "mixed scripts"); None for honest ones."""
    shown = registrable(domain)
    own = {registrable(one) for one in ours}
    if not shown or shown in own:
        return None
    looks_like = skeleton(shown)
    for one in sorted(own):
        if looks_like == skeleton(one):
            return one
    label = shown.partition(".")[0]
    if any(is_mixed(one) for one in to_unicode(domain).split(".")):
        return "mixed scripts"
    brand = letters(label) if letters(label) in BRANDS else _BRAND_SKELETONS.get(skeleton(label))
    return brand if brand and label != brand else None
