"""What a link to unsubscribe opens: a page that asks, and the one click that mail clients make (RFC 8058)."""

from django.http import HttpResponse
from django.template.loader import render_to_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from environments.viewsets import BaseViewSet
from mail.services import unsubscribe

PAGE = "mail/unsubscribe.html"


class UnsubscribeView(BaseViewSet):
    """Getting off, by whoever holds the link; it tells nothing but that it was done."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    lookup_field = "token"

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.STR})
    def retrieve(self, request: Request, token: str) -> HttpResponse:
        """Return a page with a button; programs that look at links in mail unsubscribe nobody."""
        unsubscribe.opened(token)
        return _page(is_done=False)

    @extend_schema(request=None, responses={(200, "text/html"): OpenApiTypes.STR})
    def create(self, request: Request, token: str) -> HttpResponse:
        """Send the recipient no more mail from this environment; what the body holds makes no difference."""
        unsubscribe.unsubscribe(unsubscribe.opened(token))
        return _page(is_done=True)


def _page(*, is_done: bool) -> HttpResponse:
    response = HttpResponse(render_to_string(PAGE, {"is_done": is_done}))
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
