"""Where this machine reaches its own server."""

from django.conf import settings

EVERY_INTERFACE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to read, not to bind


def smtp_door() -> tuple[str, int]:
    """Return host and port of the SMTP server, the first one where there are several."""
    return smtp_hosts()[0], settings.AGENTPOST_SMTP_PORT


def smtp_hosts() -> list[str]:
    """Return every host at which SMTP and submission are to be reached; they may be different machines."""
    return [EVERY_INTERFACE.get(host, host) for host in settings.AGENTPOST_SMTP_HOST]


def http_door() -> str:
    """Return the URL of the web server, without what may stand in front of it."""
    host = EVERY_INTERFACE.get(settings.AGENTPOST_HTTP_HOST, settings.AGENTPOST_HTTP_HOST)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.AGENTPOST_HTTP_PORT}"
