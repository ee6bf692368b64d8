"""Waits for mail longer than the server does."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agentpost._async.connection import AsyncConnection
from agentpost._calls import Call
from agentpost._inputs import as_query
from agentpost._model import read_as
from agentpost.models import Arrival

LONGEST = 120  # seconds that the server waits in one call
MARGIN = 30.0  # seconds that the answer may take beside the wait


async def arrival(connection: AsyncConnection, path: str, wanted: Mapping[str, Any], timeout: float) -> Arrival:
    """Return the first mail that is wanted, or that none has come in ``timeout`` seconds.

    Where a wait begins is asked first, so that a call that is made again begins where the one before it did.
    """
    query, deadline = as_query(wanted), time.monotonic() + timeout
    if not query.keys() & {"since", "after"}:
        query = as_query({**wanted, "since": await _now(connection, path)})
    while True:
        found = await _looked(connection, path, query, deadline - time.monotonic())
        if found.message is not None or time.monotonic() >= deadline:
            return found


async def _now(connection: AsyncConnection, path: str) -> datetime:
    answer = await connection.answer(Call("GET", path, {"timeout": 0}))
    return read_as(Arrival, answer.content).now


async def _looked(connection: AsyncConnection, path: str, query: Mapping[str, Any], left: float) -> Arrival:
    seconds = math.ceil(max(0, min(LONGEST, left)))
    call = Call("GET", path, {**query, "timeout": seconds}, read_timeout=seconds + MARGIN)
    return read_as(Arrival, (await connection.answer(call)).content)
