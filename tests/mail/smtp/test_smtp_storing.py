"""250 is only said for what is stored, and mails that wait at the same time are stored together."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


TROUBLE = "451 4.3.0 Trouble on our side, try again later"
STORED = "250 2.0.0 Stored"


@pytest.fixture
def hand_in(
    front: Listeners,
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> Callable[[str], Peer]:
    """Return a function that hands a mail in on a new connection and comes back when it waits to be stored."""

    def at_the_store() -> int:
        return front.reception.committer._together._waiting.qsize() + len(memory.batches)

    def hand_in(text: str) -> Peer:
        peer = connect(front.smtp[0]).greet().begin()
        before = at_the_store()
        peer.say(text, ".")
        eventually(lambda: at_the_store() > before)
        return peer

    return hand_in


def batch_sizes(memory: Memory) -> list[int]:
    return [len(batch) for batch in memory.batches]


@pytest.mark.parametrize("text", ["poison", "unstorable"])
def test_a_mail_that_is_not_stored_is_asked_for_again(peer: Peer, memory: Memory, text: str) -> None:
    peer.begin().say(text, ".")
    assert peer.hear() == TROUBLE
    assert batch_sizes(memory) == [1]
    assert peer.begin().say("good", ".").hear() == STORED


def test_a_refusal_of_the_store_is_told(peer: Peer) -> None:
    assert peer.begin("full@acme.example").say("x", ".").hear() == "452 4.2.2 Over quota"


def test_the_answer_waits_for_the_store(
    hand_in: Callable[[str], Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    memory.gate.clear()
    peer = hand_in("x")
    eventually(lambda: memory.batches)
    peer.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.socket.recv(1)
    peer.socket.setblocking(True)
    memory.gate.set()
    assert peer.hear() == STORED


def test_mails_that_wait_together_are_stored_together(
    hand_in: Callable[[str], Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    memory.gate.clear()
    first = hand_in("first")
    eventually(lambda: memory.batches)
    others = [hand_in(f"mail {number}") for number in range(15)]
    memory.gate.set()
    assert [peer.hear() for peer in [first, *others]] == [STORED] * 16
    assert batch_sizes(memory) == [1, 15]


def test_a_mail_that_poisons_its_batch_harms_no_other(
    hand_in: Callable[[str], Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    memory.gate.clear()
    first = hand_in("first")
    eventually(lambda: memory.batches)
    others = [hand_in(text) for text in ("good", "poison", "better", "unstorable")]
    memory.gate.set()
    assert first.hear() == STORED
    assert [peer.hear() for peer in others] == [STORED, TROUBLE, STORED, TROUBLE]
    assert batch_sizes(memory) == [1, 4, 1, 1, 1, 1]
    assert [arrival.raw for arrival in memory.stored] == [b"first\r\n", b"good\r\n", b"better\r\n"]


@pytest.mark.parametrize("limit", [{"max_batch_mails": 2}, {"max_batch_bytes": 20}], ids=str)
def test_a_batch_is_bounded(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
    limit: dict[str, int],
) -> None:
    front = listen(**limit)
    memory.gate.clear()
    first = connect(front.smtp[0]).greet().begin().say("ten octets", ".")
    eventually(lambda: memory.batches)
    others = [connect(front.smtp[0]).greet().begin().say("ten octets", ".") for _ in range(5)]
    eventually(lambda: front.reception.budget.held == 6 * len("\r\nten octets\r\n.\r\n"))
    memory.gate.set()
    assert [peer.hear() for peer in [first, *others]] == [STORED] * 6
    assert batch_sizes(memory) == [1, 2, 2, 1]


def test_a_store_that_hangs_is_answered_in_time_and_what_still_waits_is_dropped(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    front = listen(store_timeout=0.2)
    memory.gate.clear()
    begun = connect(front.smtp[0]).greet().begin().say("begun", ".")
    eventually(lambda: memory.batches)
    waiting = connect(front.smtp[0]).greet().begin().say("waiting", ".")
    assert [begun.hear(), waiting.hear()] == [TROUBLE] * 2
    assert front.reception.budget.held == len("\r\nbegun\r\n.\r\n") + len("\r\nwaiting\r\n.\r\n")
    memory.gate.set()
    assert waiting.begin().say("again", ".").hear() == STORED
    assert [arrival.raw for arrival in memory.stored] == [b"begun\r\n", b"again\r\n"]
    assert front.reception.budget.held == 0


def test_a_peer_that_vanishes_while_its_mail_is_stored_does_no_harm(
    hand_in: Callable[[str], Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
    front: Listeners,
) -> None:
    memory.gate.clear()
    vanishing = hand_in("vanishing")
    eventually(lambda: memory.batches)
    vanishing.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    vanishing.close()
    staying = hand_in("staying")
    memory.gate.set()
    assert staying.hear() == STORED
    assert [arrival.raw for arrival in memory.stored] == [b"vanishing\r\n", b"staying\r\n"]
    assert front.reception.budget.held == 0


def test_a_peer_that_vanishes_within_its_mail_leaves_nothing(
    front: Listeners,
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    peer = connect(front.smtp[0]).greet().begin()
    peer.send(b"x" * 200_000)
    eventually(lambda: front.reception.budget.held)
    peer.close()
    eventually(lambda: front.reception.budget.held == 0)
    assert memory.batches == []


def test_a_slow_lookup_is_answered_in_time(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory.gate.clear()
    monkeypatch.setattr(memory, "resolve", lambda _: memory.gate.wait(10))
    peer = connect(listen(lookup_timeout=0.1).smtp[0]).greet()
    peer.ask("MAIL FROM:<a@globex.example>")
    assert peer.ask("RCPT TO:<agent@acme.example>") == TROUBLE
