"""Where an address may live, whose it is, and what mail reaches it."""

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.conf import settings

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import encode
from inboxes.models import AddressHold, Domain, Inbox
from inboxes.services.addresses import find_recipient
from inboxes.services.domains import add_domain, trust
from inboxes.tasks import forget_address_holds
from tests.world import Api, World, error_of, without_request_id

SHARED = settings.AGENTPOST_SHARED_DOMAIN
DEV = {"AgentPost-Environment": "development"}


def trusted(world: World, name: str) -> Domain:
    with inside(world.development):
        return add_domain(world.development, name, actor=SYSTEM, is_trusted=True)[0]


def reached_by(address: str) -> str | None:
    found = find_recipient(address)
    return encode("inb", UUID(found[1])) if found else None


@pytest.mark.parametrize("body", [{"username": "support"}, {"username": "Support", "domain": SHARED}])
def test_a_name_on_the_shared_domain_gets_a_random_suffix(api: Api, body: dict[str, str]) -> None:
    first, second = (api.post("/inboxes", body).json() for _ in range(2))
    name, _, domain = first["email"].partition("@")
    assert domain == SHARED == first["domain"]
    assert name.startswith("support-")
    assert len(name) == len("support-a1b2c3")
    assert name == first["username"]
    assert first["email"] != second["email"]


def test_an_inbox_may_be_asked_for_without_saying_anything(api: Api) -> None:
    answer = api.post("/inboxes")
    assert answer.status_code == 201
    assert answer.json()["domain"] == SHARED


@pytest.mark.parametrize(
    "body",
    [
        {"email": f"Test-Support@dev.{SHARED}", "name": "Support"},
        {"username": "test-support", "domain": f"DEV.{SHARED}", "display_name": "Support"},
    ],
)
def test_an_address_below_the_shared_domain_is_exact_and_claims_it(api: Api, body: dict[str, str]) -> None:
    inbox = api.post("/inboxes", body).json()
    assert inbox["email"] == f"test-support@dev.{SHARED}"
    assert inbox["name"] == inbox["display_name"] == "Support"
    [claim] = api.items("/domains")
    assert (claim["domain"], claim["kind"], claim["status"]) == (f"dev.{SHARED}", "subdomain", "verified")


def test_an_address_on_a_domain_of_the_environment_is_exact(api: Api) -> None:
    api.post("/domains", {"domain": "acme.example"})
    assert api.post("/inboxes", {"email": "help@acme.example"}).json()["email"] == "help@acme.example"


def nothing_of_the_kind(_: World, __: World) -> str:
    return "help@nowhere.example"


def foreign_domain(_: World, globex: World) -> str:
    trusted(globex, "globex.example")
    return "help@globex.example"


def claimed_elsewhere(_: World, globex: World) -> str:
    globex.inbox(email=f"help@theirs.{SHARED}")
    return f"other@theirs.{SHARED}"


def taken_elsewhere(_: World, globex: World) -> str:
    globex.inbox(email=f"help@theirs.{SHARED}")
    return f"help@theirs.{SHARED}"


def taken_here(acme: World, _: World) -> str:
    acme.inbox(acme.production, email=f"help@ours.{SHARED}")
    return f"help@ours.{SHARED}"


def claimed_by_a_sister(acme: World, _: World) -> str:
    acme.inbox(acme.development, email=f"help@sister.{SHARED}")
    return f"other@sister.{SHARED}"


def given_up_elsewhere(_: World, globex: World) -> str:
    inbox = globex.inbox(email=f"help@late.{SHARED}")
    theirs = globex.api()
    assert theirs.delete(f"/inboxes/{inbox.pk}").status_code == 204
    [claim] = theirs.items("/domains", **DEV)
    assert theirs.delete(f"/domains/{claim['id']}").status_code == 204
    return f"help@late.{SHARED}"


def left_by_an_erased_environment(_: World, globex: World) -> str:
    globex.inbox(email=f"help@erased.{SHARED}")
    assert globex.api().delete("/environments/development?force=true").status_code == 204
    return f"help@erased.{SHARED}"


NOT_AVAILABLE = [
    nothing_of_the_kind,
    foreign_domain,
    claimed_elsewhere,
    taken_elsewhere,
    taken_here,
    claimed_by_a_sister,
    given_up_elsewhere,
    left_by_an_erased_environment,
    f"support@{SHARED}",
    f"help@www.{SHARED}",
    f"postmaster@free.{SHARED}",
    f"help@two.levels.{SHARED}",
    f"a..b@free.{SHARED}",
    f"a+b@free.{SHARED}",
    f"é@free.{SHARED}",
    f"help@-free.{SHARED}",
    "not an address",
    "@",
    f"{'a' * 65}@free.{SHARED}",
]


@pytest.mark.parametrize("address", NOT_AVAILABLE)
def test_an_address_that_cannot_be_had_gets_one_answer(acme: World, globex: World, address: object) -> None:
    wanted = address if isinstance(address, str) else address(acme, globex)  # type: ignore[operator]
    answer = acme.api().post("/inboxes", {"email": wanted})
    of_nobodys = acme.api().post("/inboxes", {"email": "x@unknown.example"})
    assert answer.status_code == 422
    assert without_request_id(answer) == without_request_id(of_nobodys)
    assert error_of(answer)["code"] == "address_not_available"
    assert "POST /domains" in error_of(answer)["fix"]


def test_a_refused_address_claims_nothing(acme: World) -> None:
    acme.api().post("/inboxes", {"email": f"postmaster@free.{SHARED}"})
    assert acme.rows(Domain) == acme.rows(Domain, acme.production) == []


def test_a_held_address_is_free_after_thirty_days(acme: World, globex: World) -> None:
    with time_machine.travel(clock.now() - timedelta(days=30, minutes=1)):
        address = given_up_elsewhere(acme, globex)
    assert acme.api().post("/inboxes", {"email": address}).status_code == 201


def test_a_held_address_is_not_free_before(acme: World, globex: World) -> None:
    with time_machine.travel(clock.now() - timedelta(days=30, seconds=-60)):
        address = given_up_elsewhere(acme, globex)
    assert acme.api().post("/inboxes", {"email": address}).status_code == 422


def test_an_address_that_is_held_no_more_is_forgotten(acme: World, globex: World) -> None:
    with time_machine.travel(clock.now() - timedelta(days=30, minutes=1)):
        given_up_elsewhere(acme, globex)
    held = given_up_elsewhere(acme, globex)
    assert (forget_address_holds(0), AddressHold.objects.count()) == (1, 1)
    assert acme.api().post("/inboxes", {"email": held}).status_code == 422


def test_the_former_holder_may_have_its_address_back(acme: World) -> None:
    inbox = acme.inbox(email=f"help@ours.{SHARED}")
    api = acme.api(environments=[acme.development])
    api.delete(f"/inboxes/{inbox.pk}")
    assert api.post("/inboxes", {"email": inbox.email}).status_code == 201


def test_a_domain_with_inboxes_cannot_be_given_up(acme: World) -> None:
    domain = trusted(acme, "acme.example")
    inbox = acme.inbox(email="help@acme.example")
    api = acme.api()
    refused = api.delete(f"/domains/{domain.pk}")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "conflict")
    api.delete(f"/inboxes/{inbox.pk}")
    assert api.delete(f"/domains/{domain.pk}").status_code == 204


@pytest.mark.parametrize(
    "name", ["nonsense", "acme", f"{SHARED}", f"dev.{SHARED}", "-a.example", "a b.example", "é.example"]
)
def test_what_is_no_domain_of_ones_own_cannot_be_added(api: Api, name: str) -> None:
    answer = api.post("/domains", {"domain": name})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "domain")


def test_two_environments_may_wait_for_one_domain_and_one_gets_it(acme: World, globex: World) -> None:
    for world in (acme, globex):
        answer = world.api(environments=[world.development]).post("/domains", {"domain": "fought-for.example"})
        assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    trusted(acme, "other.example")
    with inside(acme.development):
        [ours] = Domain.objects.in_environment(acme.development).filter(name="fought-for.example")
        trust(ours, acme.development, actor=SYSTEM)
    assert acme.api().get(f"/domains/{ours.pk}").json()["status"] == "verified"


def test_mail_reaches_the_exact_address_and_its_plus_addresses(acme: World) -> None:
    inbox = acme.inbox(email=f"support@dev.{SHARED}")
    for address in (inbox.email, inbox.email.upper(), f"support+case7@dev.{SHARED}", f"support+a+b@dev.{SHARED}"):
        assert reached_by(address) == inbox.pk
    for address in (f"suppor@dev.{SHARED}", f"+@dev.{SHARED}", f"support@{SHARED}", "support", "", "@"):
        assert reached_by(address) is None


def test_mail_reaches_no_inbox_on_a_pending_domain(acme: World) -> None:
    with inside(acme.development):
        domain, _ = add_domain(acme.development, "acme.example", actor=SYSTEM)
    inbox = acme.inbox(email="help@acme.example")
    assert reached_by(inbox.email) is None
    with inside(acme.development):
        trust(domain, acme.development, actor=SYSTEM)
    assert reached_by(inbox.email) == inbox.pk


def test_a_catch_all_gets_what_no_inbox_has(acme: World) -> None:
    domain = trusted(acme, "acme.example")
    named, rest = acme.inbox(email="named@acme.example"), acme.inbox(email="rest@acme.example")
    with inside(acme.development):
        domain.catch_all = rest
        domain.save(update_fields=["catch_all"])
    assert reached_by("named@acme.example") == named.pk
    assert reached_by("anybody@acme.example") == rest.pk
    assert acme.api().delete(f"/inboxes/{rest.pk}").status_code == 204
    assert reached_by("anybody@acme.example") is None


def test_email_and_username_together_are_refused(api: Api) -> None:
    answer = api.post("/inboxes", {"email": f"a@dev.{SHARED}", "username": "a"})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "email")


def test_name_and_display_name_are_one_thing(api: Api) -> None:
    inbox = api.post("/inboxes", {"name": "One"}).json()
    changed = api.patch(f"/inboxes/{inbox['id']}", {"display_name": "Two"}).json()
    assert changed["name"] == changed["display_name"] == "Two"
    assert api.patch(f"/inboxes/{inbox['id']}", {"name": ""}).json()["display_name"] == ""


def test_an_inbox_has_the_documented_fields(api: Api) -> None:
    assert list(api.post("/inboxes", {"metadata": {"case": 7}}).json()) == [
        "id",
        "environment_id",
        "email",
        "username",
        "domain",
        "display_name",
        "name",
        "client_id",
        "send_paused",
        "pause_reason",
        "hourly_sending_quota",
        "daily_sending_quota",
        "metadata",
        "created_at",
        "updated_at",
    ]


def test_a_deleted_inbox_is_gone(acme: World) -> None:
    inbox = acme.inbox()
    api = acme.api()
    assert api.delete(f"/inboxes/{inbox.pk}").status_code == 204
    assert api.get(f"/inboxes/{inbox.pk}").status_code == 404
    assert acme.rows(Inbox) == []
