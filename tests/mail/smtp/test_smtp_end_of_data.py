"""Where a mail ends, and that a peer cannot make us and another server disagree about it (SMTP smuggling)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mail.smtp import Listeners
from mail.smtp.wire import BARE_LINE_END, WireReader, unstuffed

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Memory, Peer


SMUGGLED = b"MAIL FROM:<evil@globex.example>\r\nRCPT TO:<agent@acme.example>\r\nDATA\r\nsmuggled"
REAL_END = b"\r\n.\r\n"

FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\n\r.\n\r",
]


@pytest.mark.parametrize("false_end", FALSE_ENDS, ids=repr)
def test_a_false_end_of_data_ends_nothing_and_has_the_mail_refused(
    peer: Peer, memory: Memory, false_end: bytes
) -> None:
    peer.begin().send(b"Subject: x\r\n\r\ny" + false_end + SMUGGLED + REAL_END)
    assert peer.hear() == BARE_LINE_END
    assert peer.ask("NOOP").startswith("250")
    assert memory.batches == []


LOOKALIKES = [b"\r\n.\x00\r\n", b"\r\n. \r\n", b"\r\n..\r\n", b"\r\n\x00.\r\n", b"\r\n.\xa0\r\n", b"\r\n.\x0b\r\n"]


@pytest.mark.parametrize("lookalike", LOOKALIKES, ids=repr)
def test_a_line_that_only_looks_like_the_end_is_content(peer: Peer, memory: Memory, lookalike: bytes) -> None:
    peer.begin().send(b"x" + lookalike + SMUGGLED + REAL_END)
    assert peer.hear().startswith("250")
    assert [arrival.raw.count(SMUGGLED) for arrival in memory.stored] == [1]
    assert memory.asked == ["agent@acme.example"]


@pytest.mark.parametrize(
    "raw", [b"x\ry\r\n", b"x\ny\r\n", b"\nx\r\n", b"\rx\r\n", b"x\r\r\n", b"x\n\r\n", b"x\n\r"], ids=repr
)
def test_a_bare_line_end_anywhere_is_refused(peer: Peer, memory: Memory, raw: bytes) -> None:
    peer.begin().send(raw + REAL_END)
    assert peer.hear() == BARE_LINE_END
    assert memory.batches == []


CONTENTS = [
    # on the wire between DATA and the final dot, the mail meant by it
    (b"", b""),
    (b"\r\n", b"\r\n"),
    (b"x\r\n", b"x\r\n"),
    (b"..\r\n", b".\r\n"),
    (b"...\r\n", b"..\r\n"),
    (b".x\r\n", b"x\r\n"),
    (b"a\r\n..\r\n..\r\n.b\r\nc..\r\n", b"a\r\n.\r\n.\r\nb\r\nc..\r\n"),
    (b"\x00\xff\x80 \x1b[31m\r\n", b"\x00\xff\x80 \x1b[31m\r\n"),
    (b"\r\n\r\n..\r\n\r\n", b"\r\n\r\n.\r\n\r\n"),
]


@pytest.mark.parametrize(("wire", "mail"), CONTENTS, ids=repr)
def test_the_dots_that_were_put_in_are_taken_out(peer: Peer, memory: Memory, wire: bytes, mail: bytes) -> None:
    assert peer.begin().send(wire + b".\r\n").hear().startswith("250")
    assert memory.stored[0].raw == mail


def test_a_mail_that_comes_octet_by_octet_is_the_same_mail(peer: Peer, memory: Memory) -> None:
    peer.begin()
    for octet in b"a\r\n..\r\n\r\n.\r\nNOOP\r\n":
        peer.send(bytes([octet]))
    assert peer.codes(2) == ["250", "250"]
    assert memory.stored[0].raw == b"a\r\n.\r\n\r\n"


async def read_in_pieces(pieces: list[bytes], limit: int) -> tuple[bytes, bytes]:
    """Return the mail in `pieces`, and what comes after it."""
    reader = WireReader(limit=limit)
    task = asyncio.create_task(reader.read_mail(lambda _: True))
    for piece in pieces:
        reader.feed_data(piece)
        await asyncio.sleep(0)
    return unstuffed(await task), await reader.read(100)


@pytest.mark.parametrize("limit", [1, 4, 7, 65536])
@pytest.mark.parametrize(("wire", "mail"), [*CONTENTS, (b"x" * 30 + b"\r\n", b"x" * 30 + b"\r\n")], ids=repr)
def test_reads_may_be_cut_anywhere(wire: bytes, mail: bytes, limit: int) -> None:
    octets = wire + b".\r\nNOOP\r\n"
    cuts = [[octets[:cut], octets[cut:]] for cut in range(1, len(octets))]
    cuts.append([octets[at : at + 1] for at in range(len(octets))])
    for pieces in cuts:
        assert asyncio.run(read_in_pieces(pieces, limit)) == (mail, b"NOOP\r\n")


def test_a_mail_of_many_lines_takes_few_reads(
    peer: Peer,
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[str] = []
    for name in ("read", "readuntil"):
        original = getattr(asyncio.StreamReader, name)

        def counted(self: asyncio.StreamReader, *args: object, _original: Callable[..., object] = original) -> object:
            waits.append("")
            return _original(self, *args)

        monkeypatch.setattr(asyncio.StreamReader, name, counted)
    lines = 100_000
    peer.begin()
    waits.clear()
    assert peer.send(b"twenty octets a line\r\n" * lines + b".\r\n").hear().startswith("250")
    assert len(memory.stored[0].raw) == 22 * lines
    assert len(waits) < lines / 1000


LIMIT = 1000
SIZES = [
    (b"x" * (LIMIT - 2) + b"\r\n", "250"),
    (b"x" * (LIMIT - 1) + b"\r\n", "552"),
    (b"..\r\n" * (LIMIT // 3), "250"),
    (b"..\r\n" * (LIMIT // 3 + 1), "552"),
    (b"x\r\n" * LIMIT, "552"),
    (b"x" * 3_000_000 + b"\r\n", "552"),
]


@pytest.mark.parametrize(("wire", "code"), SIZES, ids=lambda value: value if isinstance(value, str) else len(value))
def test_a_mail_over_the_limit_is_refused_after_its_end(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    wire: bytes,
    code: str,
) -> None:
    front = listen(max_message_size=LIMIT)
    peer = connect(front.smtp[0]).greet().begin()
    assert peer.send(wire + b".\r\n").hear()[:3] == code
    assert peer.ask("NOOP").startswith("250")
    assert len(memory.stored) == (code == "250")
    assert front.reception.budget.held == 0


@pytest.mark.parametrize(("size", "reply"), [(LIMIT, "250 2.1.0"), (LIMIT + 1, "552 5.3.4")])
def test_a_mail_announced_too_large_is_refused_at_once(
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    size: int,
    reply: str,
) -> None:
    peer = connect(listen(max_message_size=LIMIT).smtp[0]).greet()
    assert peer.ask(f"MAIL FROM:<a@globex.example> SIZE={size}").startswith(reply)
