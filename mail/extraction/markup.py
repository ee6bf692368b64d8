"""The HTML body: its readable text, and its markup without history and signature."""

from __future__ import annotations

import re
from itertools import islice

import lxml.etree
import lxml.html
import quotequail
from resiliparse.extract.html2text import extract_plain_text

from mail.extraction.complexity import MAX_HTML_LENGTH, is_safe_to_parse
from mail.extraction.plain import without_history
from mail.extraction.stripping import stripped
from mail.extraction.tables import ATTRIBUTIONS, HISTORY_BELOW_IDS, HISTORY_CLASSES, SIGNATURE_CLASSES
from mail.parsing.charsets import storable

MAX_TEXT_GROWTH = 3
MAX_TEXT_EXTRA = 1_000
MAX_QUOTEQUAIL_HTML_LENGTH = 200_000
MAX_QUOTEQUAIL_HTML_WORK = 20_000_000

# Without one of these names in it, HTML need not be taken apart to look for marked elements.
_MARKS = re.compile("|".join(sorted((*HISTORY_CLASSES, *SIGNATURE_CLASSES, *HISTORY_BELOW_IDS, "gmail_quote", "cite"))))


def to_text(html: str) -> str:
    """Return the readable text of HTML: no markup, script, style or alternative texts. Takes any text and never raises.

    HTML that is too complex for a parser has its tags cut out instead; the work and the text stay in proportion to it.
    """
    html = storable(html)
    text = _parsed_text(html) if is_safe_to_parse(html) else None
    return stripped(html) if text is None else text


def new_html(html: str) -> str | None:
    """Return HTML without quoted history and signature; unchanged if there is none or nothing else.

    Containers that mail clients mark are cut out; of the rest, what quotequail finds. None for HTML that is too complex
    for a parser.
    """
    clean = storable(html)
    if not is_safe_to_parse(clean) or _parsed_text(clean) is None:
        return None
    try:
        return _new_html(html)
    except Exception:  # noqa: BLE001 - the promise: nothing a stranger sends is an error here
        return None


def _parsed_text(html: str) -> str | None:
    """Return the text that the parser reads, or None if it fails or writes more than the HTML gives reason for."""
    try:
        text = extract_plain_text(html, alt_texts=False)
    except BaseException as error:
        # What Rust calls a panic reaches Python as this class, which no module exports.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            return None
        raise
    if len(text) > MAX_TEXT_GROWTH * len(html) + MAX_TEXT_EXTRA:
        return None
    return storable(text).replace("\xa0", " ").strip()


def _new_html(html: str) -> str:
    if not (_MARKS.search(html) or _has_history(html)):
        return html
    body = _body(html)
    if body is None:
        return html
    is_cut = _drop_marked(body)
    rest = _inner(body)
    if _is_cheap_for_quotequail(rest, body.text_content()):
        whole, rest = rest, _without_introduced(rest)
        is_cut = is_cut or len(rest) < len(whole)
    return rest if is_cut and to_text(rest) else html


def _has_history(html: str) -> bool:
    """Whether the rules for text see history in the readable text."""
    lines = to_text(html).split("\n")
    return len(without_history(lines)) < len(lines)


def _body(html: str) -> lxml.html.HtmlElement | None:
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8")
        return lxml.html.document_fromstring(storable(html).encode(), parser=parser).find("body")
    except lxml.etree.LxmlError:
        return None


def _inner(body: lxml.html.HtmlElement) -> str:
    """Return the markup inside the body."""
    markup: str = lxml.html.tostring(body, encoding="unicode", with_tail=False)
    return markup[markup.index(">") + 1 :].removesuffix("</body>").strip()


def _drop_marked(body: lxml.html.HtmlElement) -> bool:
    """Remove the elements that mail clients mark as history or signature; tell whether there were any."""
    elements = [element for element in body.iter() if isinstance(element.tag, str)]
    marked = [element for element in elements if _is_marked(element)]
    starts = [element for element in elements if element.get("id") in HISTORY_BELOW_IDS]
    for element in starts:
        _drop_from(element)
    for element in marked:
        # Emptied in place: lxml refuses to move text with control characters (&#1;) to another element.
        element.clear(keep_tail=True)
        element.tag = "span"
    return bool(marked or starts)


def _is_marked(element: lxml.html.HtmlElement) -> bool:
    classes = element.get("class", "").split()
    if element.tag == "blockquote":
        return element.get("type") == "cite" or "gmail_quote" in classes
    if "gmail_quote" in classes or "gmail_quote_container" in classes:
        return _is_gmail_forward(element)
    return not HISTORY_CLASSES.isdisjoint(classes) or not SIGNATURE_CLASSES.isdisjoint(classes)


def _is_gmail_forward(element: lxml.html.HtmlElement) -> bool:
    """Whether a Gmail quote is a forward ("----- Forwarded message", all history) or a reply with room for answers."""
    texts = (node.text for node in islice(element.iter(), 5) if node.text)
    return "".join(texts).lstrip().startswith("-----")


def _drop_from(element: lxml.html.HtmlElement) -> None:
    """Remove an element and everything after it in the document."""
    for node in [element, *element.iterancestors()]:
        parent = node.getparent()
        if parent is None or node.tag == "body":
            break
        for sibling in list(node.itersiblings()):
            parent.remove(sibling)
        node.tail = None
    element.clear()


def _is_cheap_for_quotequail(html: str, text: str) -> bool:
    """Whether its patterns, run over this text as one line, stay cheap: they backtrack once per verb and bracket."""
    turns = text.count("<") * text.count("@") + sum(text.count(rule.verb) for rule in ATTRIBUTIONS)
    return len(html) <= MAX_QUOTEQUAIL_HTML_LENGTH and turns * len(text) <= MAX_QUOTEQUAIL_HTML_WORK


def _without_introduced(html: str) -> str:
    """Cut where quotequail finds an introduction, if our own rules see one in the text as well."""
    if not _has_history(html):
        return html
    try:
        parts = quotequail.quote_html(html, limit=MAX_HTML_LENGTH, quote_intro_line=True)
    except (ValueError, lxml.etree.LxmlError):
        return html
    return parts[0][1] if len(parts) > 1 else html
