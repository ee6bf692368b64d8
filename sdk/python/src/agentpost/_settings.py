"""Whom a client calls, as whom, and how long it waits."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import Optional

import httpx2

from agentpost import _variables
from agentpost._calls import Call, header
from agentpost._variables import API, DEFAULT_BASE_URL, origin_of
from agentpost._version import __version__
from agentpost.errors import ConfigurationError, EnvironmentMismatchError

ENVIRONMENT = "AgentPost-Environment"
MCP = "/mcp"


@dataclass(frozen=True)
class Settings:
    """What a client was made with. ``timeout`` is in seconds; ``base_url`` has no path."""

    api_key: str = field(repr=False)
    base_url: str
    environment: Optional[str]
    expect_environment: Optional[str]
    timeout: float
    max_retries: int

    def __post_init__(self) -> None:
        """Raise ConfigurationError for an environment that no header can name."""
        _ = self.headers

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every call that carries the key."""
        chosen = header(ENVIRONMENT, self.environment) if self.environment else {}
        return {"Authorization": f"Bearer {self.api_key}", **chosen}

    def url_of(self, call: Call) -> str:
        """Return where a call goes."""
        if call.is_signed_url:
            return call.path
        return f"{self.base_url}{call.path}" if call.path == MCP else f"{self.base_url}{API}{call.path}"

    def timeouts(self, read: Optional[float] = None) -> httpx2.Timeout:
        """Return the time-outs of a call; ``read`` in seconds takes the place of the client's."""
        return httpx2.Timeout(self.timeout, connect=min(10.0, self.timeout), read=read or self.timeout)


def settings_from(
    *,
    api_key: Optional[str],
    base_url: Optional[str],
    environment: Optional[str],
    expect_environment: Optional[str],
    timeout: float,
    max_retries: int,
) -> Settings:
    """Return the settings of a client; what is not given is taken from ``AGENTPOST_…`` variables.

    ``AGENTPOST_ENVIRONMENT`` goes with ``AGENTPOST_API_KEY`` and is not read for another key. ``timeout`` is in
    seconds. Raises ConfigurationError without a key, with a URL that is none, and for an expected environment that is
    empty; EnvironmentMismatchError for a live key where an environment is expected.
    """
    key = (api_key or _variables.api_key() or "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError("An API key is needed: pass api_key, or set AGENTPOST_API_KEY.")
    if expect_environment is not None and not expect_environment.strip():
        raise ConfigurationError("expect_environment is empty: name the environment by its id or slug.")
    if expect_environment and key.startswith("ap_sk_live_"):
        raise EnvironmentMismatchError(f"{expect_environment!r} is expected, and this is a live key.")
    return Settings(
        api_key=key,
        base_url=origin_of(base_url) if base_url else _variables.base_url() or DEFAULT_BASE_URL,
        environment=environment or expect_environment or (None if api_key else _variables.environment()),
        expect_environment=expect_environment,
        timeout=timeout,
        max_retries=max_retries,
    )


def user_agent() -> str:
    return f"agentpost-python/{__version__} python/{platform.python_version()} httpx2/{httpx2.__version__}"
