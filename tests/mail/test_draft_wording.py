"""What differs between two versions, word by word."""

from typing import Any

import pytest

from mail.services.drafts.wording import Edit, Piece, Wording

EMPTY = dict.fromkeys(
    ("to", "cc", "bcc", "reply_to", "subject", "text_body", "html_body", "headers", "send_at", "attachments"), ""
)


def edits(before: dict[str, str], after: dict[str, str], **options: Any) -> list[Edit]:
    return Wording(**options).edits({**EMPTY, **before}, {**EMPTY, **after})


def marked(edit: Edit) -> str:
    """Return a field's difference on one line: [-gone-]{+new+}."""
    shapes = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}", "left_out": "<{}>"}
    return "".join(shapes[piece.kind].format(piece.text) for piece in edit.pieces or ())


CHANGES = [
    ("subject", "Your invoice", "Your last invoice", "Your {+last +}invoice"),
    ("text_body", "Dear Bob, bye.", "Dear Ann, bye.", "Dear [-Bob-]{+Ann+}, bye."),
    ("text_body", "a red fox runs", "a big dog runs", "a [-red fox-]{+big dog+} runs"),
    ("text_body", "one\ntwo\n", "one\n", "one\n[-two\n-]"),
    ("to", "ann@a.example\nbob@a.example", "ann@a.example\nbob@b.example", None),
    ("text_body", "", "new", "{+new+}"),
]


@pytest.mark.parametrize(("field", "before", "after", "expected"), CHANGES)
def test_words_that_went_and_came_are_marked(field: str, before: str, after: str, expected: str | None) -> None:
    (edit,) = edits({field: before}, {field: after})
    assert edit.field == field
    assert marked(edit) == (expected or "ann@a.example\n[-bob@a.example-]{+bob@b.example+}")


def test_what_is_the_same_is_no_edit() -> None:
    assert edits({"subject": "x"}, {"subject": "x"}) == []


def test_long_stretches_that_stayed_are_left_out() -> None:
    lines = "".join(f"line {number}\n" for number in range(20))
    (edit,) = edits({"text_body": f"old\n{lines}"}, {"text_body": f"new\n{lines}"})
    assert edit.pieces is not None
    assert list(edit.pieces[-2:]) == [Piece("same", "\nline 0\n"), Piece("left_out", "19")]


def test_both_texts_can_be_read_off_the_difference() -> None:
    before, after = "a b  c\nd\n\ne f", "a x  c\n\nd e\nf g"
    (edit,) = edits({"text_body": before}, {"text_body": after})
    kept = [(piece.kind, piece.text) for piece in edit.pieces or ()]
    assert "".join(text for kind, text in kept if kind != "new") == before
    assert "".join(text for kind, text in kept if kind != "gone") == after


def test_what_would_take_too_long_is_not_compared() -> None:
    many = "x\n" * 1_000
    (first, second) = edits({"subject": "a", "text_body": many}, {"subject": "b", "text_body": "y\n" + many})
    assert (marked(first), second.pieces) == ("[-a-]{+b+}", None)


def test_a_long_line_is_shown_whole_where_words_would_take_too_long() -> None:
    (edit,) = edits({"subject": "a " * 50}, {"subject": "b " * 50}, allowance=100)
    assert [piece.kind for piece in edit.pieces or ()] == ["gone", "new"]
