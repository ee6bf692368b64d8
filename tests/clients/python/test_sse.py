"""What arrives on a stream, put together into blocks."""

import itertools

import pytest
from agentpost import UnexpectedAnswerError
from agentpost._sse import LONGEST, Blocks

STREAM = 'id: evt_1\ndata: {"a":\ndata: "\u00e9"}\n\n: still here\n\nevent: end\r\n\r\n'.encode()


@pytest.mark.parametrize("size", [1, 3, len(STREAM)])
def test_blocks_are_the_same_however_they_arrive(size: int) -> None:
    blocks = Blocks()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    found = [block for piece in pieces for block in blocks.of(piece)]
    assert [(block.id, block.event, block.data) for block in found] == [
        ("evt_1", "message", '{"a":\n"\u00e9"}'),
        (None, "message", None),
        (None, "end", None),
    ]


def test_what_is_no_utf8_is_replaced_as_the_standard_has_it() -> None:
    [block] = Blocks().of(b"data: \xff\n\n")
    assert block.data == "\ufffd"


@pytest.mark.parametrize("line", [b"x" * 4096, b"data: " + b"x" * 4096 + b"\n"], ids=["a line", "an event"])
def test_what_never_ends_is_given_up(line: bytes) -> None:
    blocks = Blocks()
    received = itertools.chain.from_iterable(blocks.of(line) for _ in range(LONGEST // len(line) + 2))
    with pytest.raises(UnexpectedAnswerError, match="no stream of events"):
        list(received)
