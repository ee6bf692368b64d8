"""A stranger's HTML as a page for a frame: nothing in it runs, navigates, or loads what nobody asked for.

This is the first of three walls. The second is the policy that the page is served with (``mail.admin.bodies``), the
third the sandbox of the frame that it is shown in. What one of them lets through, the next one stops.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import nh3

from mail.extraction.complexity import is_safe_to_parse

TAGS = (nh3.ALLOWED_TAGS - {"map", "area", "details", "summary"}) | {"font", "big", "tfoot"}
DROPPED_WITH_CONTENT = {"script", "style", "title", "noscript", "template", "iframe", "object", "svg", "math"}
SIZES = {"align", "valign", "width", "height", "bgcolor"}
ATTRIBUTES = {
    "*": {"dir", "lang", "style", "title"},
    "a": {"href"},
    "col": {"span", *SIZES},
    "colgroup": {"span", *SIZES},
    "div": {"align"},
    "font": {"color", "face", "size"},
    "hr": {"align", "size", "width"},
    "img": {"src", "alt", *SIZES},
    "li": {"value"},
    "ol": {"start", "type"},
    "p": {"align"},
    "table": {"border", "cellpadding", "cellspacing", *SIZES},
    "tbody": {*SIZES},
    "td": {"colspan", "rowspan", *SIZES},
    "tfoot": {*SIZES},
    "th": {"colspan", "rowspan", "scope", *SIZES},
    "thead": {*SIZES},
    "tr": {*SIZES},
}
SIDES = ("", "-top", "-right", "-bottom", "-left")
# No position, no transform, no z-index, and nothing whose value may be an address.
PROPERTIES = {
    "background-color", "border-collapse", "border-radius", "border-spacing", "box-sizing", "clear", "color",
    "direction", "display", "float", "font", "font-family", "font-size", "font-style", "font-variant", "font-weight",
    "height", "letter-spacing", "line-height", "list-style-type", "max-height", "max-width", "min-height", "min-width",
    "overflow-wrap", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width", "word-break", "word-wrap",
    *(f"padding{side}" for side in SIDES),
    *(f"margin{side}" for side in SIDES),
    *(f"border{side}{what}" for side in SIDES for what in ("", "-color", "-style", "-width")),
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
LEADS_SOMEWHERE = ("http://", "https://", "mailto:", "tel:")
PICTURES = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
BLANKS = re.compile(r"[\x00-\x20]+")
STYLE = """
:root { color-scheme: light; }
body { background: #fff; color: #111827; font: 15px/1.55 system-ui, sans-serif; margin: 1rem; overflow-wrap: anywhere; }
img { height: auto; max-width: 100%; }
img:not([src]) { border: 1px dashed #9ca3af; min-height: 1.5rem; min-width: 1.5rem; }
table { max-width: 100%; }
pre { white-space: pre-wrap; }
blockquote { border-left: 3px solid #d1d5db; margin: 0.5rem 0; padding-left: 0.75rem; }
a { color: #1d4ed8; }
a:hover::after, a:focus::after {
    background: #111827; bottom: 0; color: #fff; content: attr(href); font: 12px/1.5 ui-monospace, monospace; left: 0;
    max-width: 100%; overflow: hidden; padding: 0.125rem 0.5rem; position: fixed; text-overflow: ellipsis;
    white-space: nowrap;
}
"""


@dataclass(frozen=True, slots=True)
class Framed:
    """A whole page, and how many pictures of it lie on other servers, loaded or not."""

    page: str
    remote_images: int


def framed(html: str, images: Mapping[str, str], *, with_remote: bool = False) -> Framed | None:
    """Return a message's HTML as a page, or None where it is too complex to be given to a parser.

    ``images`` are ``data:`` addresses by Content-ID. Pictures on other servers are left out unless ``with_remote``.
    """
    if not is_safe_to_parse(html):
        return None
    filtered = _Filter(images, with_remote=with_remote)
    body = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=filtered,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        filter_style_properties=PROPERTIES,
    )
    return Framed(_page(body), filtered.remote_images)


class _Filter:
    """What becomes of each attribute's value; None takes the attribute away."""

    def __init__(self, images: Mapping[str, str], *, with_remote: bool) -> None:
        self.images, self.with_remote, self.remote_images = images, with_remote, 0

    def __call__(self, tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return self._picture(BLANKS.sub("", value))
        if name == "href":
            address = BLANKS.sub("", value)
            return address if tag == "a" and address.lower().startswith(LEADS_SOMEWHERE) else None
        if name == "style" and "\\" in value:  # an escape may spell what the allowed properties are compared with
            return None
        return value

    def _picture(self, address: str) -> str | None:
        scheme, _, rest = address.partition(":")
        if scheme.lower() == "cid":
            return self.images.get(unquote(rest))
        if PICTURES.match(address):
            return address
        if scheme.lower() not in {"http", "https"}:
            return None
        self.remote_images += 1
        return f"https:{rest}" if self.with_remote else None


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="und"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta name="referrer" content="no-referrer"><title>Message</title><style>{STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
