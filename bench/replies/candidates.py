"""The libraries that are measured: each makes the new text of a mail from its text or its HTML.

A library that takes text only is given the text that AgentPost makes of HTML. One that is not installed is left out.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mail.extraction import extract, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.replies.fixtures import Fixture

NODE = Path(__file__).parent / "candidates.mjs"


def _text(fixture: Fixture) -> str:
    return to_text(fixture.html) if fixture.html is not None else fixture.text or ""


def agentpost(fixture: Fixture) -> str:
    """Return what this candidate leaves of a mail."""
    return extract(fixture.text, fixture.html).text


def quotequail(fixture: Fixture) -> str:
    """Return what this candidate leaves of a mail."""
    import quotequail as library

    if fixture.html is not None:
        parts = library.quote_html(fixture.html, quote_intro_line=True)
        return "\n".join(to_text(part) for is_new, part in parts if is_new)
    return "\n".join(part for is_new, part in library.quote(fixture.text or "", quote_intro_line=True) if is_new)


def mail_parser_reply(fixture: Fixture) -> str:
    """Return what this candidate leaves of a mail."""
    from mailparser_reply import EmailReplyParser
    from mailparser_reply.constants import MAIL_LANGUAGES

    return EmailReplyParser(languages=list(MAIL_LANGUAGES)).parse_reply(text=_text(fixture)) or ""


def email_reply_parser(fixture: Fixture) -> str:
    """Return what this candidate leaves of a mail."""
    from email_reply_parser import EmailReplyParser

    return EmailReplyParser.parse_reply(_text(fixture))


def talon(fixture: Fixture) -> str:
    """Return what this candidate leaves of a mail."""
    from talon import quotations
    from talon.signature.bruteforce import extract_signature

    if fixture.html is not None:
        text = to_text(quotations.extract_from_html(fixture.html))
    else:
        text = quotations.extract_from_plain(fixture.text or "")
    return extract_signature(text)[0] or ""


PYTHON: dict[str, tuple[str, Callable[[Fixture], str]]] = {
    "AgentPost": ("mail", agentpost),
    "quotequail": ("quotequail", quotequail),
    "mail-parser-reply": ("mailparser_reply", mail_parser_reply),
    "email-reply-parser": ("email_reply_parser", email_reply_parser),
    "talon": ("talon", talon),
}
JAVASCRIPT = ("email-reply-parser", "planer")


def _attempt(candidate: Callable[[Fixture], str], fixture: Fixture) -> str:
    """Return a candidate's text; one that fails has found nothing."""
    try:
        return candidate(fixture)
    except Exception:  # noqa: BLE001 - a library under measurement may raise anything
        return ""


def installed() -> dict[str, Callable[[Sequence[Fixture]], list[str]]]:
    """Return the candidates that can run here, by name: each answers a list of fixtures with a list of texts."""
    found: dict[str, Callable[[Sequence[Fixture]], list[str]]] = {
        name: lambda fixtures, candidate=candidate: [_attempt(candidate, fixture) for fixture in fixtures]
        for name, (module, candidate) in PYTHON.items()
        if importlib.util.find_spec(module)
    }
    for package in JAVASCRIPT:
        if shutil.which("node") and Path("node_modules", package).is_dir():
            found[f"{package} (JS)"] = lambda fixtures, package=package: _by_node(package, fixtures)
    return found


def _by_node(package: str, fixtures: Sequence[Fixture]) -> list[str]:
    """Run a JavaScript library of ./node_modules over the texts."""
    asked = json.dumps([_text(fixture) for fixture in fixtures])
    command = ["node", str(NODE), str(Path("node_modules", package).resolve())]
    answer = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)  # noqa: S603
    texts: list[str] = json.loads(answer.stdout)
    return texts
