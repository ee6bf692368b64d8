"""The words of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html) that the front speaks, and its own."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from environments.asking import Ask
from webhooks.realtime.wakes import Wakes

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Opening = Callable[[Ask, Wakes], AbstractAsyncContextManager[App]]
