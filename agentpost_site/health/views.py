"""The three paths. The front answers them on threads of their own, which no other request can take."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from agentpost_site.health.checkup import CHECKUP
from agentpost_site.health.figures import PAGE
from environments import clock
from environments.answers import refusing
from environments.errors import Unauthenticated


def healthz(_: HttpRequest) -> HttpResponse:
    """Answer 200 while this process serves at all."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> HttpResponse:
    """Answer 200 when everything that mail needs works, 503 with what does not otherwise, and since when."""
    found = CHECKUP.report()
    ready = not found.since
    answer = {
        "status": "ok" if ready else "failing",
        "checks": found.outcomes,
        "since": {name: clock.written(since) for name, since in found.since.items()},
    }
    return JsonResponse(answer, status=200 if ready else 503)


class TokenMissing(Unauthenticated):
    """The figures were asked for without their token."""

    message = "These figures are for whoever has their token."
    fix = "Send Authorization: Bearer and what AGENTPOST_METRICS_TOKEN is set to."


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with what Prometheus scrapes; no environment, address or content in it."""
    if not _may_scrape(request):
        refused = refusing(TokenMissing())
        return HttpResponse(refused.body, status=TokenMissing.status, headers=dict(refused.headers))
    return HttpResponse(PAGE.read(), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    token = settings.AGENTPOST_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return not token or hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
