"""Events as they happen, over server-sent events."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any, Optional, Union

import httpx2
from typing_extensions import Self

from agentpost._calls import Call, Outcome, back_off, header, pause_before_retry
from agentpost._inputs import as_query
from agentpost._model import read_as
from agentpost._retry_after import seconds_until
from agentpost._sse import Block, Blocks
from agentpost._sync.connection import Connection, problem_of
from agentpost._sync.resource import Resource
from agentpost.models import Event
from agentpost.pages import Page

SILENCE = 45.0  # seconds; the server says something every 15


class Realtime(Resource):
    """``client.realtime``."""

    def stream(
        self,
        *,
        events: Union[str, Sequence[str], None] = None,
        inbox_id: Optional[str] = None,
        after: Optional[str] = None,
        environment_id: Optional[str] = None,
    ) -> EventStream:
        """Follow the log: from behind the event with the id ``after``, or from when the stream opens.

        ``events`` are types, or families such as ``message.*``. The stream opens with its ``with`` block, else with the
        first event that is asked for. It goes on for ever; a connection that is lost is made anew, where it stopped.
        """
        wanted = events if isinstance(events, str) or events is None else ",".join(events)
        query = {"event_types": wanted, "inbox_id": inbox_id, "environment_id": environment_id}
        return EventStream(self._connection, as_query(query), after)


class EventStream:
    """Events as they happen, each once and in the order of the log. ``cursor`` is where to go on after a restart.

    Raises APIError for what trying again does not mend, as for a key that is revoked; this or APIConnectionError when
    the first connection fails as often as a call may.
    """

    def __init__(self, connection: Connection, query: dict[str, Any], after: Optional[str]) -> None:
        self._connection, self._query, self.cursor = connection, query, after
        self._response: Optional[httpx2.Response] = None
        self._blocks: Optional[Generator[Block, None]] = None
        self._was_open = False
        self._missed: Optional[Event] = None

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream; iterating over it once more opens it where it stopped."""
        blocks, self._blocks = self._blocks, None
        response, self._response = self._response, None
        if blocks is not None:
            blocks.close()
        if response is not None:
            response.close()

    def __iter__(self) -> Generator[Event, None]:
        try:
            while True:
                self._connect()
                missed, self._missed = self._missed, None
                if missed is not None:
                    yield missed
                for event in self._events():
                    yield event
        finally:
            self.close()

    def _events(self) -> Generator[Event, None]:
        """Yield the events of the connection until it ends."""
        assert self._blocks is not None  # noqa: S101 - _connect has seen to it
        try:
            for block in self._blocks:
                if block.event == "end":
                    break
                self.cursor = block.id or self.cursor
                if block.data is not None:
                    yield read_as(Event, block.data.encode())
        except httpx2.TransportError:
            pass  # connect again
        self.close()

    def _connect(self) -> None:
        """Open the stream unless it is open. Raises AgentPostError for what another try does not mend."""
        retries = 0
        while self._blocks is None:
            if self._was_open:
                time.sleep(back_off(retries + 1))
            outcome = self._opened()
            if outcome is not None:
                self._pause(outcome, retries)
                retries += 1

    def _pause(self, outcome: Outcome, retries: int) -> None:
        asked = seconds_until(outcome.headers.get("retry-after")) if isinstance(outcome, httpx2.Response) else None
        pause = pause_before_retry(self._call(), outcome, retries, asked)
        problem = problem_of(outcome)
        if problem and (pause is None or (not self._was_open and retries >= self._connection.settings.max_retries)):
            raise problem
        time.sleep(pause or 0)

    def _opened(self) -> Optional[Outcome]:
        """Try to open the stream. Return what went wrong, if anything did."""
        self._connection.prove()
        try:
            response = self._connection.http.send(self._connection.request_of(self._call()), stream=True)
            if not response.is_success:
                response.read()
                return response
            self._begin(response)
        except httpx2.TransportError as problem:
            self.close()
            return problem
        return None

    def _begin(self, response: httpx2.Response) -> None:
        """Read where the stream begins.

        A log that was empty the first time has told of no place to go on from. Its first event is looked up then, and
        the stream opened anew behind that.
        """
        self._response, self._blocks = response, blocks_of(response)
        try:
            opening = self._blocks.__next__()
        except StopIteration as problem:
            raise httpx2.RemoteProtocolError("The stream ended before it began.") from problem
        is_behind = self.cursor is None and self._was_open and opening.id is not None
        self._missed = self._first_event() if is_behind else self._missed
        self._was_open = True
        if is_behind and self._missed:
            self.cursor = self._missed.id
            self.close()
        self.cursor = self.cursor or opening.id

    def _first_event(self) -> Optional[Event]:
        names = {"event_types": "types"}
        query = {names.get(name, name): value for name, value in self._query.items()}
        page = Page(self._connection, Call("GET", "/events", {**query, "limit": 1}), Event)
        return page.data[0] if page.data else None

    def _call(self) -> Call:
        headers = {"Accept": "text/event-stream", **(header("Last-Event-ID", self.cursor) if self.cursor else {})}
        return Call("GET", "/events/stream", self._query, headers=headers, read_timeout=SILENCE)


def blocks_of(response: httpx2.Response) -> Generator[Block, None]:
    """Yield the blocks of a stream. Raises TransportError when the connection is lost."""
    blocks = Blocks()
    for received in response.iter_bytes():
        for block in blocks.of(received):
            yield block
