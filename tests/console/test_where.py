"""In which environment a page stands, who gets there, and when they no longer do."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.test import Client

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import EnvironmentMembership, Member
from environments.services.members import add_member, add_to_environment, remove_from_environment, remove_member
from inboxes.models import Inbox
from tests.console.house import House, member_of
from tests.console.pages import address, answer, page


def stands_in(client: Client) -> str:
    """Return the environment that the next page stands in."""
    return client.get("/console/").context["console"].environment.pk


def test_the_first_page_stands_in_the_default_environment(acme: House) -> None:
    client = Client()
    client.force_login(acme.people["owner"])
    assert stands_in(client) == acme.production.pk


def test_the_switcher_moves_to_another_environment(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post("/console/environment/", {"environment": acme.production.pk})
    assert stands_in(client) == acme.production.pk


@pytest.mark.parametrize("name", ["pk", "slug"])
def test_an_address_may_name_the_environment_by_id_or_slug(
    name: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    asked = {"environment": getattr(acme.production, name), "q": "x"}
    response = client.get(address("mail.message"), asked)
    assert (response.status_code, response["Location"]) == (302, address("mail.message") + "?q=x")
    assert stands_in(client) == acme.production.pk


def test_every_page_says_where_it_stands_and_in_which_mode(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("environment_member")
    for where in ("/console/", address("mail.message"), page(acme.here("mail.message")), "/console/nowhere/"):
        assert 'id="environment-bar"' in client.get(where).content.decode(), where
        assert "console-mode-capture" in client.get(where).content.decode(), where


def test_the_switcher_offers_what_the_person_reaches_by_organization(acme: House, globex: House) -> None:
    reader = acme.people["environment_member"]
    add_member(globex.organization, reader.email, "admin", actor=SYSTEM)
    client = Client()
    client.force_login(reader)
    offered = [environment.pk for environment in client.get("/console/").context["console"].listed]
    assert offered == [acme.development.pk, globex.production.pk, globex.development.pk]


@pytest.mark.parametrize("form", ["pk", "slug"])
def test_an_environment_out_of_reach_is_answered_like_one_that_does_not_exist(
    form: str, acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("environment_member")
    foreign = {"pk": globex.production.pk, "slug": "production"}[form]
    absent = {"pk": globex.production.pk[:-4] + "0000", "slug": "nowhere"}[form]
    assert answer(client.get("/console/", {"environment": foreign})) == answer(
        client.get("/console/", {"environment": absent})
    )
    assert client.post("/console/environment/", {"environment": foreign}).status_code == HTTPStatus.NOT_FOUND
    assert stands_in(client) == acme.development.pk


def test_a_revoked_membership_ends_access_at_the_next_request(acme: House, signed_in: Callable[..., Client]) -> None:
    client, message = signed_in("environment_member"), acme.here("mail.message")
    assert client.get(page(message)).status_code == HTTPStatus.OK
    places = EnvironmentMembership.objects.in_organization(acme.organization)
    place = places.get(environment=acme.development, member=member_of(acme, "environment_member"))
    remove_from_environment(place, actor=SYSTEM)
    response = client.get(page(message))
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "No environment yet" in response.content.decode()


def test_a_removed_member_is_a_stranger_at_the_next_request(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("environment_member")
    remove_member(member_of(acme, "environment_member"), actor=SYSTEM)
    assert client.get(page(acme.here("mail.message")))["Location"].startswith("/console/login/")


def test_a_changed_role_counts_at_the_next_request(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    Member.objects.in_organization(acme.organization).filter(role="owner").update(role="member")
    add_to_environment(acme.development, member_of(acme, "owner"), "member", actor=SYSTEM)
    assert client.get(address("apikeys.apikey")).status_code == HTTPStatus.FORBIDDEN


def test_an_inactive_user_is_signed_out_at_the_next_request(acme: House, signed_in: Callable[..., Client]) -> None:
    client, user = signed_in("owner"), acme.people["owner"]
    user.is_active = False
    user.save()
    assert client.get("/console/")["Location"].startswith("/console/login/")


def test_a_form_of_an_environment_that_was_left_changes_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    given = {"username": "sales", "domain": "acme-development.example", "_standing_in": acme.production.pk}
    response = client.post(address("inboxes.inbox", "add"), given)
    assert response["Location"] == "/console/"
    assert "nothing was changed" in client.get("/console/").content.decode()
    with inside(acme.development):
        assert Inbox.objects.in_environment(acme.development).count() == 1


def test_forms_carry_the_environment_they_were_shown_in(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    field = f'name="_standing_in" value="{acme.development.pk}"'
    for where in (address("inboxes.inbox", "add"), page(acme.development), page(acme.development, "pause")):
        assert field in " ".join(client.get(where).content.decode().split()), where


def test_a_page_that_refuses_takes_back_what_it_wrote(
    acme: House, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mail.admin import inboxes

    def change_then_fail(inbox: Inbox, _: object) -> None:
        inbox.display_name = "half done"
        inbox.save()
        raise RuntimeError

    monkeypatch.setattr(inboxes.inboxes, "update_inbox", change_then_fail)
    client, inbox = signed_in("owner"), acme.here("inboxes.inbox")
    client.raise_request_exception = False
    assert client.post(page(inbox), {"display_name": "other"}).status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    with inside(acme.development):
        assert Inbox.objects.in_environment(acme.development).get().display_name == ""


def test_the_api_knows_nothing_of_the_console(acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("owner").get("/api/v1/me")
    assert not hasattr(response.wsgi_request, "console")
