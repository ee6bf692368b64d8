"""Events as they happen, over server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Optional, Union

import anyio
import httpx2
from typing_extensions import Self

from agentpost._async.connection import AsyncConnection, problem_of
from agentpost._async.resource import AsyncResource
from agentpost._calls import Call, Outcome, back_off, header, pause_before_retry
from agentpost._inputs import as_query
from agentpost._model import read_as
from agentpost._retry_after import seconds_until
from agentpost._sse import Block, Blocks
from agentpost.models import Event
from agentpost.pages import AsyncPage

SILENCE = 45.0  # seconds; the server says something every 15


class AsyncRealtime(AsyncResource):
    """``client.realtime``."""

    def stream(
        self,
        *,
        events: Union[str, Sequence[str], None] = None,
        inbox_id: Optional[str] = None,
        after: Optional[str] = None,
        environment_id: Optional[str] = None,
    ) -> AsyncEventStream:
        """Follow the log: from behind the event with the id ``after``, or from when the stream opens.

        ``events`` are types, or families such as ``message.*``. The stream opens with its ``with`` block, else with the
        first event that is asked for. It goes on for ever; a connection that is lost is made anew, where it stopped.
        """
        wanted = events if isinstance(events, str) or events is None else ",".join(events)
        query = {"event_types": wanted, "inbox_id": inbox_id, "environment_id": environment_id}
        return AsyncEventStream(self._connection, as_query(query), after)


class AsyncEventStream:
    """Events as they happen, each once and in the order of the log. ``cursor`` is where to go on after a restart.

    Raises APIError for what trying again does not mend, as for a key that is revoked; this or APIConnectionError when
    the first connection fails as often as a call may.
    """

    def __init__(self, connection: AsyncConnection, query: dict[str, Any], after: Optional[str]) -> None:
        self._connection, self._query, self.cursor = connection, query, after
        self._response: Optional[httpx2.Response] = None
        self._blocks: Optional[AsyncGenerator[Block, None]] = None
        self._was_open = False
        self._missed: Optional[Event] = None

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream; iterating over it once more opens it where it stopped."""
        blocks, self._blocks = self._blocks, None
        response, self._response = self._response, None
        if blocks is not None:
            await blocks.aclose()
        if response is not None:
            await response.aclose()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        try:
            while True:
                await self._connect()
                missed, self._missed = self._missed, None
                if missed is not None:
                    yield missed
                async for event in self._events():
                    yield event
        finally:
            await self.aclose()

    async def _events(self) -> AsyncGenerator[Event, None]:
        """Yield the events of the connection until it ends."""
        assert self._blocks is not None  # noqa: S101 - _connect has seen to it
        try:
            async for block in self._blocks:
                if block.event == "end":
                    break
                self.cursor = block.id or self.cursor
                if block.data is not None:
                    yield read_as(Event, block.data.encode())
        except httpx2.TransportError:
            pass  # connect again
        await self.aclose()

    async def _connect(self) -> None:
        """Open the stream unless it is open. Raises AgentPostError for what another try does not mend."""
        retries = 0
        while self._blocks is None:
            if self._was_open:
                await anyio.sleep(back_off(retries + 1))
            outcome = await self._opened()
            if outcome is not None:
                await self._pause(outcome, retries)
                retries += 1

    async def _pause(self, outcome: Outcome, retries: int) -> None:
        asked = seconds_until(outcome.headers.get("retry-after")) if isinstance(outcome, httpx2.Response) else None
        pause = pause_before_retry(self._call(), outcome, retries, asked)
        problem = problem_of(outcome)
        if problem and (pause is None or (not self._was_open and retries >= self._connection.settings.max_retries)):
            raise problem
        await anyio.sleep(pause or 0)

    async def _opened(self) -> Optional[Outcome]:
        """Try to open the stream. Return what went wrong, if anything did."""
        await self._connection.prove()
        try:
            response = await self._connection.http.send(self._connection.request_of(self._call()), stream=True)
            if not response.is_success:
                await response.aread()
                return response
            await self._begin(response)
        except httpx2.TransportError as problem:
            await self.aclose()
            return problem
        return None

    async def _begin(self, response: httpx2.Response) -> None:
        """Read where the stream begins.

        A log that was empty the first time has told of no place to go on from. Its first event is looked up then, and
        the stream opened anew behind that.
        """
        self._response, self._blocks = response, blocks_of(response)
        try:
            opening = await self._blocks.__anext__()
        except StopAsyncIteration as problem:
            raise httpx2.RemoteProtocolError("The stream ended before it began.") from problem
        is_behind = self.cursor is None and self._was_open and opening.id is not None
        self._missed = await self._first_event() if is_behind else self._missed
        self._was_open = True
        if is_behind and self._missed:
            self.cursor = self._missed.id
            await self.aclose()
        self.cursor = self.cursor or opening.id

    async def _first_event(self) -> Optional[Event]:
        names = {"event_types": "types"}
        query = {names.get(name, name): value for name, value in self._query.items()}
        page = await AsyncPage(self._connection, Call("GET", "/events", {**query, "limit": 1}), Event)
        return page.data[0] if page.data else None

    def _call(self) -> Call:
        headers = {"Accept": "text/event-stream", **(header("Last-Event-ID", self.cursor) if self.cursor else {})}
        return Call("GET", "/events/stream", self._query, headers=headers, read_timeout=SILENCE)


async def blocks_of(response: httpx2.Response) -> AsyncGenerator[Block, None]:
    """Yield the blocks of a stream. Raises TransportError when the connection is lost."""
    blocks = Blocks()
    async for received in response.aiter_bytes():
        for block in blocks.of(received):
            yield block
