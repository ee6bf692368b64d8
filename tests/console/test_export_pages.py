"""Exports in the console: asked for with a reason, fetched by whoever may, in the environment that they are of."""

import io
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client

from environments.binding import inside
from environments.models import AuditEntry, Export
from environments.tasks import make_export
from tests.console.house import ROLES, House
from tests.console.pages import address, answer, page

WHO_FETCHES = {
    "owner": 200,
    "admin": 200,
    "environment_admin": 200,
    "environment_member": 403,
    "operator": 403,
    "stranger": 302,
}


@pytest.fixture
def made(acme: House, object_store: object, signed_in: Callable[..., Client]) -> Export:
    """Return an export that the owner asked for and the worker made."""
    signed_in("owner").post(address("environments.export", "add"), {"reason": "The customer leaves"})
    with inside(acme.development):
        export = Export.objects.in_environment(acme.development).get(state="waiting")
    assert make_export(environment_id=acme.development.pk, export_id=export.pk)
    return export


def test_whoever_asks_is_led_to_the_page_of_the_export(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    response = client.post(address("environments.export", "add"), {"reason": "The customer leaves"}, follow=True)
    assert "It is being made in the background" in response.content.decode()
    again = client.post(address("environments.export", "add"), {"reason": "Again"}, follow=True)
    assert "An export is being made already" in again.content.decode()


def test_each_role_fetches_what_the_table_says(made: Export, signed_in: Callable[..., Client]) -> None:
    assert {role: status_of(signed_in(role), page(made, "download")) for role in ROLES} == WHO_FETCHES


def status_of(client: Client, where: str) -> int:
    """Return the status of an answer that is read to its end, and thereby closed."""
    response = client.get(where)
    b"".join(response)
    return int(response.status_code)


def test_what_is_fetched_is_the_archive_and_stands_on_record(
    made: Export, acme: House, signed_in: Callable[..., Client]
) -> None:
    response = signed_in("environment_admin").get(page(made, "download"))
    content = b"".join(response)
    assert response["Content-Disposition"].startswith('attachment; filename="development-')
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"Words of acme-development" in archive.read("messages.jsonl")
    entries = AuditEntry.objects.in_organization(acme.organization).filter(target_id=made.pk)
    assert entries.latest("sequence").action == "environment.export_downloaded"


def test_an_export_is_fetched_in_its_own_environment_only(
    made: Export, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    client.get("/console/", {"environment": acme.production.pk})
    missing = made.pk[:-4] + "0000"
    theirs, none = (
        answer(client.get(address("environments.export", pk, "download")), leave_out=pk) for pk in (made.pk, missing)
    )
    assert (theirs[0], theirs) == (404, none)


def test_an_export_that_is_gone_is_told(made: Export, acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        Export.objects.in_environment(acme.development).filter(pk=made.pk).update(state="expired")
    response = signed_in("owner").get(page(made, "download"), follow=True)
    assert "This export is not to be had" in response.content.decode()
