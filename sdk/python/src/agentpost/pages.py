"""Lists, page by page. Here, and nowhere else, the two halves differ in more than ``await``.

A list of the sync half holds its first page at once. One of the async half gets it by ``await``, or by ``async for``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Optional, TypeVar

from agentpost._calls import Call
from agentpost._inputs import as_query
from agentpost.errors import AgentPostError, UnexpectedAnswerError

if TYPE_CHECKING:
    import httpx2

    from agentpost._async.connection import AsyncConnection
    from agentpost._sync.connection import Connection

Item = TypeVar("Item")


class Listed(Generic[Item]):
    """A page of a list: its items in ``data``, whether there are more, and behind what."""

    def __init__(self, call: Call, item: type[Item]) -> None:
        self._call, self._item = call, item
        self._data: Optional[list[Item]] = None
        self.has_more = False
        self.next_cursor: Optional[str] = None

    @property
    def data(self) -> list[Item]:
        """The items of this page."""
        if self._data is None:
            raise AgentPostError("Nothing has been read yet: await the list first.")
        return self._data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._item.__name__}: {self._data!r}, has_more={self.has_more}>"

    def _fill(self, answer: httpx2.Response) -> None:
        try:
            page = answer.json()
            self._data = [self._item.model_validate(item) for item in page["data"]]  # type: ignore[attr-defined]
            self.has_more, self.next_cursor = bool(page["has_more"]), page["next_cursor"]
        except (ValueError, KeyError, TypeError) as problem:
            raise UnexpectedAnswerError(f"This is no page of a list: {problem}") from problem

    def _next_call(self) -> Optional[Call]:
        if not self.has_more or not self.next_cursor:
            return None
        return next_page_of(self._call, self.next_cursor)


def next_page_of(call: Call, cursor: str) -> Call:
    """Return the call for the page behind a cursor."""
    return dataclasses.replace(call, query={**call.query, "cursor": cursor})


class Page(Listed[Item]):
    """A page of a list. Iterating over it goes through all items of the list, page by page as they are needed."""

    def __init__(self, connection: Connection, call: Call, item: type[Item]) -> None:
        super().__init__(call, item)
        self._connection = connection
        self._fill(connection.answer(call))

    def next_page(self) -> Optional[Page[Item]]:
        """Return the next page, or None behind the last one."""
        call = self._next_call()
        return None if call is None else Page(self._connection, call, self._item)

    def __iter__(self) -> Iterator[Item]:
        page: Optional[Page[Item]] = self
        while page is not None:
            yield from page.data
            page = page.next_page()


class AsyncPage(Listed[Item]):
    """A page of a list: ``await`` reads it, ``async for`` goes through all items of the list, page by page."""

    def __init__(self, connection: AsyncConnection, call: Call, item: type[Item]) -> None:
        super().__init__(call, item)
        self._connection = connection

    def __await__(self) -> Generator[Any, Any, AsyncPage[Item]]:
        return self._read().__await__()

    async def _read(self) -> AsyncPage[Item]:
        if self._data is None:
            self._fill(await self._connection.answer(self._call))
        return self

    async def next_page(self) -> Optional[AsyncPage[Item]]:
        """Return the next page, or None behind the last one."""
        await self._read()
        call = self._next_call()
        return None if call is None else await AsyncPage(self._connection, call, self._item)

    async def __aiter__(self) -> AsyncIterator[Item]:
        page: Optional[AsyncPage[Item]] = await self
        while page is not None:
            for item in page.data:
                yield item
            page = await page.next_page()


def listing(path: str, query: Mapping[str, Any]) -> Call:
    """Return the call for the first page of a list."""
    return Call("GET", path, as_query(query))
