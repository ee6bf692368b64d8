"""The team: who sees it, who changes it, and how it is handed over; and the invitations that make it grow."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import ValidationFailed
from environments.models import AuditEntry, EnvironmentMembership, Invitation, Member, User
from environments.services.members import add_member, invite, token_of
from environments.services.notices import mail_link
from environments.tasks import mail_invitation
from inboxes.models import Domain
from tests.console.factors import proven, with_factor
from tests.console.house import House, member_of
from tests.console.pages import address, page
from tests.mail.sink import running_sink

MEMBERS = address("environments.member")


def places_of(member: Member) -> dict[str, str]:
    rows = EnvironmentMembership.objects.in_organization(member.organization_id).filter(member=member)
    return dict(rows.values_list("environment__slug", "role"))


def role_of(house: House, role: str) -> str:
    return member_of(house, role).role


def told(client: Client) -> str:
    return " ".join(str(message) for message in client.get("/console/").context["messages"])


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_team_shows_where_everybody_belongs_and_how_they_sign_in(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    with_factor(acme.people["admin"])
    shown = signed_in("owner").get(MEMBERS).content.decode()
    assert "development (admin)" in shown
    assert "every environment" in shown
    assert ("<time datetime=" in shown, "never" in shown) == (True, True)
    rows = {
        member.user.email: member.factor_told for member in signed_in("owner").get(MEMBERS).context["cl"].result_list
    }
    assert (rows["admin@acme.example"], rows["keeper@acme.example"]) == (True, False)


@pytest.mark.parametrize("role", ["environment_admin", "environment_member", "stranger"])
def test_nobody_else_sees_it(role: str, acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in(role).get(MEMBERS).status_code in {302, 403}


def test_it_takes_as_many_queries_for_a_large_team_as_for_a_small_one(
    acme: House, signed_in: Callable[..., Client], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client = signed_in("owner")
    with django_assert_max_num_queries(15) as few:
        client.get(MEMBERS)
        number = len(few)
    for person in range(20):
        add_member(acme.organization, f"person{person}@acme.example", "member", actor=SYSTEM)
    with django_assert_max_num_queries(number):
        client.get(MEMBERS)


# --- Roles and places -------------------------------------------------------------------------------------------------


def test_a_members_places_are_set_in_one_act(acme: House, signed_in: Callable[..., Client]) -> None:
    member = member_of(acme, "environment_member")
    client, where = signed_in("owner"), page(member, "environments")
    client.post(where, {acme.production.pk: "admin", acme.development.pk: ""})
    assert places_of(member) == {"production": "admin"}
    client.post(where, {acme.production.pk: "member", acme.development.pk: "member"})
    assert places_of(member) == {"production": "member", "development": "member"}
    assert "2 places changed" in told(client)
    rows = AuditEntry.objects.in_organization(acme.organization).filter(target_id=member.pk).order_by("-sequence")
    assert set(rows.values_list("action", flat=True)[:2]) == {
        "environment_member.added", "environment_member.role_changed",
    }  # fmt: skip


def test_no_place_is_given_in_an_environment_of_others(
    acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    member = member_of(acme, "environment_member")
    signed_in("owner").post(page(member, "environments"), {globex.production.pk: "admin"})
    assert places_of(member) == {}
    rows = EnvironmentMembership.objects.in_organization(globex.organization).filter(member=member)
    assert not rows.exists()


def test_a_role_that_is_none_is_not_given(acme: House, signed_in: Callable[..., Client]) -> None:
    member = member_of(acme, "environment_member")
    response = signed_in("owner").post(page(member, "environments"), {acme.production.pk: "owner"})
    assert "Select a valid choice" in response.content.decode()
    signed_in("owner").post(page(member), {"role": "owner"})
    assert (places_of(member), role_of(acme, "environment_member")) == ({"development": "member"}, "member")


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owner_and_admins_change_roles_but_not_the_owners(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    client.post(page(member_of(acme, "environment_member")), {"role": "admin"})
    client.post(page(member_of(acme, "owner")), {"role": "member"})
    assert (role_of(acme, "environment_member"), role_of(acme, "owner")) == ("admin", "owner")


def test_the_owner_hands_over_by_the_address_typed_and_a_second_factor(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    admin, client = member_of(acme, "admin"), signed_in("owner")
    where, given = page(admin, "make-owner"), {"email": "Admin@Acme.example"}
    assert "/second-factor/" in client.post(where, given)["Location"]
    assert "not the address" in proven(client).post(where, {"email": "other@acme.example"}).content.decode()
    assert role_of(acme, "owner") == "owner"
    client.post(where, given)
    assert (role_of(acme, "owner"), role_of(acme, "admin")) == ("admin", "owner")


@pytest.mark.parametrize("role", ["admin", "operator", "environment_admin"])
def test_nobody_else_hands_over(role: str, acme: House, signed_in: Callable[..., Client]) -> None:
    where = page(member_of(acme, "admin"), "make-owner")
    assert proven(signed_in(role)).post(where, {"email": "admin@acme.example"}).status_code == 403
    assert role_of(acme, "owner") == "owner"


# --- Invitations ------------------------------------------------------------------------------------------------------


def waiting() -> list[dict[str, str]]:
    rows = ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_invitation").order_by("pk")
    return [job.args for job in rows]


def test_who_is_invited_gets_the_link_that_the_inviter_sees(
    acme: House, signed_in: Callable[..., Client], settings: Any
) -> None:
    response = signed_in("owner").post(
        address("environments.invitation", "add"), {"email": "new@acme.example", "role": "member"}
    )
    link = response.context["secret"]
    job = waiting()[-1]
    assert link.rpartition("/invitations/")[2].strip("/") not in str(job)
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        assert mail_invitation(**job)
        [mail] = sink.taken
    assert mail.recipients == ["new@acme.example"]
    assert link.encode() in mail.raw.replace(b"=\r\n", b"").replace(b"=3D", b"=")
    assert Client().get(link).status_code == 200


OUT = "person@elsewhere.example"
OF_AGENTS = [
    "nobody-yet@agentpost.localhost",
    "me@m.agentpost.localhost",
    "ME+tag@Deep.M.AgentPost.localhost",
    "me@\uff4d.agentpost.localhost",
    "me@m\u3002agentpost\u3002localhost",
    "support@acme-production.example",  # proven by our own organization
    "new@acme-development.example",  # claimed by it
    "support@globex-production.example",  # proven by another one
]
AMBIGUOUS = [
    '"me"@m.agentpost.localhost',
    '"a b"@elsewhere.example',
    "\uff4de@elsewhere.example",
    "a%b@elsewhere.example",
]


@pytest.fixture
def proven_domains(acme: House, globex: House) -> None:
    for house in (acme, globex):
        with inside(house.production):
            Domain.objects.in_environment(house.production).update(status="verified")


def is_mailed(house: House, email: str, sink: Any, settings: Any) -> bool:
    """Return whether the link of an invitation by a key is mailed, and see that nothing else is."""
    before, settings.AGENTPOST_RELAY_URL = len(sink.taken), sink.url
    invite(house.organization.pk, email, "admin", actor=Actor("key", "key_1"))
    is_said = mail_invitation(**waiting()[-1])
    assert len(sink.taken) - before == is_said
    return is_said


@pytest.mark.usefixtures("proven_domains")
def test_a_key_invites_by_mail_and_never_to_a_domain_of_agents(acme: House, settings: Any) -> None:
    with running_sink() as sink:
        assert [email for email in (OUT, *OF_AGENTS) if is_mailed(acme, email, sink, settings)] == [OUT]
        assert [mail.recipients for mail in sink.taken] == [[OUT]]


@pytest.mark.usefixtures("proven_domains")
def test_a_mere_claim_of_strangers_cuts_nobody_off(acme: House, settings: Any) -> None:
    with running_sink() as sink:
        assert is_mailed(acme, "person@globex-development.example", sink, settings)


def test_an_inbox_that_is_made_while_the_link_waits_gets_nothing(acme: House, settings: Any) -> None:
    email = "bot@race1.agentpost.localhost"
    invite(acme.organization.pk, email, "admin", actor=Actor("key", "key_1"))
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        assert not mail_invitation(**waiting()[-1])  # there is no such inbox, and there might be one any moment
        assert sink.taken == []


@pytest.mark.parametrize("email", AMBIGUOUS)
def test_an_address_that_can_be_read_in_two_ways_is_nobodys(
    email: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    for give in (invite, lambda _, *given, actor: add_member(acme.organization, *given, actor=actor)):
        with pytest.raises(ValidationFailed):
            give(acme.organization.pk, email, "member", actor=SYSTEM)
    given = {"email": email, "role": "member"}
    told = signed_in("owner").post(address("environments.invitation", "add"), given, follow=True).content.decode()
    assert "unquoted Latin letters" in told or "Enter a valid email address" in told


def test_a_link_never_goes_to_an_address_of_two_readings_whoever_has_it(acme: House, settings: Any) -> None:
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        facts: dict[str, str] = {"link": "x", "email": "x"}
        for email in AMBIGUOUS:
            assert not mail_link(email, "x", "password_reset", facts, organization_ids=[], instead="")
        assert sink.taken == []


def test_the_token_follows_from_row_and_secret_and_the_database_holds_neither(acme: House, settings: Any) -> None:
    invitation, token = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    row = Invitation.objects.in_organization(acme.organization).get(pk=invitation.pk)
    assert token_of(row) == token
    settings.SECRET_KEY = "another"
    assert token_of(row) != token


def test_mailing_again_ends_the_older_link(acme: House, signed_in: Callable[..., Client]) -> None:
    invitation, old = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    before = len(waiting())
    signed_in("owner").post(page(invitation, "mail-again"), {"confirmed": "yes"})
    assert len(waiting()) == before + 1
    assert Client().get(f"/console/invitations/{old}/").status_code == 404


@pytest.mark.parametrize("state", ["revoked", "accepted", "expired"])
def test_what_is_pending_no_more_is_mailed_no_more(state: str, acme: House, settings: Any) -> None:
    invitation, _ = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    Invitation.objects.in_organization(acme.organization).filter(pk=invitation.pk).update(status=state)
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        assert not mail_invitation(acme.organization.pk, invitation.pk)
        assert sink.taken == []


def test_an_invitation_that_ran_out_says_so(acme: House, client: Client) -> None:
    _, token = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        response = client.get(f"/console/invitations/{token}/")
    assert response.status_code == 404
    assert "has run out" in response.content.decode()


def test_who_is_signed_in_as_somebody_else_is_told_and_may_sign_out(
    acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    _, token = invite(acme.organization.pk, "new@acme.example", "member", actor=SYSTEM)
    client, where = signed_in("owner", globex), f"/console/invitations/{token}/"
    shown = client.get(where).content.decode()
    assert "You are signed in as owner@globex.example" in shown
    client.post(where, {"password": "correct horse battery", "again": "correct horse battery"})
    assert not User.objects.filter(email="new@acme.example").exists()
    assert client.post("/console/logout/", {"next": where})["Location"] == where
    assert "Join Acme" in client.get(where).content.decode()


def test_who_was_removed_and_is_invited_again_can_sign_in_to_accept(acme: House, client: Client) -> None:
    stranger = acme.people["stranger"]
    stranger.set_password("correct horse battery staple")
    stranger.save()
    _, token = invite(acme.organization.pk, stranger.email, "member", actor=SYSTEM)
    where = f"/console/invitations/{token}/"
    given = {"username": stranger.email, "password": "correct horse battery staple"}
    assert client.post(f"/console/login/?next={where}", given)["Location"] == where
    client.post(where, {"confirmed": "yes"})
    assert Member.objects.in_organization(acme.organization).filter(user=stranger).exists()
