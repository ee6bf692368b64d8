"""What a peer says and what it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


def test_the_banner_names_the_host(front: Listeners, connect: Callable[..., Peer]) -> None:
    assert connect(front.smtp[0]).hear() == "220 mx.acme.example ESMTP AgentPost"


def test_ehlo_offers_what_is_supported_and_nothing_else(
    listen: Callable[..., Listeners], connect: Callable[..., Peer]
) -> None:
    peer = connect(listen(max_message_size=1000).smtp[0])
    peer.hear()
    assert peer.ask("EHLO client.example").split("\r\n") == [
        "250-mx.acme.example",
        "250-PIPELINING",
        "250-SIZE 1000",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-ENHANCEDSTATUSCODES",
        "250 HELP",
    ]


RECIPIENTS = [
    ("agent@acme.example", "250 2.1.5 Recipient OK"),
    ("nobody@acme.example", "550 5.1.1 No such address here"),
    ("paused@acme.example", "450 4.2.1 Paused?250 injected"),
    ("database-down@acme.example", "451 4.3.0 Trouble on our side, try again later"),
    ("nonsense@acme.example", "451 4.3.0 Trouble on our side, try again later"),
]


@pytest.mark.parametrize(("address", "reply"), RECIPIENTS)
def test_a_recipient_is_answered_by_who_lives_there(peer: Peer, address: str, reply: str) -> None:
    peer.ask("MAIL FROM:<someone@globex.example>")
    assert peer.ask(f"RCPT TO:<{address}>") == reply


def test_a_refused_recipient_gets_nothing_of_the_mail(peer: Peer, memory: Memory) -> None:
    peer.begin("nobody@acme.example", "agent@acme.example").say("Subject: x", "", "y", ".")
    assert peer.hear() == "250 2.0.0 Stored"
    assert [recipient.address for recipient in memory.stored[0].recipients] == ["agent@acme.example"]


def test_a_mail_is_handed_over_with_its_envelope(peer: Peer, memory: Memory) -> None:
    peer.begin("One@ACME.example", "two@acme.example", "One@acme.EXAMPLE").say("Subject: x", "", "y", ".").hear()
    arrival = memory.stored[0]
    assert arrival.raw == b"Subject: x\r\n\r\ny\r\n"
    assert arrival.envelope_sender == "someone@globex.example"
    assert [recipient.address for recipient in arrival.recipients] == ["One@acme.example", "two@acme.example"]
    assert (arrival.peer, arrival.helo, arrival.tls) == ("127.0.0.1", "client.example", False)
    assert arrival.received_at.utcoffset() is not None


def test_a_bounce_comes_from_the_null_sender(peer: Peer, memory: Memory) -> None:
    peer.begin(sender="").say("x", ".").hear()
    assert memory.stored[0].envelope_sender == ""


def test_the_bare_postmaster_is_the_one_of_this_host(peer: Peer, memory: Memory) -> None:
    peer.begin("Postmaster").say("x", ".").hear()
    assert memory.asked == ["Postmaster@mx.acme.example"]


def test_an_international_address_is_taken_when_announced(peer: Peer, memory: Memory) -> None:
    peer.say("MAIL FROM:<käthe@globex.example> SMTPUTF8 BODY=8BITMIME", "RCPT TO:<agentür@acme.example>")
    assert peer.codes(2) == ["250", "250"]
    assert memory.asked == ["agentür@acme.example"]


def test_a_peer_may_pipeline_several_mails_and_is_answered_in_order(peer: Peer, memory: Memory) -> None:
    mail = ["MAIL FROM:<a@globex.example>", "RCPT TO:<b@acme.example>", "DATA", "QUIT", ".", "NOOP"]
    peer.say(*mail, *mail, "QUIT")
    assert peer.codes(11) == ["250", "250", "354", "250", "250"] * 2 + ["221"]
    assert [arrival.raw for arrival in memory.stored] == [b"QUIT\r\n"] * 2


def test_a_peer_that_stops_talking_still_hears_the_answers(peer: Peer, memory: Memory) -> None:
    peer.say("MAIL FROM:<a@globex.example>", "RCPT TO:<b@acme.example>", "DATA", "x", ".")
    peer.socket.shutdown(1)
    assert [*peer.codes(4), peer.hear()] == ["250", "250", "354", "250", ""]
    assert len(memory.stored) == 1


ORDER = [
    (["RCPT TO:<a@acme.example>"], "503 5.5.1"),
    (["DATA"], "503 5.5.1"),
    (["MAIL FROM:<a@globex.example>", "DATA"], "503 5.5.1"),
    (["MAIL FROM:<a@globex.example>", "MAIL FROM:<a@globex.example>"], "503 5.5.1"),
    (["MAIL FROM:<>", "MAIL FROM:<>"], "503 5.5.1"),
    (["MAIL FROM:<a@globex.example>", "RSET", "RCPT TO:<a@acme.example>"], "503 5.5.1"),
    (["MAIL FROM:<a@globex.example>", "EHLO again.example", "RCPT TO:<a@acme.example>"], "503 5.5.1"),
    (["MAIL FROM:<a@globex.example>", "RCPT TO:<nobody@acme.example>", "DATA"], "503 5.5.1"),
    (["VRFY agent@acme.example"], "252 2.1.5"),
    (["EXPN agents"], "502 5.5.1"),
    (["AUTH PLAIN AGEAYg=="], "502 5.5.1"),
    (["STARTTLS"], "454 4.0.0"),
    (["NOOP whatever"], "250 2.0.0"),
    (["RSET"], "250 2.0.0"),
    (["HELP"], "250 2.0.0"),
]


@pytest.mark.parametrize(("lines", "reply"), ORDER)
def test_a_command_is_answered_as_its_place_demands(peer: Peer, lines: list[str], reply: str) -> None:
    assert [peer.ask(line) for line in lines][-1].startswith(reply)


def test_mail_needs_a_greeting_first(front: Listeners, connect: Callable[..., Peer]) -> None:
    peer = connect(front.smtp[0])
    peer.hear()
    assert peer.ask("MAIL FROM:<a@globex.example>").startswith("503 5.5.1")


def test_helo_gets_no_extensions(front: Listeners, connect: Callable[..., Peer]) -> None:
    peer = connect(front.smtp[0]).greet("HELO client.example")
    assert peer.ask("MAIL FROM:<a@globex.example> SIZE=10").startswith("555 5.5.4")


@pytest.mark.parametrize("greeting", ["HELO client.example", "EHLO client.example"])
@pytest.mark.parametrize(("length", "code"), [(2048, "250"), (2049, "500")])
def test_a_line_may_be_so_long(
    front: Listeners,
    connect: Callable[..., Peer],
    greeting: str,
    length: int,
    code: str,
) -> None:
    peer = connect(front.smtp[0]).greet(greeting)
    assert peer.ask("NOOP ".ljust(length, "x"))[:3] == code


def test_help_does_not_advertise_authentication(peer: Peer) -> None:
    assert "AUTH" not in peer.ask("HELP")


ODD_LINES = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b" MAIL FROM:<a@b.example>",
    b"GET / HTTP/1.1",
    b"EHLO",
    b"EHLO \xc3\xa9.example",
    b"EHLO a b",
    b"HELO \x00",
    b"HELP \xff",
    b"QUIT now",
    b"RSET now",
    b"DATA now",
    b"MAIL",
    b"MAIL FROM:",
    b"MAIL FROM:<a@b.example",
    b"MAIL FROM:<a\r@b.example>",
    b"MAIL FROM:<a\x00@b.example>",
    b"MAIL FROM:<\xff@b.example> SMTPUTF8",
    b"MAIL FROM:<a@b.example> SIZE=\xc2\xb2",
    b"MAIL FROM:<a@b.example> \x00",
    b"RCPT TO:<a@b.example> \xff",
    b"BDAT 10 LAST",
    b"A" * 2049,
    b"NOOP " + b"A" * 5000,
    b"A" * 300_000,
]


@pytest.mark.parametrize("line", ODD_LINES, ids=lambda line: repr(line[:40]))
def test_an_odd_line_is_refused_in_one_printable_line_and_the_conversation_goes_on(peer: Peer, line: bytes) -> None:
    reply = peer.ask(line)
    assert reply.startswith("5")
    assert reply.isprintable()
    assert reply.isascii()
    assert peer.ask("NOOP").startswith("250")
