"""What one peer may take of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners
from mail.smtp.reception import network_of

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


CROWDED = [
    ({"max_connections": 2}, "421 4.3.2"),
    ({"max_connections_per_peer": 2}, "421 4.7.0"),
]


@pytest.mark.parametrize(("limits", "reply"), CROWDED, ids=str)
def test_a_connection_too_many_is_sent_away_until_another_has_gone(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    eventually: Callable[[Callable[[], object]], None],
    limits: dict[str, int],
    reply: str,
) -> None:
    address = listen(**limits).smtp[0]
    peers = [connect(address) for _ in range(2)]
    assert [peer.hear()[:3] for peer in peers] == ["220", "220"]
    refused = connect(address)
    assert refused.hear().startswith(reply)
    assert refused.hear() == ""
    peers[0].ask("QUIT")
    eventually(lambda: connect(address).hear().startswith("220"))


NETWORKS = [
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("", ""),
]


@pytest.mark.parametrize(("peer", "network"), NETWORKS)
def test_a_peer_is_known_by_the_network_it_owns(peer: str, network: str) -> None:
    assert network_of(peer) == network


def test_the_hundred_and_first_recipient_has_to_wait(peer: Peer, memory: Memory) -> None:
    peer.ask("MAIL FROM:<a@globex.example>")
    peer.say(*(f"RCPT TO:<agent{number}@acme.example>" for number in range(101)))
    replies = [peer.hear() for _ in range(101)]
    assert {reply[:3] for reply in replies[:100]} == {"250"}
    assert replies[100].startswith("452 4.5.3")
    peer.ask("DATA")
    peer.say("x", ".").hear()
    assert len(memory.stored[0].recipients) == 100


def test_mails_on_one_connection_are_counted(listen: Callable[..., Listeners], connect: Callable[..., Peer]) -> None:
    peer = connect(listen(max_mails_per_connection=2).smtp[0]).greet()
    for _ in range(2):
        assert peer.begin().say("x", ".").hear().startswith("250")
    assert peer.ask("MAIL FROM:<a@globex.example>").startswith("421 4.7.0")
    assert peer.hear() == ""


def test_too_many_errors_end_the_conversation(listen: Callable[..., Listeners], connect: Callable[..., Peer]) -> None:
    peer = connect(listen(max_errors=3).smtp[0]).greet()
    peer.say("RCPT TO:<x>", "DATA", "MAIL", "NOOP")
    assert peer.codes(4) == ["503", "503", "501", "421"]
    assert peer.hear() == ""


def test_a_stored_mail_forgives_the_errors_before_it(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
) -> None:
    peer = connect(listen(max_errors=2).smtp[0]).greet()
    for _ in range(3):
        peer.ask("DATA")
        assert peer.begin().say("x", ".").hear().startswith("250")


def test_a_silent_peer_is_let_go(listen: Callable[..., Listeners], connect: Callable[..., Peer]) -> None:
    peer = connect(listen(idle_timeout=0.2).smtp[0])
    assert [peer.hear()[:9], peer.hear(), peer.hear()] == ["220 mx.ac", "421 4.4.2 Timed out", ""]


def test_a_mail_that_never_ends_is_let_go(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
) -> None:
    peer = connect(listen(data_timeout=0.2).smtp[0]).greet().begin()
    peer.say("Subject: x")
    assert [peer.hear(), peer.hear()] == ["421 4.4.2 Timed out", ""]
    assert memory.batches == []


@pytest.mark.parametrize(("octets", "code"), [(9_000, "250"), (11_000, "452")])
def test_mail_in_memory_is_bounded(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    octets: int,
    code: str,
) -> None:
    front = listen(max_held_bytes=10_000)
    peer = connect(front.smtp[0]).greet()
    assert peer.ask(f"MAIL FROM:<a@globex.example> SIZE={octets}")[:3] == code
    peer.ask("RSET")
    assert peer.begin().send(b"x" * octets + b"\r\n.\r\n").hear()[:3] == code
    assert front.reception.budget.held == 0


def test_mail_that_waits_to_be_stored_counts_as_held(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    front = listen(max_held_bytes=10_000)
    memory.gate.clear()
    first = connect(front.smtp[0]).greet().begin().send(b"x" * 6_000 + b"\r\n.\r\n")
    eventually(lambda: memory.batches)
    second = connect(front.smtp[0]).greet().begin()
    assert second.send(b"x" * 6_000 + b"\r\n.\r\n").hear().startswith("452 4.3.1")
    memory.gate.set()
    assert first.hear().startswith("250")
    assert second.begin().send(b"x" * 6_000 + b"\r\n.\r\n").hear().startswith("250")
