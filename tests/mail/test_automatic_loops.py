"""The loop guard: hops, and traces of our own that nobody else can read or make."""

from __future__ import annotations

import pytest

from mail.automatic import TRACE_HEADER, carried, loop_of, trace_value
from mail.automatic.loops import passages
from mail.parsing import ParsedMail, parse

SECRET = b"s" * 32
INBOX = "inb_1"


def mail_with(*lines: str) -> ParsedMail:
    return parse("\n".join((*lines, "From: ann@acme.example", "", "Hello.")).encode())


def traced(times: int, inbox: str = INBOX, secret: bytes = SECRET) -> ParsedMail:
    return mail_with(*(f"{TRACE_HEADER}: {trace_value(secret, inbox)}" for _ in range(times)))


@pytest.mark.parametrize(("times", "is_loop"), [(0, False), (1, False), (3, False), (4, True), (20, True)])
def test_a_mail_may_come_back_to_the_inbox_it_left_three_times(times: int, *, is_loop: bool) -> None:
    assert (loop_of(traced(times), [SECRET], ["inb_2", INBOX]) is not None) is is_loop


def test_traces_of_other_inboxes_do_not_count() -> None:
    assert loop_of(traced(9, inbox="inb_2"), [SECRET], [INBOX]) is None


def test_a_stranger_can_not_make_a_trace() -> None:
    assert loop_of(traced(9, secret=b"guessed"), [SECRET], [INBOX]) is None


def test_one_trace_repeated_counts_once() -> None:
    line = f"{TRACE_HEADER}: {trace_value(SECRET, INBOX)}"
    assert passages(mail_with(*[line] * 9), [SECRET], INBOX) == 1


def test_a_trace_tells_nothing_and_is_never_the_same() -> None:
    one, other = trace_value(SECRET, INBOX), trace_value(SECRET, INBOX)
    assert one[:16] != other[:16]
    assert one[16:] != other[16:]
    assert len(one) == len(trace_value(SECRET, "inb_" + "x" * 90))


@pytest.mark.parametrize("value", ["", "x", "é" * 38, "!" * 38, "a" * 39])
def test_what_is_no_trace_is_not_carried_on(value: str) -> None:
    assert carried(mail_with(f"{TRACE_HEADER}: {value}")) == ()


def test_a_trace_survives_the_way_through_a_mail() -> None:
    value = trace_value(SECRET, INBOX)
    assert carried(mail_with(f"{TRACE_HEADER.upper()}:  {value} ")) == (value,)


@pytest.mark.parametrize(("hops", "is_loop"), [(100, False), (101, True)])
def test_more_than_a_hundred_hops_are_a_loop(hops: int, *, is_loop: bool) -> None:
    mail = mail_with(*["Received: from a.example by b.example; Sat, 7 Mar 2026 11:00:00 +0000"] * hops)
    assert (loop_of(mail, [SECRET], []) is not None) is is_loop
