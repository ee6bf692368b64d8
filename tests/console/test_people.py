"""Signing in, and being invited."""

from collections.abc import Callable

import pytest
from django.test import Client

from environments.callers import SYSTEM, Actor
from environments.errors import PersonRequired
from environments.models import Invitation, Member, User
from environments.services.members import invite, renew_token, revoke_invitation
from tests.console.house import House
from tests.console.pages import ANEW

PASSWORD = "correct horse battery staple"


@pytest.fixture
def link(acme: House) -> Callable[[str], str]:
    """Return a function that invites an address and gives the link's path."""

    def invited(email: str) -> str:
        _, token = invite(acme.organization.pk, email, "admin", actor=SYSTEM)
        return f"/console/invitations/{token}/"

    return invited


def sign_in(client: Client, email: str, password: str) -> tuple[int, bytes]:
    response = client.post("/console/login/", {"username": email, "password": password})
    return response.status_code, ANEW.sub(b"", response.content).replace(email.encode(), b"")


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.mark.parametrize("spelling", ["owner@acme.example", "Owner@Acme.Example"])
def test_a_member_signs_in_with_address_and_password(spelling: str, acme: House, client: Client) -> None:
    with_password(acme.people["owner"])
    assert sign_in(client, spelling, PASSWORD)[0] == 302
    assert client.get("/console/").status_code == 200


def test_passwords_are_kept_as_argon2(acme: House) -> None:
    assert with_password(acme.people["owner"]).password.startswith("argon2")


def test_every_reason_not_to_sign_in_is_told_in_the_same_words(acme: House) -> None:
    for role in ("owner", "stranger", "environment_member"):
        with_password(acme.people[role])
    User.objects.filter(pk=acme.people["environment_member"].pk).update(is_active=False)
    refused = [
        sign_in(Client(), "owner@acme.example", "wrong"),
        sign_in(Client(), "nobody@acme.example", PASSWORD),
        sign_in(Client(), "stranger@acme.example", PASSWORD),
        sign_in(Client(), "reader@acme.example", PASSWORD),
    ]
    assert {status for status, _ in refused} == {200}
    assert len({body for _, body in refused}) == 1


def test_guessing_is_throttled_however_the_address_is_spelt(acme: House) -> None:
    with_password(acme.people["owner"])
    spellings = ["owner@acme.example", "OWNER@acme.example", " owner@ACME.example"]
    statuses = [sign_in(Client(), spellings[number % 3], "wrong")[0] for number in range(11)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert sign_in(Client(), "owner@acme.example", PASSWORD)[0] == 429


def test_somebody_new_sets_a_password_and_is_in(link: Callable[[str], str], acme: House, client: Client) -> None:
    where = link("new@acme.example")
    shown = client.get(where).content.decode()
    assert "<strong>new@acme.example</strong> is invited to <strong>Acme</strong> as admin" in shown
    response = client.post(where, {"password": PASSWORD, "again": PASSWORD})
    member = Member.objects.in_organization(acme.organization).get(user__email="new@acme.example")
    assert (response["Location"], member.role) == ("/console/", "admin")
    assert client.get("/console/").status_code == 200


@pytest.mark.parametrize(
    ("password", "again"), [(PASSWORD, "other"), ("short", "short"), ("password123", "password123")]
)
def test_a_bad_password_is_not_taken(
    password: str, again: str, link: Callable[[str], str], acme: House, client: Client
) -> None:
    assert client.post(link("new@acme.example"), {"password": password, "again": again}).status_code == 200
    assert not User.objects.filter(email="new@acme.example").exists()


def test_an_invitation_is_accepted_once(link: Callable[[str], str], acme: House) -> None:
    where = link("new@acme.example")
    Client().post(where, {"password": PASSWORD, "again": PASSWORD})
    again = Client().post(where, {"password": "another " + PASSWORD, "again": "another " + PASSWORD})
    assert again.status_code == 404
    assert User.objects.get(email="new@acme.example").check_password(PASSWORD)


def test_whoever_has_an_account_signs_in_first(link: Callable[[str], str], acme: House, globex: House) -> None:
    user, where, client = with_password(globex.people["owner"]), link("owner@globex.example"), Client()
    assert "Sign in" in client.get(where).content.decode()
    client.post(where, {"password": "hijacked " + PASSWORD, "again": "hijacked " + PASSWORD})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    client.force_login(user)
    client.post(where, {"confirmed": "yes"})
    assert Member.objects.in_organization(acme.organization).get(user=user).role == "admin"


def test_no_link_sets_the_password_of_a_user_who_has_none(
    link: Callable[[str], str], globex: House, client: Client
) -> None:
    owner, where = globex.people["owner"], link("owner@globex.example")
    owner.set_unusable_password()
    owner.save()
    client.post(where, {"password": PASSWORD, "again": PASSWORD})
    owner.refresh_from_db()
    assert not owner.has_usable_password()
    assert "_auth_user_id" not in client.session


def test_a_person_makes_the_link_of_an_invitation_and_an_older_one_ends(
    link: Callable[[str], str], acme: House, client: Client
) -> None:
    old = link("new@acme.example")
    invitation = Invitation.objects.in_organization(acme.organization).get(email="new@acme.example")
    with pytest.raises(PersonRequired):
        renew_token(invitation, actor=Actor("key", "key_1"))
    token = renew_token(invitation, actor=Actor("member", "mem_1"))
    assert [client.get(where).status_code for where in (old, f"/console/invitations/{token}/")] == [404, 200]


def test_an_invitation_for_another_address_is_not_accepted(
    link: Callable[[str], str], acme: House, globex: House, client: Client
) -> None:
    with_password(globex.people["owner"])
    client.force_login(globex.people["admin"])
    client.post(link("owner@globex.example"), {"confirmed": "yes"})
    assert not Member.objects.in_organization(acme.organization).filter(user=globex.people["admin"]).exists()


def test_a_link_that_is_revoked_is_answered_like_one_that_never_was(
    link: Callable[[str], str], acme: House, client: Client
) -> None:
    where = link("new@acme.example")
    revoke_invitation(Invitation.objects.in_organization(acme.organization).get(email="new@acme.example"), actor=SYSTEM)
    answers = [client.get(where), client.get("/console/invitations/nothing-of-the-kind/")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({ANEW.sub(b"", answer.content) for answer in answers}) == 1


def test_signing_out_and_changing_the_password_need_no_environment(
    link: Callable[[str], str], acme: House, client: Client
) -> None:
    user = with_password(User.objects.create_user("lonely@acme.example"))
    Member(organization=acme.organization, user=user, role="member").save(force_insert=True)
    client.force_login(user)
    assert client.get("/console/").status_code == 403
    assert client.get("/console/password_change/").status_code == 200
    assert client.post("/console/logout/").status_code == 302
