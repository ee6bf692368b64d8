"""Console addresses, and what of an answer may differ between two requests for the same."""

import re

from django.db.models import Model
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

ANEW = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
OF_THE_TEST = ("SAVEPOINT", "RELEASE", "SELECT set_config('agentpost.environment_id', ''")  # it is a transaction itself
OF_THE_MOMENT = {"Request-Id", "Expires", "Last-Modified", "Content-Length"}


def address(label: str, *parts: str) -> str:
    """Return the address of a model's page: ``address("mail.message", pk, "change")``."""
    return "/".join(["/console", *label.split("."), *parts, ""])


def page(row: Model, what: str = "change") -> str:
    return address(row._meta.label_lower, str(row.pk), what)


def answer(response: HttpResponse, leave_out: str = "") -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers, without what is drawn anew for every request, and without what was asked for."""
    body = ANEW.sub(b"", response.content)
    headers = {name: value for name, value in response.headers.items() if name not in OF_THE_MOMENT}
    if leave_out:
        body = body.replace(leave_out.encode(), b"")
        headers = {name: value.replace(leave_out, "") for name, value in headers.items()}
    return response.status_code, body, headers


def asked_by(captured: CaptureQueriesContext) -> list[str]:
    """Return what a page asked PostgreSQL, without what it asks only because a test is a transaction itself."""
    return [query["sql"] for query in captured if not query["sql"].startswith(OF_THE_TEST)]
