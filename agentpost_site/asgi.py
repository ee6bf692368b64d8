"""The application for an ASGI server: streams in the event loop, and Django on threads behind it."""

import os
import resource

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
django = get_wsgi_application()

import agentpost_site.urls  # noqa: E402, F401 - so that no request has to wait for all these imports
from agentpost_site.front.router import Front  # noqa: E402 - Django is set up first
from agentpost_site.front.routes import ROUTES  # noqa: E402

MOST_FILES = 65536


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


_allow_many_connections()
application = Front(django, ROUTES)
