"""`mail.extraction`: HTML whose nesting would cost a parser seconds and gigabytes never reaches one."""

import random

import pytest

from mail.extraction import complexity, extract, to_text
from mail.extraction.complexity import MAX_HTML_LENGTH, is_safe_to_parse
from mail.extraction.stripping import stripped


def numbered(tag: str, count: int) -> str:
    """Return start tags that no parser may take for the same."""
    return "".join(f"<{tag} a{number}>" for number in range(count))


TOO_COMPLEX = {
    "bold around blocks": numbered("b", 4_000) + "<div>" * 4_000 + "</b>" * 4_000,
    "fonts in every paragraph": "<p>" + numbered("font", 3_000) + "<p>x" * 3_000,
    "items in deep lists": "<ul>" * 5_000 + "<li>x" * 50_000,
    "items in deeper lists": "<ul>" * 20_000 + "<li>x" * 100_000,
    "attributes": "<p " + " ".join(f"a{number}=1" for number in range(20_000)) + ">x",
    "few fonts in very many paragraphs": "<p>" + numbered("font", 40) + "<p>x" * 9_000,
    "fonts that end with their blocks": "".join(f"<div><font a{number}></div>" for number in range(100)),
    "fonts that a cell keeps from ending": "".join(f"<font a{n}><table><td></font></table>" for n in range(100)),
    "fonts that begin between table and cell": "".join(f"<table><font a{n}><td></font></table>" for n in range(100)),
    "depth": "<div>" * 300,
    "depth of unknown elements": "<o:p>" * 300,
    "depth hidden by ends that end nothing": "<div></span>" * 300,
    "depth hidden by ends in comments": "<div><!--</div>-->" * 300,
    "depth hidden by ends in attributes": '<div><p title="</div>">' * 300,
    "depth hidden by ends in raw text": "<div><style></div></style>" * 300,
    "depth hidden by ends behind a block": "<span><p></span></p>" * 300,
    "depth hidden by cells without a table": "<td><div>" * 300,
    "depth hidden by forms": "<form><table><td></form></table></form>" * 300,
    "a value whose quote never ends": '<p title="x>' + "<div>" * 10,
    "a quote that one parser sees": '<p a=b="c d="></p>">',
    "a comment without an end": "<!-- <div>",
    "a comment with two ends": "<!-- --!></b> -->",
    "raw text without an end": "<title>x",
    "raw text with tags": "<style><b></style>",
    "raw text with a comment that goes on": "<style><!--</style>-->",
    "foreign elements": "<svg><td><td></svg>",
    "tags": "<br>" * 20_001,
    "length": "x" * (MAX_HTML_LENGTH + 1),
}

LAYOUT = '<table width="100%"><tbody><tr><td style="padding: 0; font: 12px/1 Arial, sans-serif" align=center>'
NEWSLETTER = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
    "<html><head><title>News &amp; more</title><meta charset=utf-8><style><!-- td > a {color: red} --></style></head>"
    "<body><!--[if mso]><table><tr><td><![endif]-->{}<!--[if !mso]><!--><hr><!--<![endif]--></body></html>"
)
WORD = (
    "<div class=WordSection1><p class=MsoNormal><b><span lang=EN-US style='font-family:\"Arial\",sans-serif'>Item"
    "<o:p></o:p></span></b></p><![if !supportLists]><i><a href=https://acme.example/?a=1&b=2>link</a></i><![endif]></div>"
)
REAL = {
    "tables thirty deep": NEWSLETTER.replace("{}", LAYOUT * 30 + "x" + "</td></tr></tbody></table>" * 30),
    "a long newsletter": NEWSLETTER.replace("{}", (LAYOUT * 8 + "x" + "</td></tr></tbody></table>" * 8) * 100),
    "word": WORD * 800,
    "paragraphs that never end": "<p>one<br>two" * 3_000,
    "items that never end": "<ul><li>one<li>two</ul>" * 90,
    "cells that never end": "<table>" + "<tr><td>one<td><b>two" * 40 + "</table>",
    "spans that overlap with blocks": "<div><b>one<p>two</b></p></div>" * 1_000,
    "quotes forty deep": "<blockquote><div><span>x" * 40 + "</span></div></blockquote>" * 40,
    "fonts ten deep": ('<font size="2">' * 10 + "x" + "</font>" * 10 + "<br>") * 300,
    "links without quotes, ends in attributes": '<a href=https://acme.example/a/b/ title="a > b">x</a>' * 100,
    "quotes doubled by mistake": '<font face=""Arial"">x</font>' * 100,
    "a text with brackets": "1 < 2 && <3 <- <@> " * 100,
}


@pytest.mark.parametrize("name", TOO_COMPLEX)
def test_html_that_would_cost_too_much_is_not_parsed(name: str) -> None:
    html = TOO_COMPLEX[name]
    extracted = extract(None, html)
    assert extracted.is_simplified
    assert extracted.html is None
    assert len(extracted.text) <= len(html)


@pytest.mark.parametrize("name", REAL)
def test_html_as_people_send_it_is_parsed(name: str) -> None:
    extracted = extract(None, REAL[name])
    assert extracted.text
    assert (extracted.html, extracted.is_simplified) == (REAL[name], False)


def test_the_text_body_of_too_complex_html_is_kept() -> None:
    assert extract("written", "<div>" * 300) == ("written", None, True)


def test_the_text_of_nested_lists_stays_in_proportion_to_the_html() -> None:
    html = "<ul>" * 150 + "<li>x" * 5_000
    assert is_safe_to_parse(html)
    assert len(to_text(html)) <= len(html)


def test_what_was_written_into_too_complex_html_is_read() -> None:
    html = "<div>" * 300 + "<p>Tuesday &amp; <b>Wed</b>nesday</p><p>work.<style>p {}</style><!-- no -->"
    assert extract(None, html).text == "Tuesday & Wednesday\n\nwork."


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two", "one\ntwo"),
        ("<td>one</td><td>two</td>", "one two"),
        ("a&nbsp;&amp;&nbsp;b", "a & b"),
        ("<head><title>no</title></head><style>p {}</style><script>x()</script>text<!-- no --><!doctype no>", "text"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("a<b", "a"),
        ("a<script>b", "a"),
        ("a<!-- b", "a"),
        ("&#" + "9" * 5_000 + ";x", "\ufffdx"),
        ("&#xd800;&#0;\x00", "\ufffd\ufffd\ufffd"),
        ("", ""),
    ],
)
def test_tags_are_cut_out(html: str, text: str) -> None:
    assert stripped(html) == text


PLAIN_PIECES = (
    "<p>",
    "</p>",
    "<b>",
    "</i>",
    "<br/>",
    '<a href="x>y">',
    "text",
    "<td>",
    "</tbody>",
    "<svg>",
    "</style>",
)


def test_what_is_plainly_safe_is_safe_tag_by_tag() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    pages = [
        "".join(chance.choices(PLAIN_PIECES[: chance.randrange(1, 12)], k=chance.choice((5, 60, 250))))
        for _ in range(500)
    ]
    plain = [html for html in pages if complexity._is_plainly_safe(html)]
    assert 50 < len(plain) < 450
    for html in plain:
        nesting = complexity._Nesting()
        for tag in complexity._tags(html):
            nesting.see(tag)  # raises beyond a limit
