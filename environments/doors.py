"""Where this machine reaches its own server."""

from django.conf import settings

EVERY_INTERFACE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to read, not to bind


def smtp_door() -> tuple[str, int]:
    """Return host and port of the SMTP server."""
    host = settings.AGENTPOST_SMTP_HOST[0]
    return EVERY_INTERFACE.get(host, host), settings.AGENTPOST_SMTP_PORT


def http_door() -> str:
    """Return the URL of the web server, without what may stand in front of it."""
    host = EVERY_INTERFACE.get(settings.AGENTPOST_HTTP_HOST, settings.AGENTPOST_HTTP_HOST)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.AGENTPOST_HTTP_PORT}"
