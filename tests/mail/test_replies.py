"""What is new in the replies, forwards and signatures of the usual clients, in every language that they speak."""

from __future__ import annotations

import pytest

from mail.extraction import extract
from tests.replies.clients import Mail, endings, forwards, replies


def assert_extracted(mail: Mail) -> None:
    """Every word to keep is there and none of the others, in the text and in the HTML."""
    extracted = extract(mail.text, mail.html, subject=mail.subject)
    for body in (extracted.text, *([] if mail.html is None else [extracted.html or ""])):
        assert [word for word in mail.kept if word not in body] == []
        assert [word for word in mail.gone if word in body] == []


@pytest.mark.parametrize("mail", [pytest.param(mail, id=name) for name, mail in replies()])
def test_a_reply_is_what_was_written_and_not_what_it_quotes(mail: Mail) -> None:
    assert_extracted(mail)


@pytest.mark.parametrize("mail", [pytest.param(mail, id=name) for name, mail in forwards()])
def test_a_forward_keeps_what_it_forwards(mail: Mail) -> None:
    assert_extracted(mail)


@pytest.mark.parametrize("mail", [pytest.param(mail, id=name) for name, mail in endings()])
def test_what_stands_below_a_text_is_none_of_it(mail: Mail) -> None:
    assert_extracted(mail)


def test_twenty_languages_and_more_are_among_them() -> None:
    assert len({name.rpartition(", ")[2] for name, _ in forwards()}) >= 20
