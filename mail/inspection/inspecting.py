"""From a parsed message to its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from mail.extraction import Extracted
from mail.inspection import attachments, characters, flags, hidden, instructions, links, pages, senders
from mail.inspection.domains import domain_of
from mail.inspection.values import Finding, Ours, finding
from mail.parsing.values import ParsedMail

MAX_TEXT_LENGTH = 1_000_000


class _View(NamedTuple):
    """What the checks look at: the message, its texts and its HTML taken apart."""

    mail: ParsedMail
    text: str
    page: pages.Page
    sender: links.Sender
    urls: list[str]


class Inspection(NamedTuple):
    """A message that was inspected, but for what depends on whom it pretends to be from."""

    view: _View
    found: tuple[Finding, ...]

    def against(self, ours: Ours) -> tuple[Finding, ...]:
        """Return all findings for an environment, in the order of `flags.MEANINGS`. Costs little."""
        more = [
            one
            for flag, evidence in _EVIDENCE_AGAINST_OURS.items()
            for one in _checked(_one(flag, partial(evidence, ours)), self.view)
        ]
        return tuple(sorted((*self.found, *more), key=lambda one: _ORDER[one.flag]))


def begin(mail: ParsedMail, extracted: Extracted) -> Inspection:
    """Look at everything in a message that is the same for all environments.

    Nothing is run, unpacked, fetched or looked up. Takes any message and never raises; the first million characters of
    each body are looked at, in linear time.
    """
    view = _view(mail, extracted)
    return Inspection(view, tuple(one for check in _ALL_CHECKS for one in _checked(check, view)))


def inspect(mail: ParsedMail, extracted: Extracted, ours: Ours) -> tuple[Finding, ...]:
    """Return what is hostile or odd about a message for an environment; the same mail, the same findings."""
    return begin(mail, extracted).against(ours)


def _checked(check: Check, view: _View) -> list[Finding]:
    try:
        return [one for one in check(view) if one]
    except Exception:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        return []


def _view(mail: ParsedMail, extracted: Extracted) -> _View:
    page = _page(mail.html_body or "")
    text = (mail.text_body or "")[:MAX_TEXT_LENGTH]
    is_mailing = bool(mail.headers.get("list-unsubscribe") or mail.headers.get("list-id"))
    sender = links.Sender(domain_of(mail.from_address.email) if mail.from_address else "", is_mailing)
    urls = links.urls_in(text or extracted.text[:MAX_TEXT_LENGTH])
    return _View(mail, text, page, sender, urls)


def _page(html: str) -> pages.Page:
    try:
        return pages.read(html) if html else pages.Page()
    except Exception:  # noqa: BLE001 - the same promise
        return pages.Page()


def _names(mail: ParsedMail) -> Iterator[str]:
    """Yield what is short and shown: the subject, names, file names."""
    yield mail.subject
    if mail.from_address:
        yield mail.from_address.name
    yield from (attachment.filename for attachment in mail.attachments[:100])


def _texts(view: _View) -> Iterator[str]:
    """Yield every text of the message, seen or not."""
    yield from _names(view.mail)
    yield view.text
    yield view.page.visible
    yield view.page.quoted
    yield "\n".join(block.text for block in view.page.hidden)


def _in_texts(find: Callable[[str], Iterable[str]]) -> Evidence:
    return lambda view: (evidence for text in _texts(view) for evidence in find(text))


def _hits(view: _View) -> Iterator[tuple[str, instructions.Hit]]:
    """Yield the instructions in a message, each with the place it was found at."""
    for name in _names(view.mail):
        yield from (("name or subject", hit) for hit in instructions.hits(name[:2_000]))
    for place, text in (("text", view.text), ("html", view.page.visible)):
        yield from ((place, hit) for hit in instructions.hits(text))
    yield from (("html", hit._replace(is_quoted=True)) for hit in instructions.hits(view.page.quoted))
    unseen = (
        ("hidden text", (block.text for block in view.page.hidden)),
        ("comment", view.page.comments),
        ("alternative text", view.page.alternatives),
    )
    for place, texts in unseen:
        joined = "\n\n".join(text for text in texts)
        yield from ((place, hit) for hit in instructions.hits(joined))


def _open_and_quoted(view: _View) -> Iterator[Finding | None]:
    """Yield what instructs, or else what is only quoted or spoken of."""
    found = list(_hits(view))
    own = [f"{place}: {hit.evidence}" for place, hit in found if not hit.is_quoted]
    yield finding(flags.INSTRUCTION_LIKE_TEXT, own)
    if not own:
        yield finding(flags.QUOTED_INSTRUCTIONS, (f"{place}: {hit.evidence}" for place, hit in found))


def _attached(view: _View) -> Iterator[Finding | None]:
    collected: dict[str, list[str]] = {}
    for flag, evidence in attachments.findings(view.mail.attachments):
        collected.setdefault(flag, []).append(evidence)
    yield from (finding(flag, evidence) for flag, evidence in collected.items())


Evidence = Callable[[_View], Iterable[str]]
Check = Callable[[_View], Iterable[Finding | None]]
_EVIDENCE: dict[str, Evidence] = {
    flags.HIDDEN_TEXT: lambda view: hidden.suspicious(view.page),
    flags.ZERO_WIDTH_CHARACTERS: _in_texts(characters.zero_width_evidence),
    flags.TAG_CHARACTERS: _in_texts(characters.tag_runs),
    flags.VARIATION_SELECTOR_DATA: _in_texts(characters.selector_runs),
    flags.BIDI_OVERRIDE: _in_texts(characters.overrides),
    flags.LINK_TEXT_MISMATCH: lambda view: links.mismatches(view.page.links, view.sender),
    flags.DECEPTIVE_LINK: lambda view: links.deceptive(view.page.links, view.urls),
    flags.REPLY_TO_MISMATCH: lambda view: senders.reply_to_mismatch(view.mail),
}
_EVIDENCE_AGAINST_OURS: dict[str, Callable[[Ours, _View], Iterable[str]]] = {
    flags.HOMOGRAPH_SENDER: lambda ours, view: senders.homograph(view.mail, ours),
    flags.HOMOGRAPH_LINK: lambda ours, view: links.homographs(view.page.links, view.urls, ours.domains),
    flags.DISPLAY_NAME_SPOOFING: lambda ours, view: senders.display_name_spoofing(view.mail, ours),
}


def _one(flag: str, evidence: Evidence) -> Check:
    return lambda view: (finding(flag, evidence(view)),)


_ALL_CHECKS = [*(_one(flag, evidence) for flag, evidence in _EVIDENCE.items()), _open_and_quoted, _attached]
_ORDER = {flag: number for number, flag in enumerate(flags.MEANINGS)}
