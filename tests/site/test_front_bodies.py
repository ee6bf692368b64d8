"""How bodies are held before a thread is taken."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentpost_site.front.bodies import Bodies
from environments.errors import Unauthenticated, Unavailable, UnreadableBody

SCOPE = {"headers": [(b"transfer-encoding", b"chunked")], "http_version": "1.1", "client": ("192.0.2.1", 4711)}
NEIGHBOUR = {**SCOPE, "client": ("192.0.2.2", 4711)}


def saying(*messages: dict[str, Any]) -> Any:
    """Return a receive that says these, one after the other."""

    async def say() -> AsyncIterator[dict[str, Any]]:
        for message in messages:
            yield message

    return say().__anext__


def request(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def read(bodies: Bodies, *messages: dict[str, Any]) -> bytes:
    async def take() -> bytes:
        async with bodies.read(SCOPE, saying(*messages)) as body:
            return body.file.read()

    return asyncio.run(take())


def test_a_body_too_many_is_refused_until_another_is_done() -> None:
    async def two_at_once(bodies: Bodies) -> None:
        async with bodies.read(SCOPE, saying(request(b"x" * 60))):
            with pytest.raises(Unavailable) as refused:
                async with bodies.read(SCOPE, saying(request(b"x" * 60))):
                    pass
            assert refused.value.headers == {"Retry-After": "5"}

    bodies = Bodies(room=100, always=10)
    asyncio.run(two_at_once(bodies))
    assert read(bodies, request(b"x" * 100)) == b"x" * 100


@pytest.mark.parametrize("last", [{"type": "http.disconnect"}, request(b"x" * 99, more=True)])
def test_what_a_body_held_is_free_however_it_ended(last: dict[str, Any]) -> None:
    bodies = Bodies(room=100, always=10)
    with pytest.raises((UnreadableBody, Unavailable)):
        read(bodies, request(b"x" * 50, more=True), last)
    assert not bodies.held


@pytest.mark.parametrize(
    ("scope", "size", "is_taken"),
    [(SCOPE, 60, False), (SCOPE, 10, True), (NEIGHBOUR, 60, True), (NEIGHBOUR, 90, False)],
)
def test_nobody_fills_the_room_of_others_and_small_bodies_always_pass(
    scope: dict[str, Any], size: int, is_taken: bool
) -> None:
    async def beside_a_large_one() -> None:
        bodies = Bodies(room=140, share=100, always=10)
        large, other = saying(request(b"x" * 60)), saying(request(b"x" * size))
        async with bodies.read(SCOPE, large), bodies.read(scope, other) as body:
            assert body.size == size

    if is_taken:
        asyncio.run(beside_a_large_one())
        return
    with pytest.raises(Unavailable):
        asyncio.run(beside_a_large_one())


def test_nothing_large_is_taken_from_who_is_not_admitted() -> None:
    async def refuse() -> str:
        raise Unauthenticated

    async def read_large(bodies: Bodies) -> None:
        receive = saying(request(b"x" * 10, more=True), request(b"x", more=True), {"type": "unexpected"})
        async with bodies.read(SCOPE, receive, admit=refuse):
            pass

    bodies = Bodies(always=10)
    with pytest.raises(Unauthenticated):
        asyncio.run(read_large(bodies))
    assert not bodies.held


def test_what_is_large_is_of_the_share_of_who_was_admitted_and_not_of_the_address() -> None:
    async def admit() -> str:
        return "org_1"

    async def beside_one_that_fills_the_share(bodies: Bodies) -> None:
        async with bodies.read(SCOPE, saying(request(b"x" * 100))):
            small, large = request(b"x" * 8, more=True), request(b"x" * 80)
            async with bodies.read(SCOPE, saying(small, large), admit=admit) as body:
                assert body.size == 88
                assert bodies.held == {SCOPE["client"][0]: 100, "org_1": 88}

    bodies = Bodies(room=200, share=100, always=10)
    asyncio.run(beside_one_that_fills_the_share(bodies))
    assert not bodies.held
