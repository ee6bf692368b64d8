"""What every HTTP answer carries."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

from environments.ids import new_id
from environments.telemetry import metrics, traces


class RequestIdMiddleware:
    """Give every request an id, and say it in ``Request-Id``, and in the log; count the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_id("req")  # type: ignore[attr-defined]
        began = perf_counter()
        with bound_contextvars(request=request), self._traced(request):
            response = self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        match = request.resolver_match
        metrics.answered(request.method, match.route if match else None, response.status_code, began)
        return response

    @staticmethod
    def _traced(request: HttpRequest) -> AbstractContextManager[None]:
        """Let what happens in a request have come from it, where there are traces."""
        if not traces.is_on():
            return nullcontext()
        return traces.coming_from("http.request", **{"http.request.method": request.method or ""})
