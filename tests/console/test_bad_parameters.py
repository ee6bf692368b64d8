"""What no form of the console would ask: answered, and never by a failure."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.postgres.fields import ArrayField
from django.db.models import BinaryField, BooleanField, CharField, DateTimeField, Field, ForeignKey, IntegerField
from django.test import Client

from environments.console.permissions import Kind
from environments.console.site import site
from environments.models import AuditEntry
from tests.console.house import House
from tests.console.pages import address

NUL, LONG = "\0", "9" * 5000
OF_A_KIND: list[tuple[type[Field], list[tuple[str, str]]]] = [
    (DateTimeField, [("__year", "99999999999"), ("__gte", "0001-01-01T00:00:00+14:00")]),
    (IntegerField, [("__in", "99999999999999999999")]),
    (BooleanField, [("__exact", "2")]),
    (ForeignKey, [("__id__exact", "x")]),
    (CharField, [("__exact", NUL), ("__regex", "(")]),
    (ArrayField, [("__exact", "a")]),
    (BinaryField, [("__gte", "x")]),
]
OF_EVERY_LIST = [
    *[("id__gte", value) for value in (NUL, LONG)],
    ("pk__in", "99999999999999999999,1"),
    *[(name, value) for name in ("p", "o", "q") for value in (NUL, LONG)],
    ("nothing", "x"),
    (f"id{NUL}", "x"),
]


def bad(admin: ModelAdmin) -> Iterator[tuple[str, str]]:
    """Yield names and values that a list of this page should not be asked for."""
    yield from OF_EVERY_LIST
    filters = [name for name in admin.list_filter if isinstance(name, str)]
    for kind, tried in OF_A_KIND:
        names = [field.name for field in admin.opts.get_fields() if isinstance(field, kind)]
        asked = dict.fromkeys([*names[:1], *(name for name in filters if name in names)])
        yield from ((f"{name}{lookup}", value) for name in asked for lookup, value in tried)


@pytest.mark.parametrize("role", ["owner", "operator"])
def test_no_list_fails_whatever_it_is_asked_for(role: str, signed_in: Callable[..., Client]) -> None:
    client = signed_in(role)
    client.raise_request_exception = False
    failed = []
    for model, admin in site._registry.items():
        is_internal = admin.rights in {Kind.INTERNAL, Kind.PLATFORM}
        if is_internal == (role == "owner"):
            continue
        where = address(model._meta.label_lower)
        failed += [
            (where, name, value[:20])
            for name, value in bad(admin)
            if client.get(where, {name: value}).status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        ]
    assert failed == []


@pytest.mark.parametrize(
    ("label", "lookup", "value"),
    [
        ("environments.user", "password__startswith", "argon"),
        ("environments.user", "password__gte", "a"),
        ("inboxes.signingkey", "sealed_private__gte", "x"),
        ("mail.draft", "subject__regex", "^a"),
        ("mail.draft", "inbox__email__startswith", "a"),
        ("mail.message", "text_body__gte", "a"),
    ],
)
def test_a_list_is_narrowed_by_its_filters_only(
    label: str, lookup: str, value: str, signed_in: Callable[..., Client]
) -> None:
    assert signed_in("operator").get(address(label), {lookup: value}).status_code == HTTPStatus.BAD_REQUEST


def test_a_name_that_is_too_long_is_nobodys(acme: House, client: Client) -> None:
    response = client.post("/console/login/", {"username": "a" * 300, "password": "wrong"})
    assert response.status_code == HTTPStatus.OK
    assert "do not go together" in response.content.decode()


def test_a_reset_may_be_asked_for_with_the_longest_address(acme: House, client: Client) -> None:
    email = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"[:254]
    assert client.post("/console/account/password/reset/", {"email": email}).status_code == HTTPStatus.FOUND


def test_an_environment_with_a_name_that_none_can_have_is_not_found(signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    assert client.get("/console/", {"environment": NUL}).status_code == HTTPStatus.NOT_FOUND
    assert client.post("/console/environment/", {"environment": NUL}).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("session", [LONG, NUL, "\u00b2", "9" * 25])
def test_a_session_that_cannot_be_is_not_ended(session: str, signed_in: Callable[..., Client]) -> None:
    response = signed_in("owner").post("/console/account/sessions/", {"session": session}, follow=True)
    assert "There is no such session" in response.content.decode()


@pytest.mark.parametrize("pk", ["%00", "msg_%00", "a" * 300])
@pytest.mark.parametrize("what", ["change", "raw", "history"])
def test_an_id_that_is_none_is_not_found_by_a_visiting_operator_either(
    what: str, pk: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("operator")
    assert client.get(f"/console/mail/message/{pk}/{what}/").status_code == HTTPStatus.NOT_FOUND
    assert not AuditEntry.objects.in_organization(acme.organization).filter(action="operator.looked").exists()
