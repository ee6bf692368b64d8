"""Where links lead, against what they show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote

from mail.inspection.domains import domain_of, imitated, is_public, registrable
from mail.inspection.pages import Link

MAX_LINKS = 2_000
MAX_URL_LENGTH = 4_000
MAX_SHOWN_LENGTH = 300
MIN_NESTED_HOSTS = 3

_URL = re.compile(r"(?<![\w@])https?:/{1,4}[^\s<>\"'\u200b]{1,4000}+", re.IGNORECASE)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]{1,20})\s*:", re.IGNORECASE)
_AUTHORITY = re.compile(r"https?:[/\\]{1,4}([^/\\?#\s]{0,1000})", re.IGNORECASE)
_SHOWN = re.compile(
    r"(https?://)?(?:[^\s/@?#]{1,60}@)?(www\.)?((?:[\w-]{1,63}\.)+[^\W\d_]{2,24}|(?:[\w-]{1,63}\.)+xn--[\w-]{2,59})"
    r"(?::\d{1,5})?(?:[/?#]\S{0,200})?",
    re.IGNORECASE,
)
_SHOWN_ADDRESS = re.compile(r"[\w.+-]{1,64}@((?:[\w-]{1,63}\.)+[\w-]{2,24})")
_CONTROL = re.compile(r"[\x00-\x20]+")
_NUMBER_HOST = re.compile(r"(?:0x[0-9a-f]{1,8}|\d{8,10}|0\d{1,3}\.\d{1,4}\.\d{1,4}\.\d{1,4})", re.IGNORECASE)

# Names of files and of products that are also domains of some country.
_FILE_LIKE = frozenset(
    "ai app cc cs dev fm gl io is java js md me mov net pl pm ps py rs sh so st tf to ts vi zip".split()  # noqa: SIM905
)

# Hosts of one firm under several names, and hosts that look at every link on the way.
_SAME = (
    frozenset(("youtube.com", "youtu.be")),
    frozenset(("twitter.com", "x.com", "t.co")),
    frozenset(("facebook.com", "fb.com", "fb.me", "messenger.com")),
    frozenset(("microsoft.com", "office.com", "aka.ms", "live.com", "outlook.com", "microsoftonline.com")),
    frozenset(("google.com", "goo.gl", "g.co", "gmail.com", "withgoogle.com")),
    frozenset(("amazon.com", "amzn.to", "a.co")),
    frozenset(("linkedin.com", "lnkd.in")),
    frozenset(("telegram.org", "t.me")),
    frozenset(("whatsapp.com", "wa.me")),
)
_REWRITERS = re.compile(
    r"(?:^|\.)(?:safelinks\.protection\.outlook\.com|urldefense\.(?:proofpoint\.)?com|linkprotect\.cudasvc\.com|"
    r"protect(?:-[a-z]{2})?\.mimecast\.com|secure-web\.cisco\.com|trendmicro\.com|clicktime\.symantec\.com)$",
)
_TRACKERS = frozenset(
    (
        *(
            "list-manage.com",
            "mailchi.mp",
            "sendgrid.net",
            "awstrack.me",
            "mailgun.org",
            "mandrillapp.com",
            "hs-sales-engage.com",
        ),
        *(
            "hubspotlinks.com",
            "sendinblue.com",
            "brevo.com",
            "mailjet.com",
            "klclick.com",
            "klaviyomail.com",
            "rs6.net",
        ),
        *("constantcontact.com", "exacttarget.com", "sfmc-content.com", "mkt-page.com", "substack.com", "cmail19.com"),
        *(
            "cmail20.com",
            "createsend.com",
            "mailerlite.com",
            "mlsend.com",
            "convertkit-mail.com",
            "customer.io",
            "iterable.com",
        ),
        *("pstmrk.it", "sparkpostmail.com", "mjt.lu", "emltrk.com", "campaign-archive.com", "activehosted.com"),
    ),
)
_TRACKING_LABEL = re.compile(
    r"(?:click|clicks|link|links|lnk|track|tracking|trk|go|url\d*|email|e|t|r|cl|ct|em\d*|mail|news|newsletter)\."
)


class Sender(NamedTuple):
    """The domain in From, and whether the mail is a mailing (List-Unsubscribe, List-Id)."""

    domain: str
    is_mailing: bool


def host(url: str) -> str:
    """Return the host of a web address as browsers read it, in lower case; "" where there is none."""
    match = _AUTHORITY.match(_CONTROL.sub("", url[:MAX_URL_LENGTH]))
    if match is None:
        return ""
    authority = unquote(match.group(1)).rpartition("@")[2]
    return authority.rpartition(":")[0].lower() if re.search(r":\d*$", authority) else authority.lower().strip(".")


def urls_in(text: str) -> list[str]:
    """Return the first web addresses that a text shows."""
    if "http" not in text.lower():
        return []
    return [match.group().rstrip(".,;:!?)]}>") for match, _ in zip(_URL.finditer(text), range(MAX_LINKS), strict=False)]


def mismatches(links: Iterable[Link], sender: Sender) -> Iterator[str]:
    """Yield links whose text names another host or address than the one they lead to.

    Hosts are compared by the domain that somebody registered. A mailing may count clicks at a host that is known for it
    or named for it, for its own domain's links; what rewrites links for safety is looked through.
    """
    for link in links:
        shown, target = _shown(link), _target(link.href)
        if shown and target and not _is_same(shown, target) and not _is_counted(link, shown, sender):
            yield f"{link.text[:80]} leads to {target}"


def _shown(link: Link) -> str:
    """Return the domain that a link's text claims to lead to, or ""."""
    text = link.text.strip(" <>()[].,:;\u200b")[:MAX_SHOWN_LENGTH]
    if address := _SHOWN_ADDRESS.fullmatch(text):
        return registrable(address.group(1)) if link.href.lower().startswith("mailto:") else ""
    match = _SHOWN.fullmatch(text)
    if match is None or (not is_public(match.group(3).lower()) and not (match.group(1) or match.group(2))):
        return ""
    name = match.group(3).lower()
    is_said = match.group(1) or match.group(2) or "/" in text
    if not is_said and name.rpartition(".")[2] in _FILE_LIKE:
        return ""
    return registrable(name)


def _target(href: str) -> str:
    if href.lower().startswith("mailto:"):
        return registrable(domain_of(unquote(href[7:].partition("?")[0][:400])))
    found = host(href)
    if _REWRITERS.search(found):
        inner = host(unquote(unquote(href[:MAX_URL_LENGTH])).partition("url=")[2] or href[8:])
        return registrable(inner) if inner else ""
    return registrable(found) if "." in found else found


def _is_same(shown: str, target: str) -> bool:
    return shown == target or any(shown in names and target in names for names in _SAME)


def _is_counted(link: Link, shown: str, sender: Sender) -> bool:
    if not sender.is_mailing:
        return False
    found = host(link.href)
    own = registrable(sender.domain)
    if registrable(found) in _TRACKERS:
        return shown == own
    return registrable(found) == own and bool(_TRACKING_LABEL.match(found)) and imitated(found, frozenset()) is None


def deceptive(links: Iterable[Link], shown_urls: Iterable[str]) -> Iterator[str]:
    """Yield addresses that hide where they lead, in whichever way they came; and those only an anchor can hide."""
    for url in shown_urls:
        if reason := _disguise(url):
            yield f"{reason}: {url}"
    for link in links:
        href = _CONTROL.sub("", link.href[:MAX_URL_LENGTH])
        reason = _active(href) or _disguise(href) or _numbers(href, link.text)
        if reason:
            yield f"{reason}: {href}"


def _active(href: str) -> str | None:
    match = _SCHEME.match(href)
    scheme = match.group(1).lower() if match else ""
    is_page = scheme == "data" and href[5:].lower().lstrip().startswith(("text/html", "image/svg", "application/x"))
    return f"{scheme}: link" if scheme in {"javascript", "vbscript"} or is_page else None


def _disguise(url: str) -> str | None:
    match = _AUTHORITY.match(url)
    if match is None:
        return None
    user = unquote(match.group(1)).rpartition("@")[0].partition(":")[0]
    if any("." in part and is_public(part) for part in user.lower().split("@")[:5]):
        return "a host before the @"
    if "\\" in url[: match.end()]:
        return "backslashes"
    if _NUMBER_HOST.fullmatch(host(url)):
        return "a number as host"
    nested = [host(one.group()) for one in re.finditer(r"https?://[^\s]{1,300}", _all_unquoted(url))]
    inner = re.split(r"(?=https?://)", _all_unquoted(url))
    hosts = {registrable(host(one)) for one in (*nested, *inner) if host(one)}
    return "redirects within redirects" if len(hosts) >= MIN_NESTED_HOSTS and len(inner) <= 10 else None  # noqa: PLR2004


def _all_unquoted(url: str) -> str:
    for _ in range(3):
        url = unquote(url)
    return url


def _numbers(href: str, text: str) -> str | None:
    """Return the reason where an anchor leads to a public IP address that its text does not show."""
    found = host(href).strip("[]")
    try:
        address = ip_address(found)
    except ValueError:
        return None
    return None if address.is_private or found in text else "an IP address as host"


def homographs(links: Iterable[Link], shown_urls: Iterable[str], ours: frozenset[str]) -> Iterator[str]:
    """Yield hosts of links that look like another domain."""
    names = dict.fromkeys((*(host(link.href) for link in links), *(host(url) for url in shown_urls)))
    for name in list(names)[:500]:
        if "." in name and (looks_like := imitated(name, ours)):
            yield f"{name} looks like {looks_like}"
