"""What a result keeps of what strangers said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mail.transports import Ending, Result
from tests.mail.sink import running_sink
from tests.mail.transports.test_smtp_relay import relay, result_of

TEXTS = ["reply", "enhanced_code", "host", "tls", "provider_id"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("said", ["a\x00b", "a\r\nb", "a\x1b\x9bb", "a\ud800b", " a b\u2028"])
def test_no_text_of_a_result_has_controls_or_lone_surrogates(name: str, said: str) -> None:
    assert getattr(replace(Result(Ending.DEFERRED), **{name: said}), name) == "a b"


@pytest.mark.parametrize(("name", "longest"), [*zip(TEXTS, [1000, 20, 255, 40, 255], strict=True)])
def test_texts_of_a_result_are_cut(name: str, longest: int) -> None:
    assert len(getattr(Result(Ending.DEFERRED, **{name: "x" * 9999}), name)) == longest


def test_what_cannot_be_read_of_a_reply_is_left_out_and_the_mail_counts_as_taken() -> None:
    with running_sink() as sink:
        sink.always("end", "250-2.0.0 Gr\u00fc\u00dfe\x00\r\n250 2.0.0\x07Taken")
        found = result_of(relay(sink))
    assert (found.ending, found.reply) == ("accepted", "250 2.0.0 Gr\u00fc\u00dfe 2.0.0 Taken")
