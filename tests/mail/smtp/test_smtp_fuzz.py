"""Peers that say anything at all: answers stay answers, and what got no 250 is not stored."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners
from tests.mail.smtp import dialogue

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer

CONVERSATIONS = 120


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_whatever_a_peer_says_it_hears_replies_and_nothing_is_stored_without_250(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, protocol: str
) -> None:
    front = listen(lmtp_port=0)
    address = getattr(front, protocol)[0]
    chance = random.Random(protocol)  # noqa: S311 - no secret
    stored = 0
    for number in range(CONVERSATIONS):
        said = dialogue.conversation(chance, b"agent@acme.example", f"{number}")
        said = said.replace(b"EHLO", b"LHLO") if protocol == "lmtp" else said
        with socket.create_connection(address, dialogue.PATIENCE) as peer:
            answered = dialogue.heard(peer, said)
        assert answered.startswith(b"220 "), said
        assert dialogue.malformed(answered) == [], said
        taken, told = len(memory.stored) - stored, answered.count(dialogue.STORED)
        assert (taken == told) if protocol == "smtp" else (taken <= told and bool(taken) == bool(told)), said
        stored = len(memory.stored)
    assert stored > CONVERSATIONS / 10
    assert front.reception.budget.held == 0
    neighbour = connect(address).greet("LHLO a.example" if protocol == "lmtp" else "EHLO a.example")
    assert neighbour.begin().say("Subject: x", "", "y", ".").hear() == "250 2.0.0 Stored"


def test_a_reply_that_repeats_a_long_command_is_no_longer_than_a_reply_may_be(peer: Peer) -> None:
    reply = peer.ask("A" * 1500)
    assert reply.startswith("500 5.5.2 ")
    assert len(reply) == dialogue.LONGEST_LINE - len("\r\n")
