"""What every HTTP answer carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from environments.ids import new_id


class RequestIdMiddleware:
    """Give every request an id, and say it in ``Request-Id``: of the answer, and of its line in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_id("req")  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response
