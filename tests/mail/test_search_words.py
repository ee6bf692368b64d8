"""Words, queries and highlights, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from mail.search import Highlighter, Indexed, Query, Term, compiled, parse_query, vector
from mail.search.languages import languages_of
from mail.search.query import moment_of
from mail.search.words import words

NOW = datetime(2026, 3, 8, 14, 30, tzinfo=UTC)
CUT = [  # text, its words as they are looked up
    ("Héllo WÖRLD", ["hello", "world"]),
    ("bob.smith@example.com", ["bob", "smith", "example", "com"]),
    ("INV-2024/0017", ["inv", "2024", "0017"]),
    ("snake_case", ["snake", "case"]),
    ("Straße STRASSE", ["strasse", "strasse"]),
    ("e\u0301te\u0301 \ufb01n", ["ete", "fin"]),
    ("Łódź øre Ærø", ["lodz", "ore", "aero"]),
    ("İstanbul", ["istanbul"]),
    ("مُحَمَّد", ["محمد"]),
    ("東京都", ["東京", "京都", "都"]),
    ("Tokyo東京2020", ["tokyo", "東京", "京", "2020"]),
    ("がか", ["がか", "か"]),
    ("이메일", ["이메", "메일", "일"]),
    ("हिन्दी में", ["हिन्दी", "में"]),
    ("\u200b\u202e !?", []),
    ("x" * 100, ["x" * 40]),
]


@pytest.mark.parametrize(("text", "expected"), CUT)
def test_a_text_is_cut_into_words(text: str, expected: list[str]) -> None:
    assert [word.folded for word in words(text)] == expected


PARSED = [  # query, what it asks for
    ("", Query()),
    ("a b", Query((((Term("a")),), (Term("b"),)))),
    ("a OR b c", Query(((Term("a"), Term("b")), (Term("c"),)))),
    ("OR a OR", Query(((Term("a"),),))),
    ("-a", Query(((Term("a", is_negated=True),),))),
    ('"a b', Query(((Term("a b", is_phrase=True),),))),
    ("“a b”", Query(((Term("a b", is_phrase=True),),))),
    ("a*", Query(((Term("a*", is_prefix=True),),))),
    ('-From:"Bob Smith"', Query(((Term("Bob Smith", "from", is_negated=True, is_phrase=True),),))),
    ("has:attachments", Query(((Term("attachment", "has"),),))),
    ("has:star", Query(((Term("has:star"),),))),
    ("what:ever", Query(((Term("what:ever"),),))),
    ("in:spam", Query(((Term("spam", "in"),),), with_spam=True)),
    ("-in:spam", Query(((Term("spam", "in", is_negated=True),),))),
    ("in:anywhere", Query(with_spam=True)),
    ("label:A -label:b", Query(labels=("a",), no_labels=("b",))),
    ("after:2026-03-01 before:1d", Query(since=datetime(2026, 3, 1, tzinfo=UTC), until=NOW - timedelta(days=1))),
    ("before:never", Query(((Term("before:never"),),))),
]


@pytest.mark.parametrize(("text", "expected"), PARSED)
def test_a_query_is_read(text: str, expected: Query) -> None:
    assert parse_query(text, NOW) == expected


MOMENTS = [
    ("2026-03-08", datetime(2026, 3, 8, tzinfo=UTC)),
    ("2026/3/8", datetime(2026, 3, 8, tzinfo=UTC)),
    ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
    ("2026-03-08T12:00:00+02:00", datetime(2026, 3, 8, 10, tzinfo=UTC)),
    ("2w", NOW - timedelta(days=14)),
    ("yesterday", datetime(2026, 3, 7, tzinfo=UTC)),
    ("2026-02-30", None),
    ("9999d", NOW - timedelta(days=9999)),
    ("9999y", None),
    ("soon", None),
]


@pytest.mark.parametrize(("text", "expected"), MOMENTS)
def test_a_moment_is_a_date_a_time_or_so_long_ago(text: str, expected: datetime | None) -> None:
    assert moment_of(text, NOW) == expected


def test_a_query_of_any_length_compiles_to_a_bounded_one() -> None:
    assert len(compiled("code", parse_query("some words here " * 10_000, NOW)).match) < 100_000


def test_each_lexeme_begins_with_the_code_of_its_environment() -> None:
    mail = Indexed(
        "It's a 'subject' \\", ["Bob <bob@example.com>"], ["ann"], "the text", ["a.txt"], ["of it"], ["sent"]
    )
    assert all(lexeme.startswith("'code") for lexeme in vector("code", mail).split())


def test_no_required_group_lets_a_search_begin_outside_of_the_environment() -> None:
    assert "'code!all'" in compiled("code", parse_query("-a", NOW)).match
    assert "'code!all'" in compiled("code", parse_query("a OR -b", NOW)).match
    assert "'code!all'" not in compiled("code", parse_query("a -b", NOW)).match


SPOKEN = [
    ("Could you please send me the report that we talked about?", ("en",)),
    ("Können Sie mir bitte den Bericht senden, über den wir gesprochen haben?", ("de",)),
    ("Pouvez-vous nous envoyer le rapport dont nous avons parlé avec vous ?", ("fr",)),
    ("1 2 3", ()),
]


@pytest.mark.parametrize(("text", "expected"), SPOKEN)
def test_a_language_is_told_by_its_most_frequent_words(text: str, expected: tuple[str, ...]) -> None:
    assert languages_of(word.plain for word in words(text)) == expected


MARKED = [  # query, text, the fragments
    ("invoice", "The invoices <here>", "The <mark>invoices</mark> &lt;here&gt;"),
    ("cafe", "Le café", "Le <mark>café</mark>"),
    ("東京都", "東京都の会議", "<mark>東京都</mark>の会議"),
    ("京", "東京都", "東<mark>京都</mark>"),
    ("inv*", "invoice", "<mark>invoice</mark>"),
    ("-invoice", "invoice", None),
    ("the invoice", "the invoice", "the <mark>invoice</mark>"),
    ("nothing", "invoice", None),
    ("a", "", None),
]


@pytest.mark.parametrize(("query", "text", "expected"), MARKED)
def test_what_was_found_is_marked(query: str, text: str, expected: str | None) -> None:
    assert Highlighter(parse_query(query, NOW)).fragments(text) == expected


def test_a_long_text_is_shown_around_its_matches() -> None:
    text = f"{'before ' * 100}invoice{' after' * 100}"
    shown = Highlighter(parse_query("invoice", NOW)).fragments(text) or ""
    assert shown.startswith("… before")
    assert shown.endswith("after …")
    assert len(shown) < 300
