"""Answers of the API as a model is shown them: what is ours in front, what others wrote in fences.

Ours is only what is named here and looks like a word of ours: ids, states, moments, numbers. Everything else, known or
not, counts as written by others.
"""

import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson

from agentpost_site.mcp.tool import Shape, Tool
from mail.inspection import about_authentication, about_flags, fence, visible

Content = list[dict[str, Any]]
LONGEST_TEXT, LONGEST_TEXT_IN_THREAD = 50_000, 10_000  # characters of a mail
LONGEST_WORDS = 1000  # characters of what a refusal says
NONCE_BYTES = 16
WORD = re.compile(r"[\w.:+@/-]{1,100}", re.ASCII)
CURSOR = re.compile(r"[\w.=~-]{1,2000}", re.ASCII)
FIELD = re.compile(r"[\w.]{1,100}", re.ASCII)
OURS = {
    "id", "environment_id", "inbox_id", "thread_id", "message_id", "draft_id", "attachment_id", "api_key_id",
    "replies_to_message_id", "in_reply_to_message_id", "rule_id", "org_id", "env_id", "endpoint_id", "event_id",
    "type", "kind", "direction", "status", "state", "code", "reason", "version", "flags", "scopes", "slug",
    "created_at", "updated_at", "timestamp", "send_at", "received_at", "last_message_at", "now", "expires_at",
    "submitted_at", "approved_at", "rejected_at", "delivery_mode", "dry_run",
    "has_more", "next_cursor", "has_attachments", "size", "is_inline", "automatic", "rank", "timed_out",
    "message_count", "thread_count", "is_default", "reaches_organization", "has_more_environments", "role",
    "spf", "dkim", "dmarc", "arc", "aligned", "send_paused", "hourly_sending_quota", "daily_sending_quota",
    "waits", "bounce_type",
}  # fmt: skip
REVIEWERS = {"rejection_reason"}  # what a person of ours answers an agent
BRANCHES = {
    "data", "message", "messages", "attachments", "recipients", "authentication", "quarantine_reasons",
    "environment", "environments", "organization", "author", "submitted_by", "approved_by", "rejected_by",
    "sent_by", "error",
}  # fmt: skip
ALWAYS = {"data", "flags"}  # shown though empty: that there is nothing is an answer
LEFT_OUT = {
    "text_body", "html_body", "extracted_text", "extracted_html", "text_for_model", "headers", "references",
    "message_id_header", "in_reply_to", "metadata", "flag_evidence", "details", "download_url", "content_id",
    "download_url_expires_at", "content_hash", "approved_hash", "sha256",
}  # fmt: skip


def shown(tool: Tool, answer: Any, given: Mapping[str, Any]) -> Content:
    """Return an answer as the content of a tool's result; the first block is JSON, and all ours."""
    return SHOWS.get(tool.shape, _plain)(tool, answer, given)


def refusal_shown(error: Mapping[str, Any]) -> Content:
    """Return an error as content: which fields are wrong is ours, what is wrong with them may quote a mail."""
    words = {name: visible(error[name])[:LONGEST_WORDS] for name in ("message", "fix")}
    fields = [{"field": one["field"]} for one in error["details"] if FIELD.fullmatch(one["field"])]
    front = block(orjson.dumps({"error": {**error, **words, "details": fields}}).decode())
    return [front, *([block(fenced([], _dumped(error["details"])))] if error["details"] else [])]


def _plain(tool: Tool, answer: Any, _: Mapping[str, Any]) -> Content:
    ours, theirs = split(answer, tool.ours)
    return [_json(ours), *([block(fenced([], _dumped(theirs)))] if theirs else [])]


def _message(_: Tool, answer: Any, given: Mapping[str, Any]) -> Content:
    start = given.get("from_character", 0)
    whole = _text(answer, with_quoted=given.get("with_quoted", False))
    ours, _theirs = split(answer)
    ours |= {"characters": len(whole), "from_character": start, "to_character": min(start + LONGEST_TEXT, len(whole))}
    return [_json(ours), _mail(answer, whole[start : start + LONGEST_TEXT])]


def _arrival(_: Tool, answer: Any, __: Mapping[str, Any]) -> Content:
    found = {name: answer[name] for name in ("one_time_codes", "links")}
    if answer["message"] is None:
        return [_json(split(answer)[0])]
    message = {**answer["message"], **found}
    return [
        _json(split({**answer, **dict.fromkeys(found)})[0]),
        _mail(message, _text(message, with_quoted=False)[:LONGEST_TEXT]),
    ]


def _draft(_: Tool, answer: Any, __: Mapping[str, Any]) -> Content:
    ours, theirs = split(answer)
    text = answer["text_body"] or answer["html_body"] or ""
    return [_json(ours), block(fenced([], f"{_dumped(theirs)}\n\n{text[:LONGEST_TEXT]}"))]


def _thread(_: Tool, answer: Any, __: Mapping[str, Any]) -> Content:
    messages = answer["messages"]["data"]
    ours, theirs = split({name: value for name, value in answer.items() if name != "messages"})
    page = split({**answer["messages"], "data": []})[0]
    blocks = [_mail(one, _text(one, with_quoted=False)[:LONGEST_TEXT_IN_THREAD]) for one in messages]
    listed = [split(one)[0] for one in messages]
    return [_json({**ours, "messages": {**page, "data": listed}}), block(fenced([], _dumped(theirs))), *blocks]


SHOWS: dict[Shape, Callable[[Tool, Any, Mapping[str, Any]], Content]] = {
    Shape.MESSAGE: _message,
    Shape.THREAD: _thread,
    Shape.ARRIVAL: _arrival,
    Shape.DRAFT: _draft,
}


def _mail(message: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return one mail: flags, verdicts and its id in front, and in the fence what its sender wrote."""
    _, theirs = split(message)
    front = [
        f"message: {message['id']}",
        *about_flags(message["flags"]),
        about_authentication(message["authentication"]),
    ]
    theirs.pop("snippet", None)
    return block(fenced(front, f"{_dumped(theirs)}\n\n{text}"))


def _text(message: Mapping[str, Any], *, with_quoted: bool) -> str:
    text = message["text_body"] if with_quoted else message["extracted_text"]
    return text or message["extracted_text"] or ""


def split(value: Any, also: Collection[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of an object is ours, and what others wrote, without what is empty: two objects of one form."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for name, item in value.items():
        if name in LEFT_OUT or (item in (None, "", [], {}) and name not in ALWAYS):
            continue
        if name in BRANCHES and isinstance(item, dict | list):
            _branch(name, item, also, ours, theirs)
        elif _is_ours(name, item, also):
            ours[name] = item
        else:
            theirs[name] = item
    return ours, ({"id": ours["id"], **theirs} if theirs and "id" in ours else theirs)


def _branch(name: str, item: Any, also: Collection[str], ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    parts = [item] if isinstance(item, dict) else item
    if not all(isinstance(part, dict) for part in parts):
        theirs[name] = item
        return
    halves = [split(part, also) for part in parts]
    kept = [half for half, _ in halves], [half for _, half in halves if half]
    for half, found in zip((ours, theirs), kept, strict=True):
        if any(found) or (half is ours and name in ALWAYS):
            half[name] = found if isinstance(item, list) else found[0]


def _is_ours(name: str, item: Any, also: Collection[str]) -> bool:
    if name in REVIEWERS:
        return True
    if name not in OURS and name not in also:
        return False
    form = CURSOR if name == "next_cursor" else WORD
    return all(
        not isinstance(one, dict | list) and (not isinstance(one, str) or form.fullmatch(one)) for one in _listed(item)
    )


def _listed(item: Any) -> Iterator[Any]:
    yield from item if isinstance(item, list) else [item]


def fenced(front: list[str], text: str) -> str:
    """Return what others wrote between lines that hold a fresh nonce, after what we say about it, a line each."""
    return fence(secrets.token_hex(NONCE_BYTES), front, text)


def block(text: str) -> dict[str, Any]:
    """Return a text as content."""
    return {"type": "text", "text": text}


def _json(ours: Any) -> dict[str, Any]:
    return block(orjson.dumps(_clean(ours)).decode())


def _dumped(theirs: Any) -> str:
    return orjson.dumps(_clean(theirs)).decode()


def _clean(value: Any) -> Any:
    """Return the value with its texts as they can be seen."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(name): _clean(item) for name, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value
