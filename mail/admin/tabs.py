"""The tabs of a message's page; what one shows is read only when it is looked at."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from environments.models import Environment
from mail.admin.bodies import READABLE, content_of, framed_body
from mail.codes import find
from mail.inspection.flags import is_hostile
from mail.models import Attachment, Message
from mail.services import timeline

MOST_FILES = 500
LONGEST_SHOWN = 300_000  # characters of a body in a page
Context = dict[str, Any]
MECHANISMS = ("spf", "dkim", "dmarc", "arc")


def tabs_of(environment: Environment, message: Message, asked: Mapping[str, Any]) -> Context:
    """Return the tabs of a message, which one is open, and what it shows."""
    offered = [(name, title, len(message.flags) if name == "flags" else 0) for name, title in TITLES.items()]
    offered = [one for one in offered if one[0] not in HIDDEN_WHEN_EMPTY or getattr(message, HIDDEN_WHEN_EMPTY[one[0]])]
    names = [name for name, *_ in offered]
    tab = next((name for name in names if name == asked.get("tab")), names[0])
    shown = SHOWN[tab](environment, message, asked)
    return {
        "tabs": offered,
        "tab": tab,
        "tab_template": f"console/mail/tabs/{tab}.html",
        "verdicts": list(results_of(message.authentication)),
        "hostile": [flag for flag in message.flags if is_hostile(flag)],
        **shown,
    }


def _new(_: Environment, message: Message, __: Any) -> Context:
    found = find(message.subject, message.text_body, message.html_body)
    return {
        "body": message.extracted_text[:LONGEST_SHOWN],
        "codes": found.codes,
        "links": [link for link in found.links if link.kind == "verification"],
        "has_more": bool(message.text_body and message.text_body.strip() != message.extracted_text.strip()),
    }


def _text(_: Environment, message: Message, __: Any) -> Context:
    return {"body": (message.text_body or "")[:LONGEST_SHOWN]}


def _html(environment: Environment, message: Message, asked: Mapping[str, Any]) -> Context:
    with_remote = asked.get("remote") == "1"
    shown = framed_body(environment, message, with_remote=with_remote)
    links = find("", None, message.html_body).links if message.html_body else ()
    return {
        "remote_images": shown.remote_images,
        "with_remote": with_remote,
        "links": links,
        "source": (message.html_body or "")[:LONGEST_SHOWN],
    }


def _headers(_: Environment, message: Message, __: Any) -> Context:
    return {"headers": list(header_lines(message.headers))}


def _raw(_: Environment, message: Message, __: Any) -> Context:
    beginning = content_of(message.raw, READABLE)
    return {
        "is_missing": beginning is None,
        "body": (beginning or b"").decode("utf-8", "replace"),
        "is_cut": message.raw.size > READABLE,
        "readable": READABLE,
    }


def _authentication(_: Environment, message: Message, __: Any) -> Context:
    return {"mechanisms": list(verdicts_of(message.authentication))}


def _flags(_: Environment, message: Message, __: Any) -> Context:
    return {"evidence": [(flag, message.flag_evidence.get(flag, [])) for flag in message.flags]}


def _attachments(environment: Environment, message: Message, _: Any) -> Context:
    files = Attachment.objects.in_environment(environment).filter(message=message).order_by("pk")
    return {"attachments": list(files[:MOST_FILES])}


def _timeline(environment: Environment, message: Message, _: Any) -> Context:
    happened, has_earlier = timeline.of(environment, message)
    return {"happened": [(one, list(known_of(one.details))) for one in happened], "has_earlier": has_earlier}


def _report(_: Environment, message: Message, __: Any) -> Context:
    return {"report": list(known_of(message.report or {}))}


TITLES: Mapping[str, str] = {
    "new": "New text",
    "text": "Full text",
    "html": "HTML",
    "attachments": "Attachments",
    "authentication": "Authentication",
    "flags": "Flags",
    "timeline": "Timeline",
    "report": "Report",
    "headers": "Headers",
    "raw": "Raw",
}
HIDDEN_WHEN_EMPTY = {"html": "html_body", "report": "report", "attachments": "has_attachments"}
SHOWN: Mapping[str, Callable[[Environment, Message, Mapping[str, Any]], Context]] = {
    "new": _new,
    "text": _text,
    "html": _html,
    "attachments": _attachments,
    "authentication": _authentication,
    "flags": _flags,
    "timeline": _timeline,
    "report": _report,
    "headers": _headers,
    "raw": _raw,
}


def header_lines(headers: Any) -> Iterable[tuple[str, str]]:
    """Yield (name, value) of headers kept as a mapping to one or several values, or as a list of pairs."""
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        for one in value if isinstance(value, list) else [value]:
            yield name, one


def results_of(authentication: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield each mechanism that was checked, and what it came to."""
    for mechanism in MECHANISMS:
        if result := authentication.get(mechanism):
            yield mechanism, str(result)


def verdicts_of(authentication: Mapping[str, Any]) -> Iterable[tuple[str, str, list[list[tuple[str, str]]]]]:
    """Yield each mechanism that was checked, what it came to, and what is known of each thing it looked at."""
    for mechanism, result in results_of(authentication):
        details = authentication.get("details", {}).get(mechanism) or []
        ones = details if isinstance(details, list) else [details]
        yield mechanism, result, [[pair for pair in known_of(one) if pair[0] != "result"] for one in ones if one]


def known_of(known: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield names and values that are not empty, written for a person."""
    for name, value in known.items():
        if value not in (None, "", [], {}):
            yield name, _written(value)


def _written(value: Any) -> str:
    if isinstance(value, dict | list) and value and not all(isinstance(one, str | int) for one in value):
        return json.dumps(value, indent=2, ensure_ascii=False)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
