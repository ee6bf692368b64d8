"""The Python client of AgentPost: e-mail for AI agents, on a server of your own."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentpost._version import __version__

if TYPE_CHECKING:
    from agentpost import models, webhooks
    from agentpost._async.client import AsyncAgentPost
    from agentpost._async.realtime import AsyncEventStream
    from agentpost._sync.client import AgentPost
    from agentpost._sync.realtime import EventStream
    from agentpost.errors import (
        AgentPostError,
        APIConnectionError,
        APIError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        EnvironmentMismatchError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        ServerError,
        TooLargeError,
        ToolError,
        UnexpectedAnswerError,
        UnprocessableError,
        WebhookVerificationError,
    )
    from agentpost.pages import AsyncPage, Page

_HOMES = {  # loaded when they are asked for: the command line shows its help without them
    "AgentPost": "agentpost._sync.client",
    "AsyncAgentPost": "agentpost._async.client",
    "AsyncEventStream": "agentpost._async.realtime",
    "AsyncPage": "agentpost.pages",
    "EventStream": "agentpost._sync.realtime",
    "Page": "agentpost.pages",
}

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AgentPost",
    "AgentPostError",
    "AsyncAgentPost",
    "AsyncEventStream",
    "AsyncPage",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "EnvironmentMismatchError",
    "EventStream",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "TooLargeError",
    "ToolError",
    "UnexpectedAnswerError",
    "UnprocessableError",
    "WebhookVerificationError",
    "__version__",
    "models",
    "webhooks",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("models", "webhooks"):
        return import_module(f"agentpost.{name}")
    globals()[name] = found = getattr(import_module(_HOMES.get(name, "agentpost.errors")), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
