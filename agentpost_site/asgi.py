"""The application for an ASGI server: streams in the event loop, and Django on threads behind it."""

import os
import resource

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
django = get_wsgi_application()

import agentpost_site.urls  # noqa: E402, F401 - so that no request has to wait for all these imports
from agentpost_site.front.router import Front, Route  # noqa: E402 - Django is set up first
from mail import waiting  # noqa: E402
from webhooks.realtime.service import Opening  # noqa: E402 - Django is set up first

MOST_FILES = 65536

_realtime = Opening()
STREAMS: list[Route] = [
    # kind, pattern of the whole path, what opens the application
    ("http", waiting.ROUTE, waiting.open_waiting),
    ("websocket", "/ws", _realtime),
    ("http", "/api/v1/(environments/[^/]+/)?events/stream", _realtime),
]


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


_allow_many_connections()
application = Front(django, STREAMS)
