"""How pages of the console show moments, ids, states and JSON: each in one way. All content is escaped."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from environments.clock import written
from environments.console.tones import PLAIN, tone_of

register = template.Library()

NEVER, NOTHING = "never", "-"
MOST_READ_OUT = 60  # characters
PRECISIONS = {
    "second": "%Y-%m-%d %H:%M:%S UTC",
    "hour": "%Y-%m-%d %H:%M UTC",
    "day": "%Y-%m-%d",
    "month": "%Y-%m",
}


@register.simple_tag
def moment(
    at: datetime | None, otherwise: str = NEVER, *, dress: str = "", absolute: bool = False, to: str = "second"
) -> SafeString | str:
    """Return a time, in UTC ``to`` the second, hour, day or month, in an element of the class ``dress``.

    A script makes it relative to now, unless it is to stay ``absolute``.
    """
    if at is None:
        return otherwise
    attributes = [("class", dress)] if dress else []
    shown = format_html_join("", ' {}="{}"', [*attributes, ("datetime", written(at))])
    stays = " data-absolute" if absolute else ""
    return format_html("<time{}{}>{}</time>", shown, stays, at.astimezone(UTC).strftime(PRECISIONS[to]))


@register.simple_tag
def copied(text: str, what: str = "", *, words: str = "Copy") -> SafeString:
    """Return a button that copies the text; ``what`` tells people who do not see it what that is."""
    named = what or (text if len(text) <= MOST_READ_OUT else "this")
    return format_html('<button type="button" data-copy="{}" aria-label="Copy {}">{}</button>', text, named, words)


@register.simple_tag
def identifier(text: str | None) -> SafeString | str:
    """Return an id, to read and to copy."""
    if not text:
        return NOTHING
    return format_html(
        '<span class="console-identifier"><code class="console-id">{}</code>{}</span>', text, copied(text)
    )


@register.simple_tag
def pill(word: str, tone: str = "", title: str = "") -> SafeString:
    """Return a state as a word on a colour; the word alone says it all."""
    shown = str(word).replace("_", " ")
    explained = format_html(' title="{}"', title) if title else ""
    return format_html('<span class="{}"{}>{}</span>', pill_class(tone or tone_of(word)), explained, shown)


@register.filter
def pill_class(tone: str) -> str:
    """Return what dresses anything as a pill, such as a link."""
    return "console-pill" if tone == PLAIN else f"console-pill console-pill-{tone}"


@register.filter
def tone(word: str) -> str:
    """Return the colour of a word for a state: success, info, warning, danger or plain."""
    return tone_of(word)


@register.filter
def pretty(value: Any) -> str:
    """Return JSON as people read it; what is none as it is."""
    if isinstance(value, str | bytes):
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        return str(value)
