"""LMTP: an answer for each recipient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners
from mail.smtp.wire import BARE_LINE_END

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


@pytest.fixture
def lmtp_peer(listen: Callable[..., Listeners], connect: Callable[..., Peer]) -> Peer:
    return connect(listen(lmtp_port=0).lmtp[0]).greet("LHLO relay.example")


def test_each_recipient_that_was_taken_has_an_answer_of_its_own(lmtp_peer: Peer, memory: Memory) -> None:
    lmtp_peer.begin("one@acme.example", "nobody@acme.example", "full@acme.example", "two@acme.example").say("x", ".")
    assert lmtp_peer.codes(3) == ["250", "452", "250"]
    assert lmtp_peer.ask("NOOP").startswith("250")
    assert [[recipient.address for recipient in arrival.recipients] for arrival in memory.stored] == [
        ["one@acme.example"],
        ["two@acme.example"],
    ]


def test_a_recipient_named_twice_is_answered_twice_and_gets_the_mail_once(lmtp_peer: Peer, memory: Memory) -> None:
    lmtp_peer.begin("one@acme.example", "one@acme.example").say("x", ".")
    assert lmtp_peer.codes(2) == ["250", "250"]
    assert len(memory.stored) == 1


def test_a_refused_mail_is_refused_for_each_recipient(lmtp_peer: Peer) -> None:
    lmtp_peer.begin("one@acme.example", "two@acme.example").say("x\ny", ".")
    assert [lmtp_peer.hear(), lmtp_peer.hear()] == [BARE_LINE_END] * 2
    assert lmtp_peer.ask("NOOP").startswith("250")


def test_a_refused_mail_is_one_error_however_many_recipients_it_has(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
) -> None:
    peer = connect(listen(lmtp_port=0, max_errors=2).lmtp[0]).greet("LHLO relay.example")
    peer.begin("one@acme.example", "two@acme.example", "three@acme.example").say("x\ny", ".")
    assert peer.codes(3) == ["554", "554", "554"]
    assert peer.ask("NOOP").startswith("250")


@pytest.mark.parametrize("greeting", ["HELO relay.example", "EHLO relay.example"])
def test_lmtp_is_greeted_with_lhlo_only(lmtp_peer: Peer, greeting: str) -> None:
    assert lmtp_peer.ask(greeting).startswith("500 5.5.1")


def test_smtp_is_not_greeted_with_lhlo(peer: Peer) -> None:
    assert peer.ask("LHLO relay.example").startswith("500 5.5.2")
