"""`mail.extraction`: what the person newly wrote, as the usual mail clients send it."""

from __future__ import annotations

import re
import sys

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mail.extraction import extract, snippet, to_text
from mail.extraction.lines import Mark
from mail.extraction.rendering import render

ATTRIBUTION = "On Mon, Mar 2, 2026 at 10:15 AM Ann Lee <ann@acme.example> wrote:"
QUOTE = "> Does Tuesday work?\n> Ann\n"
HEADERS = "From: Ann Lee <ann@acme.example>\nSent: Monday, March 2, 2026 10:15 AM\nTo: Bo\nSubject: Lunch\n"

TEXTS = {
    "no history": ("Tuesday works.\n\nBo\n", "Tuesday works.\n\nBo"),
    "gmail": (f"Tuesday works.\n\n{ATTRIBUTION}\n\n{QUOTE}", "Tuesday works."),
    "gmail, wrapped": (
        f"Tuesday works.\n\nOn Mon, Mar 2, 2026 at 10:15 AM Ann Lee, Sales <\nann@acme.example> wrote:\n\n{QUOTE}",
        "Tuesday works.",
    ),
    "wrapped over three lines": (
        f"Tuesday works.\n\nOn Monday, March 2nd, 2026,\nAnn Lee\n<ann@acme.example> wrote:\n{QUOTE}",
        "Tuesday works.",
    ),
    "apple mail": (
        f"Tuesday works.\n\nSent from my iPhone\n\n> On Mar 2, 2026, at 10:15, Ann <ann@acme.example> wrote:\n{QUOTE}",
        "Tuesday works.",
    ),
    "outlook": (
        f"Tuesday works.\n\nBo\n\n________________________________\n{HEADERS}\nDoes Tuesday?\n",
        "Tuesday works.\n\nBo",
    ),
    "outlook without a line": (f"Tuesday works.\n\n{HEADERS}\nDoes Tuesday?\n", "Tuesday works."),
    "outlook, bold": (f"Tuesday works.\n\n{HEADERS.replace('From:', '*From:*')}\nDoes Tuesday?\n", "Tuesday works."),
    "outlook, old": (f"Tuesday works.\n\n-----Original Message-----\n{HEADERS}\nDoes Tuesday?\n", "Tuesday works."),
    "outlook, german": (
        "Dienstag geht.\n\nVon: Ann Lee\nGesendet: Montag, 2. März 2026 10:15\nAn: Bo\nBetreff: Essen\n\nDienstag?",
        "Dienstag geht.",
    ),
    "outlook for telephones": (f"Tuesday works.\n\nGet Outlook for iOS\n{HEADERS}\nDoes Tuesday?", "Tuesday works."),
    "quoted without an introduction": (f"{QUOTE}\nTuesday works.\n", "Tuesday works."),
    "below the quote": (f"{ATTRIBUTION}\n{QUOTE}\nTuesday works.\n\n-- \nBo Roth\n", "Tuesday works."),
    "between the quotes": (
        f"Hello Ann,\n\n{ATTRIBUTION}\n> Does Tuesday work?\nYes.\n> And where?\nAt the canteen.\n",
        "Hello Ann,\n\nYes.\n\nAt the canteen.",
    ),
    "forward with a comment": (
        f"Can you take this?\n\n---------- Forwarded message ---------\n{HEADERS}\nDoes Tuesday?\n",
        f"Can you take this?\n\n---------- Forwarded message ---------\n{HEADERS}\nDoes Tuesday?",
    ),
    "apple forward": (
        f"Please see.\n\nBegin forwarded message:\n\n> From: Ann\n> Subject: Lunch\n>\n{QUOTE}",
        f"Please see.\n\nBegin forwarded message:\n\n> From: Ann\n> Subject: Lunch\n>\n{QUOTE}".rstrip(),
    ),
    "signature": ("Tuesday works.\n-- \nBo Roth\nGlobex, floor three\n", "Tuesday works."),
    "signature that lost its blank": ("Tuesday works.\n--\nBo Roth\n", "Tuesday works."),
    "signature above the history": (f"Tuesday works.\n\n-- \nBo\n\n{ATTRIBUTION}\n{QUOTE}", "Tuesday works."),
    "german": (f"Dienstag geht.\n\nAm 02.03.26 um 10:15 schrieb Ann Lee:\n{QUOTE}", "Dienstag geht."),
    "french": (f"Mardi.\n\nLe lun. 2 mars 2026 à 10:15, Ann <ann@acme.example> a écrit :\n{QUOTE}", "Mardi."),
    "italian": (f"Martedì.\n\nIl giorno lun 2 mar 2026 alle ore 10:15 Ann ha scritto:\n{QUOTE}", "Martedì."),
    "russian": (f"Спасибо!\n2 марта 2026 г., в 10:15, Анна написал(а):\n{QUOTE}", "Спасибо!"),  # noqa: RUF001 - Cyrillic
    "japanese": (f"火曜日で。\n\n2026年3月2日(月) 10:15 Ann Lee <ann@acme.example>:\n{QUOTE}", "火曜日で。"),
    "carriage returns": (f"Tuesday works.\r\n\r\n{ATTRIBUTION}\r\n{QUOTE}", "Tuesday works."),
    "many blank lines": ("one\n\n\n\n\ntwo   \n", "one\n\ntwo"),
}

NOT_HISTORY = {
    "a sentence like an attribution": "On the phone she wrote:\nall is well",
    "one header": "From: the heart\nwith love",
    "a list": "To do:\n- one\n- two --\nFrom now on: quiet",
    "a line of dashes": "one\n--\n" + "two\n" * 20 + "three",
    "sent from in the middle": "Sent from my desk yesterday, it got lost.\nSo again.",
}

ONLY_HISTORY = {
    "bare forward": f"---------- Forwarded message ---------\n{HEADERS}\nDoes Tuesday?",
    "only quoted": "> Does Tuesday work?",
    "only a signature": "--\nBo",
    "only a telephone": "Sent from my iPhone",
}

GMAIL = (
    '<div dir="ltr">Tuesday <b>works</b>.</div><br><div class="gmail_quote gmail_quote_container">'
    '<div dir="ltr" class="gmail_attr">On Mon, Mar 2, 2026 at 10:15 AM Ann Lee &lt;'
    '<a href="mailto:ann@acme.example">ann@acme.example</a>&gt; wrote:<br></div>'
    '<blockquote class="gmail_quote"><div>Does it?</div></blockquote>{answer}</div>'
)
OUTLOOK = (
    '<html><head><style>p {{}}</style></head><body><div class="WordSection1"><p class="MsoNormal">Tuesday works.</p>'
    '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal">'
    "<b>From:</b> Ann Lee &lt;ann@acme.example&gt;<br><b>Sent:</b> Monday, March 2, 2026<br><b>To:</b> Bo<br>"
    "<b>Subject:</b> Lunch</p></div></div><p>Does it?</p></div></body></html>"
)
GMAIL_FORWARD = (
    '<div>Please see.</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------'
    "<br>From: Ann</div><blockquote>Deep</blockquote>Does it?</div>"
)
APPLE_MAIL = (
    "<body>Tuesday works.<br><br>Sent from my iPhone<div><br><blockquote type='cite'>On Mar 2, 2026, at 10:15, Ann "
    "&lt;ann@acme.example&gt; wrote:</blockquote></div><blockquote type='cite'>Does it?</blockquote></body>"
)
THUNDERBIRD = (
    '<p>Tuesday works.</p><div class="moz-cite-prefix">On 3/2/26 10:15, Ann wrote:</div>'
    '<blockquote type="cite">Does it?</blockquote><p>At noon.</p><div class="moz-signature">-- <br>Bo</div>'
)
HTMLS = {
    "no history": ("<p>Tuesday works.</p>", "Tuesday works."),
    "gmail": (GMAIL.format(answer=""), "Tuesday works."),
    "gmail, answer below": (GMAIL.format(answer="<div>At the canteen.</div>"), "Tuesday works.\n\nAt the canteen."),
    "gmail forward": (
        GMAIL_FORWARD,
        "Please see.\n---------- Forwarded message ---------\nFrom: Ann\n\nDeep\n\nDoes it?",
    ),
    "outlook": (OUTLOOK.format(), "Tuesday works."),
    "outlook on the web": (
        '<div>Tuesday works.</div><div><div id="appendonsend"></div><hr></div><div id="divRplyFwdMsg">Old</div>Old',
        "Tuesday works.",
    ),
    "apple mail": (APPLE_MAIL, "Tuesday works."),
    "thunderbird": (THUNDERBIRD, "Tuesday works.\n\nAt noon."),
    "unmarked": (
        "<p>Tuesday works.</p><p>On 2 Mar 26, Ann &lt;a@acme.example&gt; wrote:</p><blockquote>Does it?</blockquote>",
        "Tuesday works.",
    ),
    "a quotation that is the person's own": (
        "<p>As they say:</p><blockquote>Tuesday!</blockquote>",
        "As they say:\n\nTuesday!",
    ),
    "only history": ('<blockquote type="cite">Does it?</blockquote>', "Does it?"),
}


def python_calls(text: str | None, html: str | None) -> int:
    """How many functions extraction calls: work, not time."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        extract(text, html)
    finally:
        sys.setprofile(None)
    return calls


# An introduction may be wrapped over four lines.
INTRODUCED = re.compile(r"(?:>.*\n)*(?:(?:[^>\n].*\n){0,3}.*wrote:\n(?:>.*\n)+)+")


def is_only_introduced(text: str) -> bool:
    """Whether a text is an introduction and quoted lines, or several of them, and nothing else."""
    written = "".join(f"{line.strip()}\n" for line in text.split("\n") if line.strip())
    return INTRODUCED.fullmatch(written) is not None


def marked(html: str) -> str:
    """The text of HTML, with ">" before the lines of its quotations."""
    body = lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(encoding="utf-8")).find("body")
    return "\n".join(
        ("> " if line.mark in {Mark.QUOTED, Mark.CITED} else "") + line.text for line in render(body).lines
    )


@pytest.mark.parametrize("name", TEXTS)
def test_only_what_is_new_remains_of_a_text(name: str) -> None:
    text, written = TEXTS[name]
    assert extract(text, None).text == written


@pytest.mark.parametrize("name", NOT_HISTORY)
def test_what_only_looks_like_history_stays(name: str) -> None:
    assert extract(NOT_HISTORY[name], None).text == NOT_HISTORY[name]


@pytest.mark.parametrize("name", ONLY_HISTORY)
def test_a_message_of_nothing_but_history_keeps_it(name: str) -> None:
    assert extract(ONLY_HISTORY[name], None).text == ONLY_HISTORY[name].strip("\n")


@pytest.mark.parametrize("name", HTMLS)
def test_only_what_is_new_remains_of_html(name: str) -> None:
    html, written = HTMLS[name]
    extracted = extract(None, html)
    assert extracted.text == written
    assert to_text(extracted.html or "").split() == written.split()


def test_html_without_history_is_not_touched() -> None:
    html = "<!DOCTYPE html><html><body class=x><P>Tuesday works.</P></body></html>"
    assert extract("Tuesday works.", html).html == html


def test_the_text_body_comes_first() -> None:
    assert extract("from the text", "<p>from the html</p>")[:2] == ("from the text", "<p>from the html</p>")


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_an_empty_text_body_gives_way_to_html(text: str | None) -> None:
    assert extract(text, "<p>written</p>").text == "written"


def test_a_message_without_bodies_is_empty() -> None:
    assert extract(None, None) == ("", None, False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*ATTRIBUTION.split(" "), *HEADERS.split("\n"), *QUOTE.split("\n"), "-- ", "x", "\n"])))
def test_what_somebody_wrote_never_becomes_nothing(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    assert bool(extract(text, None).text.strip()) is bool(text.strip()) or is_only_introduced(text)


TAGS = [
    "<div>",
    "</div>",
    '<blockquote type="cite">',
    "</blockquote>",
    '<div id="appendonsend">',
    "<br>",
    "<a:b>",
    "<x@y>",
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*TAGS, *HTMLS["unmarked"][0].split(">"), ATTRIBUTION, "\x00", "\x1f", "&#1;"]) | st.text()
    )
)
def test_any_html_is_extracted_from(pieces: list[str]) -> None:
    html = " ".join(pieces)
    assert extract(None, html).text or not to_text(html) or is_only_introduced(marked(html))


@pytest.mark.parametrize(
    "piece",
    ["\n", "x\n", ":\n", "> x\n", "From:\n", "--\n", "On 2 Mar @ wrote:\n> x\n", "Sent from my x\n", "2026/3/2 <@>\n"],
)
def test_the_work_for_a_hostile_text_grows_no_faster_than_the_text(piece: str) -> None:
    half, whole = (python_calls(piece * (size // len(piece)), None) for size in (100_000, 200_000))
    assert whole <= 2.5 * half + 500


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        '<blockquote type="cite">x</blockquote>',
        '<div class="gmail_quote">',
        "<p>On 2 Mar @ wrote:</p>",
        "&lt;@",
    ],
)
def test_the_work_for_hostile_html_grows_no_faster_than_the_html(piece: str) -> None:
    half, whole = (python_calls(None, piece * (size // len(piece))) for size in (100_000, 200_000))
    assert whole <= 2.5 * half + 500


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two", "one\ntwo"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("a&nbsp;&amp;&nbsp;b", "a & b"),
        ("<style>p {}</style><script>x()</script>text<!-- no -->", "text"),
        ('<img src="cid:x" alt="logo">text', "text"),
        ('<img src="x" alt="Your order is on its way">', "[image: Your order is on its way]"),
        ('<a href="https://acme.example/a">the plan</a>', "the plan <https://acme.example/a>"),
        ('<a href="https://acme.example/">acme.example</a>', "acme.example"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<h2>Plan</h2><p>one</p>", "## Plan\n\none"),
        (
            "<table><tr><th>Day</th><th>Place</th></tr><tr><td>Mon</td><td>Rome</td></tr></table>",
            "Day | Place\nMon | Rome",
        ),
        ('<p style="display:none">no</p><p>yes</p>', "yes"),
        ("\ud800a", "\ufffda"),
        ("", ""),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("short", 10, "short"),
        ("one\n\n two", 10, "one two"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two three", 7, "one…"),
        ("unbreakable", 5, "unbr…"),
        ("\n" * 5_000 + "late", 10, "late"),
        ("", 10, ""),
    ],
)
def test_a_snippet_is_cut_between_words(text: str, length: int, cut: str) -> None:
    assert snippet(text, length) == cut
