"""What the variables of the process say, to the client, the command line and ``agentpost-mcp`` alike."""

from __future__ import annotations

import os
from typing import Optional
from urllib.parse import urlsplit

from agentpost.errors import ConfigurationError

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
API = "/api/v1"


def api_key() -> Optional[str]:
    """Return ``AGENTPOST_API_KEY``."""
    return os.environ.get("AGENTPOST_API_KEY", "").strip() or None


def base_url() -> Optional[str]:
    """Return the origin in ``AGENTPOST_BASE_URL``. Raises ConfigurationError for what is no URL."""
    url = os.environ.get("AGENTPOST_BASE_URL", "").strip()
    return origin_of(url) if url else None


def environment() -> Optional[str]:
    """Return ``AGENTPOST_ENVIRONMENT``, an id or a slug."""
    return os.environ.get("AGENTPOST_ENVIRONMENT", "").strip() or None


def origin_of(url: str) -> str:
    """Return a server's URL without the API's path, which may stand in it. Raises ConfigurationError."""
    origin = url.strip().rstrip("/").removesuffix(API).rstrip("/")
    if not _is_url(origin):
        raise ConfigurationError(f"{url!r} is no URL: write it as https://mail.example.com.")
    return origin


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
