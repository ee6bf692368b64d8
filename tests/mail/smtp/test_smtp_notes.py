"""What comes to nothing is noted for the intake ledger, with its reason, and noting never holds up mail."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from mail.smtp import Attempt, Limits, Listeners
from mail.smtp.notebook import Notebook

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Loop, Memory, Peer

Eventually = Callable[[Callable[[], object]], None]
FROM = "MAIL FROM:<someone@globex.example>"
TO = "RCPT TO:<agent@acme.example>"
MAIL = b"Subject: x\r\n\r\nhello\r\n.\r\n"

CONVERSATIONS = [  # what the peer says after its greeting, and what is noted: stage, reason, address, code
    ([FROM, "RCPT TO:<nobody@acme.example>"], [("rcpt", "unknown_recipient", "nobody@acme.example", "550")]),
    ([FROM, "RCPT TO:<paused@acme.example>"], [("rcpt", "inbound_paused", "paused@acme.example", "450")]),
    ([FROM, "RCPT TO:<database-down@acme.example>"], [("rcpt", "our_trouble", "database-down@acme.example", "451")]),
    ([FROM, "RCPT TO:<a@acme.example> NOTIFY=NEVER"], [("rcpt", "malformed_recipient", "a@acme.example", "555")]),
    ([FROM, "RCPT TO:nonsense"], [("rcpt", "malformed_recipient", "TO:nonsense", "501")]),
    ([FROM, TO, "RSET"], [("rcpt", "not_sent", "agent@acme.example", "")]),
    ([FROM, TO, "QUIT"], [("rcpt", "not_sent", "agent@acme.example", "")]),
    ([f"{FROM} SIZE=5000", "QUIT"], [("mail", "too_large", "", "552")]),
    ([f"{FROM} SIZE=5000", TO, "DATA"], [("mail", "too_large", "agent@acme.example", "552")]),
    ([f"{FROM} SIZE=5000", FROM, "QUIT"], [("mail", "too_large", "", "552")]),
    ([TO], []),
    ([FROM, "RSET"], []),
    ([FROM, TO, "DATA", MAIL], []),
]  # fmt: skip


@pytest.mark.parametrize(("said", "noted"), CONVERSATIONS)
def test_who_goes_without_the_mail_is_noted(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    loop: Loop,
    said: list[Any],
    noted: list[tuple[str, ...]],
) -> None:
    front = listen(max_message_size=1000)
    peer = connect(front.smtp[0]).greet()
    for line in said:
        peer.ask(line.removesuffix(b"\r\n") if isinstance(line, bytes) else line)
    loop.run(front.stop())
    assert memory.noted == noted


CONTENTS = [  # a mail, and what is noted of each of its recipients
    (b"x" * 2000 + b"\r\n", ("data", "too_large", "552")),
    (b"a\nb\r\n", ("data", "bare_line_end", "554")),
    (b"unstorable\r\n", ("store", "our_trouble", "451")),
    (b"poison\r\n", ("store", "our_trouble", "451")),
]


@pytest.mark.parametrize(("content", "noted"), CONTENTS)
@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_a_mail_that_is_not_taken_is_noted_for_each_recipient(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    loop: Loop,
    content: bytes,
    noted: tuple[str, str, str],
    protocol: str,
) -> None:
    front = listen(max_message_size=1000, lmtp_port=0)
    peer = connect(getattr(front, protocol)[0]).greet("LHLO client.example" if protocol == "lmtp" else "EHLO a.example")
    peer.begin("one@acme.example", "two@acme.example").send(content + b".\r\n").hear()
    loop.run(front.stop())
    stage, reason, code = noted
    assert memory.noted == [(stage, reason, f"{name}@acme.example", code) for name in ("one", "two")]
    assert len({attempt.transaction for batch in memory.notes for attempt in batch}) == 1


def test_a_refusal_by_the_store_is_the_stores_to_record(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, loop: Loop
) -> None:
    front = listen()
    peer = connect(front.smtp[0]).greet().begin("full@acme.example").send(MAIL)
    assert peer.hear().startswith("452")
    loop.run(front.stop())
    assert memory.noted == []


def test_a_note_tells_who_spoke(peer: Peer, memory: Memory, eventually: Eventually) -> None:
    peer.ask(FROM)
    peer.ask("RCPT TO:<nobody@acme.example>")
    eventually(lambda: memory.noted)
    [[attempt]] = memory.notes
    assert (attempt.peer, attempt.helo, attempt.tls) == ("127.0.0.1", "client.example", False)
    assert (attempt.envelope_sender, attempt.is_final) == ("someone@globex.example", True)


def test_a_connection_that_breaks_off_in_the_mail_is_noted(peer: Peer, memory: Memory, eventually: Eventually) -> None:
    peer.begin("agent@acme.example").send(b"Subject: x\r\n")
    peer.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: memory.noted)
    assert memory.noted == [("data", "connection_lost", "agent@acme.example", "")]


@pytest.mark.parametrize(("limits", "is_in_data"), [({"data_timeout": 0.2}, True), ({"idle_timeout": 0.2}, False)])
def test_a_peer_that_falls_silent_is_noted(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Eventually,
    limits: dict[str, float],
    is_in_data: bool,
) -> None:
    peer = connect(listen(**limits).smtp[0]).greet()
    if is_in_data:
        peer.begin("agent@acme.example").send(b"Subject: x\r\n")
    else:
        peer.ask(FROM)
        peer.ask(TO)
    assert peer.hear().startswith("421 4.4.2")
    eventually(lambda: memory.noted)
    assert memory.noted == [("data" if is_in_data else "rcpt", "timed_out", "agent@acme.example", "")]


def test_a_stop_in_the_middle_of_a_mail_is_noted(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, loop: Loop
) -> None:
    front = listen(stop_timeout=0.2)
    connect(front.smtp[0]).greet().begin("agent@acme.example").send(b"Subject: x\r\n")
    loop.run(front.stop())
    assert memory.noted == [("data", "server_closing", "agent@acme.example", "")]


def test_a_stop_notes_what_waits(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, loop: Loop
) -> None:
    front = listen(note_interval=60)
    peer = connect(front.smtp[0]).greet()
    peer.ask(FROM)
    peer.ask("RCPT TO:<nobody@acme.example>")
    assert memory.notes == []
    loop.run(front.stop())
    assert [address for _, _, address, _ in memory.noted] == ["nobody@acme.example"]


def test_too_many_recipients_are_put_off_one_by_one(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, eventually: Eventually
) -> None:
    peer = connect(listen(max_recipients=1).smtp[0]).greet()
    peer.ask(FROM)
    peer.ask(TO)
    peer.ask("RCPT TO:<second@acme.example>")
    eventually(lambda: memory.noted)
    assert memory.noted == [("rcpt", "too_many_recipients", "second@acme.example", "452")]


def test_a_thousand_refusals_are_noted_in_a_few_batches(
    listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory, eventually: Eventually
) -> None:
    peer = connect(listen(max_errors=2000, note_interval=0.3).smtp[0]).greet()
    peer.say(FROM, *(f"RCPT TO:<nobody@{number}.acme.example>" for number in range(1000)))
    assert peer.codes(1001) == ["250", *["550"] * 1000]
    eventually(lambda: len(memory.noted) == 1000)
    assert len(memory.notes) <= 20


def attempt() -> Attempt:
    return Attempt(
        transaction=uuid4(),
        at=datetime.now(UTC),
        peer="192.0.2.1",
        helo="client.example",
        tls=False,
        envelope_sender="",
        address="nobody@acme.example",
        recipient=None,
        size=None,
        stage="rcpt",
        reason="unknown_recipient",
        reply="550",
    )


def test_what_cannot_be_noted_is_tried_again(memory: Memory) -> None:
    async def note() -> int:
        memory.troubles_with_notes = 1
        notebook = Notebook(memory.note, Limits(note_interval=0.01, note_timeout=5))
        notebook.add(attempt())
        while memory.troubles_with_notes:  # noqa: ASYNC110 - it is a thread that counts them down
            await asyncio.sleep(0.01)
        await notebook.close()
        return notebook.lost

    assert asyncio.run(note()) == 0
    assert len(memory.noted) == 1


def test_what_does_not_fit_is_counted_and_holds_up_nobody() -> None:
    held, entered = threading.Event(), threading.Event()

    def note(_attempts: object) -> None:
        entered.set()
        held.wait(10)

    async def fill() -> int:
        notebook = Notebook(note, Limits(max_waiting_notes=10, note_interval=0.01))
        notebook.add(attempt())
        await asyncio.to_thread(entered.wait, 10)
        for _ in range(15):
            notebook.add(attempt())
        held.set()
        await notebook.close()
        return notebook.lost

    assert asyncio.run(fill()) == 5


def test_a_ledger_that_hangs_keeps_no_process_from_ending() -> None:
    held = threading.Event()

    async def stop() -> None:
        notebook = Notebook(lambda _: held.wait(10), Limits(note_interval=0.01, note_timeout=0.1))
        notebook.add(attempt())
        await asyncio.sleep(0.05)
        notebook.add(attempt())
        await notebook.close()
        assert notebook.lost == 1

    asyncio.run(stop())
    held.set()
