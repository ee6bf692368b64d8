"""Every page of the console takes few queries, and as many for twenty rows of everything as for one.

The pages are those of the URL resolver, and what their links narrow them to, so that a new one is found by itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentpost_site.isolation.console import _model
from agentpost_site.isolation.discovery import PARAMETER, Page, pages
from tests.console.house import House, more
from tests.console.pages import asked_by

FEW = 15
ROWS = 20
NO_PAGES = {  # routes that are left out, and why
    "console/logout/": "it ends the session",
}
VALUES = {"app_label": "mail", "token": "nothing-of-the-kind", "uidb64": "MQ", "url": "nowhere"}  # for no row's id
WORD = re.compile(r"\(\?P<\w+>[^)]*\)")
NARROWED = re.compile(r'href="\?([^"#]+)')


@dataclass(frozen=True)
class Visit:
    """What one page took, of the person who looked at it, and which links of it narrow it."""

    path: str
    status: int
    queries: int
    narrowed: frozenset[str] = frozenset()


@pytest.mark.parametrize("role", ["owner", "environment_member"])
def test_every_page_takes_few_queries_and_as_many_for_twenty_rows_as_for_one(
    role: str, acme: House, signed_in: Callable[..., Client], object_store: Path
) -> None:
    """A page that the owner may not see is an operator's, who looks at that one instead."""
    default_storage.save(acme.here("mail.blob").object_key, ContentFile(b"Subject: Words\r\n\r\nHello\r\n"))
    client, operator = signed_in(role), signed_in("operator") if role == "owner" else None
    warm_up(client)
    of_one = [one for path in addresses(acme) for one in visit_narrowed(client, operator, path)]
    for number in range(1, ROWS):
        more(acme, number)
    pairs = [(one, visit(client, operator, one.path)) for one in of_one]
    offenders = [(one, twenty) for one, twenty in pairs if twenty.queries >= FEW or twenty.queries != one.queries]
    if offenders:
        pytest.fail(table(offenders), pytrace=False)


def warm_up(client: Client) -> None:
    """Let be asked what is asked for once in a process."""
    ContentType.objects.get_for_models(*apps.get_models())
    client.get("/console/")


def addresses(house: House) -> Iterator[str]:
    """Yield an address for every page that there is."""
    for page in pages(of_the_console=True):
        if page.route in NO_PAGES:
            continue
        values = {name: value_of(name, page, house) for name in page.parameters}
        yield "/" + (WORD.sub("nowhere", page.route) if "(?P" in page.route else filled(page.route, values))


def filled(route: str, values: dict[str, str]) -> str:
    return PARAMETER.sub(lambda match: values[match[1]], route)


def value_of(parameter: str, page: Page, house: House) -> str:
    if parameter in VALUES:
        return VALUES[parameter]
    assert parameter == "object_id", f"{page.route}: say in VALUES what stands for {parameter}"
    return str(house.here(_model(page)._meta.label_lower).pk)


def visit_narrowed(client: Client, operator: Client | None, path: str) -> Iterator[Visit]:
    """Look at a page, and at what each kind of link on it narrows it to: filters, tabs, another order."""
    seen = visit(client, operator, path)
    yield seen
    kinds = {kind_of(query): query for query in sorted(seen.narrowed)}
    yield from (visit(client, operator, f"{path}?{query}") for query in kinds.values())


def kind_of(query: str) -> tuple[str, ...]:
    """Return the names of the parameters; of tabs, which they are."""
    return tuple(sorted(value if name == "tab" else name for name, value in parse_qsl(query)))


def visit(client: Client, operator: Client | None, path: str) -> Visit:
    """Look at a page; at one that is for operators alone, let an operator look."""
    reset_queries()  # the log has an end
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    if response.status_code == HTTPStatus.FORBIDDEN and operator:
        instead = visit(operator, None, path)
        if instead.status != HTTPStatus.FORBIDDEN:
            return instead
    shown = b"" if response.streaming else response.content
    narrowed = frozenset(query.replace("&amp;", "&") for query in NARROWED.findall(shown.decode(errors="replace")))
    return Visit(path, response.status_code, len(asked_by(captured)), narrowed)


def table(offenders: list[tuple[Visit, Visit]]) -> str:
    head = f"fewer than {FEW} queries, and as many for {ROWS} rows as for 1:\n 1 row  20 rows  status"
    lines = [f"{one.queries:>6} {twenty.queries:>8} {twenty.status:>7}  {one.path}" for one, twenty in offenders]
    return "\n".join([head, *lines])
