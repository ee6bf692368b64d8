"""Suppressions: who puts an address on the list, who may take it off, and what it means for sending."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import PersonRequired
from environments.models import AuditEntry
from inboxes.models import Suppression
from inboxes.services.suppressions import lift, suppress, suppressed
from tests.world import PERSON, Api, World, error_of

pytestmark = pytest.mark.django_db

KEY = Actor("key", "key_1", "a key")


def put(world: World, email: str = "ann@example.com", **options: object) -> Suppression:
    with inside(world.development):
        return suppress(world.development, email, **{"reason": "hard_bounce", **options})[0]


def why(world: World, *emails: str) -> dict[str, str]:
    with inside(world.development):
        return suppressed(world.development, emails)


def test_a_suppressed_address_is_told_with_a_sentence_however_it_is_written(acme: World) -> None:
    put(acme, "Ann@Exämple.com")
    found = why(acme, "ANN@exämple.com", "ann@xn--exmple-cua.com", "bob@example.com")
    assert set(found) == {"ANN@exämple.com", "ann@xn--exmple-cua.com"}
    assert "bounced before" in found["ANN@exämple.com"]


def test_a_hundred_recipients_cost_one_query(acme: World) -> None:
    put(acme)
    with inside(acme.development), CaptureQueriesContext(connection) as queries:
        assert len(suppressed(acme.development, [f"{n}@example.com" for n in range(100)] + ["ann@example.com"])) == 1
    assert len(queries) == 1


def test_nobody_elses_list_is_asked(acme: World) -> None:
    put(acme)
    with inside(acme.production):
        assert suppressed(acme.production, ["ann@example.com"]) == {}


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("hard_bounce", "hard_bounce", "hard_bounce"),
        ("hard_bounce", "complaint", "complaint"),
        ("complaint", "hard_bounce", "complaint"),
        ("unsubscribed", "manual", "unsubscribed"),
        ("manual", "unsubscribed", "unsubscribed"),
    ],
)
def test_an_address_is_on_the_list_once_for_its_weightiest_reason(
    acme: World, before: str, after: str, reason: str
) -> None:
    first, second = put(acme, reason=before), put(acme, reason=after)
    assert (first.pk, second.reason, len(acme.rows(Suppression))) == (second.pk, reason, 1)


WHO_MAY_LIFT = [  # reason,      set by, lifted by, whether it works
    ("hard_bounce", SYSTEM, KEY, True),
    ("unsubscribed", SYSTEM, KEY, False),
    ("unsubscribed", SYSTEM, PERSON, True),
    ("manual", KEY, KEY, True),
    ("manual", PERSON, KEY, False),
    ("hard_bounce", PERSON, KEY, False),
    ("complaint", SYSTEM, KEY, False),
    ("complaint", SYSTEM, SYSTEM, False),
    ("complaint", SYSTEM, PERSON, True),
    ("manual", PERSON, PERSON, True),
]


@pytest.mark.parametrize(("reason", "setter", "lifter", "works"), WHO_MAY_LIFT)
def test_who_may_have_an_address_written_to_again(
    acme: World, reason: str, setter: Actor, lifter: Actor, works: bool
) -> None:
    row = put(acme, reason=reason, actor=setter)
    with inside(acme.development):
        if works:
            lift(acme.development, row, actor=lifter, reason="They asked")
        else:
            with pytest.raises(PersonRequired):
                lift(acme.development, row, actor=lifter)
    assert bool(why(acme, "ann@example.com")) != works


def test_a_person_confirms_what_a_key_then_cannot_lift(acme: World) -> None:
    put(acme, reason="manual", actor=KEY)
    confirmed = put(acme, reason="manual", actor=PERSON)
    with inside(acme.development), pytest.raises(PersonRequired):
        lift(acme.development, confirmed, actor=KEY)


def test_a_key_cannot_lift_an_unsubscription_by_calling_it_something_else(acme: World) -> None:
    put(acme, reason="unsubscribed")
    renamed = put(acme, reason="manual", actor=KEY)
    with inside(acme.development), pytest.raises(PersonRequired):
        lift(acme.development, renamed, actor=KEY)


def test_what_keys_and_people_do_is_audited_and_what_reports_do_is_not(acme: World) -> None:
    row = put(acme, "key@example.com", reason="manual", actor=KEY)
    put(acme, "report@example.com")
    with inside(acme.development):
        lift(acme.development, row, actor=PERSON, reason="They asked")
    entries = AuditEntry.objects.in_organization(acme.organization).filter(action__startswith="suppression.")
    told = list(entries.order_by("sequence").values_list("action", "reason"))
    assert told == [("suppression.added", ""), ("suppression.lifted", "They asked")]


def test_the_api_lists_filters_adds_and_removes(acme: World, api: Api) -> None:
    put(acme, "bounced@example.com", source="msg_1", explanation="550 nobody")
    here = "/environments/development/suppressions"
    made = api.post(here, {"email": "Left@Example.com", "reason": "manual"})
    again = api.post(here, {"email": "left@example.com"})
    assert (made.status_code, again.status_code, again.json()["id"]) == (201, 200, made.json()["id"])
    assert [row["email"] for row in api.items(here)] == ["left@example.com", "bounced@example.com"]
    [bounced] = api.items(f"{here}?reason=hard_bounce")
    assert (bounced["message_id"], bounced["explanation"]) == ("msg_1", "550 nobody")
    assert [row["reason"] for row in api.items(f"{here}?email=LEFT@example.com")] == ["manual"]
    assert api.delete(f"/suppressions/{made.json()['id']}").status_code == 204
    assert api.get(f"/suppressions/{made.json()['id']}").status_code == 404


def test_a_key_is_told_that_a_complaint_needs_a_person(acme: World, api: Api) -> None:
    row = put(acme, reason="complaint")
    answer = api.delete(f"/suppressions/{row.pk}")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "person_required")


@pytest.mark.parametrize(
    "given",
    [
        {"email": "no address"},
        {"email": "a@b@c"},
        {"email": "a" * 300 + "@" + "b" * 20},
        {"email": "bounce@simulator.agentpost.localhost"},
        {"email": "ann@example.com", "reason": "complaint"},
        {"email": "ann@example.com", "reason": "hard_bounce"},
        {},
    ],
)
def test_what_is_no_suppression_is_refused(acme: World, api: Api, given: dict[str, str]) -> None:
    assert api.post("/environments/development/suppressions", given).status_code == 422
