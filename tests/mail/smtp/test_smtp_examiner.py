"""A mail is examined on its way to the store, and stored also where that was not possible."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Arrival, Listeners

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer

MAIL = ("Subject: Hello", "", "Good morning.", ".")
SLOW = ("X-Domain: slow", *MAIL)
PATIENCE = 10


@pytest.fixture
def answer(memory: Memory) -> Iterator[threading.Event]:
    """Hold up the examination of mail in the name of a slow domain until this is set."""
    answered, examine = threading.Event(), memory.examine

    def patient(arrival: Arrival) -> str:
        if b"slow" in arrival.raw:
            answered.wait(PATIENCE)
        return examine(arrival)

    memory.examine = patient  # type: ignore[method-assign]
    yield answered
    answered.set()


def test_a_mail_is_stored_with_what_was_found_out_about_it(peer: Peer, memory: Memory) -> None:
    assert peer.begin("agent@acme.example", "other@acme.example").say(*MAIL).hear().startswith("250")
    [stored] = memory.stored
    assert stored.examination == "examined for 2"


def test_the_recipients_of_lmtp_share_one_examination(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory
) -> None:
    peer = connect(listen(lmtp_port=0).lmtp[0]).greet("LHLO front.example")
    assert peer.begin("agent@acme.example", "other@acme.example").say(*MAIL).codes(2) == ["250", "250"]
    assert [arrival.examination for arrival in memory.stored] == ["examined for 2"] * 2


def test_a_mail_whose_examination_fails_is_stored_as_it_is(peer: Peer, memory: Memory) -> None:
    assert peer.begin().say("Subject: unreadable", *MAIL).hear().startswith("250")
    [stored] = memory.stored
    assert stored.examination is None


def test_a_mail_whose_sender_takes_too_long_to_look_up_is_asked_for_again(
    answer: threading.Event, listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory
) -> None:
    peer = connect(listen(examine_timeout=0.2).smtp[0]).greet()
    assert peer.begin().say(*SLOW).hear().startswith("452 4.3.1")
    assert memory.stored == []


def test_who_sends_in_slow_names_holds_up_nobody_else(
    answer: threading.Event,
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    front = listen(hosts=("127.0.0.1", "::1"), examiner_threads=3, max_examined_per_peer=2)
    slow = [connect(front.smtp[0]).greet().begin().say(*SLOW) for _ in range(5)]
    eventually(lambda: front.reception.budget.held)
    assert connect(front.smtp[1]).greet().begin().say(*MAIL).hear().startswith("250")
    assert len(memory.stored) == 1
    answer.set()
    assert [peer.hear()[:3] for peer in slow] == ["250"] * 5
