"""The door to DNS: what is remembered and for how long, and what a silent server may cost."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from mail.authentication import Resolver, Unanswered
from mail.authentication.cache import Cache, Kept
from mail.authentication.patience import Patience

if TYPE_CHECKING:
    from tests.names import Names, NameServer

QUESTION = ("a.test", "TXT")


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def soon() -> float:
    return time.monotonic() + 5


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(names: Names, _server: NameServer, clock: Clock) -> Resolver:
    return Resolver([_server.address], timeout=0.3, clock=clock)


def test_every_kind_of_record_is_read(resolver: Resolver, names: Names) -> None:
    names.put("a.test", "TXT", b"x" * 600, b"\xff")
    names.put("a.test", "A", "192.0.2.1")
    names.put("a.test", "AAAA", "2001:db8::1")
    names.put("a.test", "MX", (10, "MX.a.test"))
    names.put("1.2.0.192.in-addr.arpa", "PTR", "host.a.test")
    asked = {kind: resolver.lookup("a.test", kind, soon()) for kind in ("A", "AAAA", "MX")}
    assert asked == {"A": ("192.0.2.1",), "AAAA": ("2001:db8::1",), "MX": ((10, "mx.a.test"),)}
    assert set(resolver.lookup("A.test.", "TXT", soon())) == {b"x" * 600, b"\xff"}
    assert resolver.lookup("1.2.0.192.in-addr.arpa", "PTR", soon()) == ("host.a.test",)


def test_an_answer_too_large_for_udp_comes_over_tcp(resolver: Resolver, names: Names) -> None:
    names.put("a.test", "TXT", *(bytes([65 + number]) * 250 for number in range(20)))
    assert len(resolver.lookup("a.test", "TXT", soon())) == 20


def test_an_enormous_answer_is_no_answer(resolver: Resolver, names: Names) -> None:
    names.put("a.test", "TXT", *(b"%d" % number + b"x" * 200 for number in range(250)))
    with pytest.raises(Unanswered, match="too large"):
        resolver.lookup("a.test", "TXT", soon())


@pytest.mark.parametrize(("ttl", "lives", "dies"), [(5, 29, 31), (120, 119, 121), (999_999, 3599, 3601)])
def test_an_answer_lives_as_long_as_it_says_within_bounds(
    timed: Resolver, names: Names, clock: Clock, ttl: int, lives: int, dies: int
) -> None:
    names.ttl = ttl
    names.put("a.test", "TXT", b"x")
    timed.lookup("a.test", "TXT", soon())
    for moved, count in ((lives, 1), (dies, 2)):
        clock.now = 1000.0 + moved
        timed.lookup("a.test", "TXT", soon())
        assert names.asked.count(QUESTION) == count


@pytest.mark.parametrize("failing", [False, True])
def test_absence_and_failure_are_remembered_too(timed: Resolver, names: Names, failing: bool) -> None:
    if failing:
        names.failing.add("a.test")
    for _ in range(3):
        try:
            assert timed.lookup("a.test", "TXT", soon()) == ()
        except Unanswered:
            assert failing
    assert names.asked.count(QUESTION) == 1


@pytest.mark.parametrize("name", ["", "a..test", "x" * 64 + ".test", "ä.test", "a." * 200, "a b.test", "\\.test"])
def test_a_name_that_cannot_be_one_has_no_records(resolver: Resolver, name: str) -> None:
    assert resolver.lookup(name, "TXT", soon()) == ()


def test_a_silent_server_is_asked_once_and_then_left_alone(timed: Resolver, names: Names) -> None:
    names.silent.add("a.test")
    for _ in range(3):
        with pytest.raises(Unanswered, match="in time"):
            timed.lookup("a.test", "TXT", soon())
    assert names.asked.count(QUESTION) <= 2


def test_a_question_after_the_deadline_is_not_asked_and_not_remembered(timed: Resolver, names: Names) -> None:
    names.put("a.test", "TXT", b"x")
    with pytest.raises(Unanswered, match="time for this mail"):
        timed.lookup("a.test", "TXT", time.monotonic() - 1)
    assert timed.lookup("a.test", "TXT", soon()) == (b"x",)


def test_a_domain_that_hangs_costs_little_under_ever_new_names(timed: Resolver, names: Names) -> None:
    names.silent.add("slow.test")
    costs = []
    for number in range(12):
        started = time.perf_counter()
        with pytest.raises(Unanswered):
            timed.lookup(f"x{number}.slow.test", "TXT", soon())
        costs.append(time.perf_counter() - started)
    assert sorted(costs[4:])[4] < min(costs[:3])


def test_the_wait_is_shortened_by_domain_and_an_answer_or_a_minute_restores_it() -> None:
    patience = Patience()
    for number in range(3):
        patience.timed_out(f"{number}.slow.test", 0.0)
    assert patience.allowance("new.slow.test", 3.0, 1.0) == pytest.approx(0.3)
    assert patience.allowance("other.test", 3.0, 1.0) == 3.0
    assert patience.allowance("new.slow.test", 3.0, 100.0) == 3.0
    patience.answered("fine.slow.test")
    assert patience.allowance("new.slow.test", 3.0, 1.0) == 3.0


def test_a_server_that_answers_nobody_costs_little_after_ten() -> None:
    patience = Patience()
    for number in range(10):
        patience.timed_out(f"d{number}.test", 0.0)
    assert patience.allowance("anybody.test", 3.0, 1.0) == pytest.approx(0.3)


def test_memory_is_bounded_in_bytes_and_the_least_used_leaves_first() -> None:
    cache = Cache(20_000)
    cache.put(("kept", "TXT"), Kept((b"x",)), 99.0)
    for number in range(100):
        cache.get(("kept", "TXT"), 1.0)
        cache.put((f"{number}", "TXT"), Kept((b"x" * 1000,)), 99.0)
    assert len(cache) < 20
    assert cache.get(("kept", "TXT"), 1.0) == Kept((b"x",))
    assert cache.get(("0", "TXT"), 1.0) is None


def test_many_threads_share_one_resolver(resolver: Resolver, names: Names) -> None:
    for number in range(5):
        names.put(f"d{number}.test", "TXT", b"%d" % number)
    wrong: list[object] = []

    def ask(start: int) -> None:
        for step in range(30):
            number = (start + step) % 5
            found = resolver.lookup(f"d{number}.test", "TXT", soon())
            if found != (b"%d" % number,):
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("server", ["127.0.0.1", "127.0.0.1:53", "::1", "[::1]", "[::1]:5353"])
def test_a_server_is_an_address_with_or_without_a_port(server: str) -> None:
    Resolver([server])


@pytest.mark.parametrize("server", ["dns.example.org", "127.0.0.1:port", "", "1.2.3.4:999999"])
def test_anything_else_is_refused_at_start(server: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Resolver([server])
