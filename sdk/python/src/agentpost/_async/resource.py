"""What every namespace of a client is built on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Optional, TypeVar

from pydantic import BaseModel

from agentpost._async.connection import AsyncConnection
from agentpost._calls import IDEMPOTENCY_KEY, Call, header
from agentpost._inputs import as_body, as_query
from agentpost._model import Answer, read_as
from agentpost.pages import AsyncPage, listing

Item = TypeVar("Item", bound=BaseModel)


class AsyncResource:
    """A part of the API."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _get(self, path: str, answer: type[Answer], query: Optional[Mapping[str, Any]] = None) -> Answer:
        return await self._made(Call("GET", path, as_query(query or {})), answer)

    async def _post(
        self, path: str, answer: type[Answer], body: Optional[Mapping[str, Any]] = None, *, is_harmless: bool = False
    ) -> Answer:
        return await self._made(Call("POST", path, body=as_body(body or {}), is_harmless=is_harmless), answer)

    async def _patch(self, path: str, answer: type[Answer], body: Mapping[str, Any]) -> Answer:
        return await self._made(Call("PATCH", path, body=as_body(body)), answer)

    async def _delete(self, path: str, query: Optional[Mapping[str, Any]] = None) -> None:
        await self._connection.answer(Call("DELETE", path, as_query(query or {})))

    def _list(self, path: str, item: type[Item], query: Mapping[str, Any]) -> AsyncPage[Item]:
        return AsyncPage(self._connection, listing(path, query), item)

    async def _send(self, path: str, answer: type[Answer], body: Mapping[str, Any], key: Optional[str]) -> Answer:
        """Make a call that sends, under one key however often it is made."""
        headers = header(IDEMPOTENCY_KEY, key or uuid.uuid4().hex)
        return await self._made(Call("POST", path, body=as_body(body), headers=headers), answer)

    async def _plan(self, path: str, answer: type[Answer], body: Mapping[str, Any]) -> Answer:
        """Ask what a call that sends would do."""
        call = Call("POST", path, {"dry_run": "true"}, body=as_body(body), is_harmless=True)
        return await self._made(call, answer)

    async def _made(self, call: Call, answer: type[Answer]) -> Answer:
        return read_as(answer, (await self._connection.answer(call)).content)
