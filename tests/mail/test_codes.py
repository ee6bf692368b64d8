"""Codes and links in mails: some 150 mails in thirty languages beside what is expected of each, and hostile ones."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mail.codes import Kind, find
from mail.inspection import markup

FOLDER = Path(__file__).parent / "codes"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.json"))
    if file.stem != "held_out"
    for case in json.loads(file.read_text())
]


class Score(NamedTuple):
    """How many were found, rightly found, and there to be found."""

    found: int
    right: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / self.found

    @property
    def recall(self) -> float:
        return self.right / self.there


def codes_and_links(case: dict[str, Any]) -> tuple[set[str], set[str]]:
    found = find(case["subject"], case.get("text"), case.get("html"))
    return set(found.codes), {link.url for link in found.links if link.kind is Kind.VERIFICATION}


@pytest.mark.parametrize("case", CASES)
def test_what_a_mail_asks_for_is_found_and_nothing_else(case: dict[str, Any]) -> None:
    assert codes_and_links(case) == (set(case["codes"]), set(case["verification"]))


def test_on_mails_that_were_not_looked_at_while_the_rules_were_made_it_is_as_good_as_we_say() -> None:
    cases = json.loads((FOLDER / "held_out.json").read_text())
    pairs = [
        (found, set(case[name]))
        for case in cases
        for found, name in zip(codes_and_links(case), ("codes", "verification"), strict=True)
    ]
    score = Score(*(sum(map(len, column)) for column in zip(*((f, f & t, t) for f, t in pairs), strict=True)))
    assert len(cases) == 40
    assert score.precision >= 0.95
    assert score.recall >= 0.95


def test_the_cases_are_many_and_many_of_them_hold_nothing() -> None:
    cases: list[dict[str, Any]] = [param.values[0] for param in CASES]  # type: ignore[misc]
    assert len(cases) >= 120
    assert sum(not case["codes"] and not case["verification"] for case in cases) >= 40


def test_the_likeliest_code_is_the_first() -> None:
    text = "Your account code is 2048 1024.\n\nPIN?\n\n771204\n\nYour verification code is 482913."
    assert find("482913 is your verification code", text, None).codes[0] == "482913"


def test_links_come_in_reading_order_once_each_and_say_what_they_are_for() -> None:
    html = """<p><a href="https://a.example/story">A story</a> <a href="https://a.example/verify/9">Verify</a></p>
    <p><a href="https://a.example/verify/9">https://a.example/verify/9</a> <a href="mailto:a@b.example">Write</a>
    <a href="javascript:alert(1)">Run</a> <a href="//a.example/x">No scheme</a> <a href="https://[::1">Broken</a>
    <a href="https://a.example/unsubscribe?u=1">Unsubscribe</a> <a href="https://x.com/a">Follow us</a></p>"""
    found = find("Verify", "See https://a.example/story and https://a.example/more.", html).links
    assert [(link.url, link.text, link.kind) for link in found] == [
        ("https://a.example/story", "A story", Kind.OTHER),
        ("https://a.example/verify/9", "Verify", Kind.VERIFICATION),
        ("https://a.example/unsubscribe?u=1", "Unsubscribe", Kind.FOOTER),
        ("https://x.com/a", "Follow us", Kind.FOOTER),
        ("https://a.example/more", "", Kind.OTHER),
    ]


def test_what_is_returned_is_bounded() -> None:
    codes = "\n".join(f"Your verification code is {number}." for number in range(100_000, 101_000))
    links = " ".join(f"https://a.example/verify/{number}" for number in range(1_000))
    found = find("", codes + links, None)
    assert (len(found.codes), len(found.links)) == (10, 100)


@pytest.mark.parametrize(
    "case", [("", None, None), ("", "", ""), ("\x00", "\ud800 code 482913", "<\x00a href=\ud800>")]
)
def test_nothing_and_broken_characters_are_no_trouble(case: tuple[str, str | None, str | None]) -> None:
    find(*case)


MARKUP = ["<p><a>", "<b>", "</b>", "<", "<!>", "<!---->", "<p>482913", "<a href=http://a/b>", "<tr><td>1", "<b></p>"]


@pytest.mark.parametrize("piece", MARKUP)
def test_markup_that_shows_nothing_is_read_no_further_than_other_mail(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, seen, events = list[str](), 0, markup.events

    def counted(html: str) -> Iterator[markup.Event]:
        nonlocal seen
        given.append(html)
        for event in events(html):
            seen += 1
            yield event

    monkeypatch.setattr(markup, "events", counted)
    find("", None, piece * (1_200_000 // len(piece)))
    [html] = given
    assert len(html) <= 300_000
    assert html.count("<") <= 20_000
    assert 0 < seen <= 80_000


@pytest.mark.parametrize(
    ("behind", "codes", "links"), [(299_000, ["482913"], 1), (299_950, ["482913"], 0), (300_000, [], 0)]
)
def test_no_link_is_cut_in_two_where_the_reading_of_html_ends(behind: int, codes: list[str], links: int) -> None:
    last = "<p>Your code: 482913 <a href=https://a.example/verify?token=9a8b7c>Verify</a></p>"
    found = find("", None, "<!--" + " " * (behind - 7) + "-->" + last + "<p>" * 1_000)
    assert (list(found.codes), len(found.links)) == (codes, links)


def test_of_html_that_shows_much_the_first_200_000_characters_count() -> None:
    assert find("", None, "<p>" + "a " * 99_000 + "</p><p>Your code: 482913").codes == ("482913",)
    assert find("", None, "<p>" + "a " * 101_000 + " https://a.example/verify?token=9a8b7c").links == ()


HOSTILE: dict[str, Callable[[int], str]] = {
    "one number": lambda n: "1" * n,
    "groups": lambda n: "12 " * (n // 3),
    "hyphens": lambda n: "ab-" * (n // 3),
    "words": lambda n: "code " * (n // 5),
    "codes": lambda n: "code 482913 " * (n // 12),
    "one word": lambda n: "a" * n,
    "addresses": lambda n: "a@" * (n // 2),
    "schemes": lambda n: "http://" * (n // 7),
    "anchors": lambda n: "<a href=http://a/b1234567>" * (n // 26),
    "nesting": lambda n: "<div>" * (n // 5),
    "single characters": lambda n: "1\n" * (n // 2),
    "alone": lambda n: "482913\n" * (n // 7),
    "ligatures that grow eighteenfold": lambda n: "\ufdfa" * n,
    "invisible": lambda n: "\u200b" * n,
    "labels without end": lambda n: "verification " * (n // 13),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_costs_little(make: Callable[[int], str]) -> None:
    hostile = make(400_000)
    began = time.process_time()
    find(hostile[:2_000], hostile, hostile)
    assert time.process_time() - began < 5
