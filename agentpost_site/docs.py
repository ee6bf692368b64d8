"""The API's description and its reader, served without a network."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer

from agentpost_site.errors import method_not_allowed


def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return SchemaGenerator().get_schema(request=None, public=True)


class OpenAPI(View):
    """``GET /api/v1/openapi.json``: made once a process."""

    document: bytes | None = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the description."""
        if OpenAPI.document is None:
            OpenAPI.document = json.dumps(described()).encode()
        return HttpResponse(OpenAPI.document, content_type="application/json")

    def http_method_not_allowed(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        """Refuse in the API's shape."""
        answer = method_not_allowed(request)
        answer["Allow"] = ", ".join(self._allowed_methods())  # type: ignore[attr-defined]
        return answer


class Docs(SpectacularSwaggerSplitView):
    """``GET /api/v1/docs``: Swagger UI, served from here, for people to try calls in."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = [TemplateHTMLRenderer]  # noqa: RUF012 - as its base declares it
