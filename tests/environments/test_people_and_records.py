"""Members, invitations, what is on record, and what was used."""

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
import time_machine

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.services import usage
from environments.services.audit import broken_links
from environments.services.members import add_member
from tests.world import Api, World, error_of


def member(world: World, name: str = "ann", role: str = "member") -> str:
    identifier: str = add_member(world.organization, f"{name}@acme.example", role, actor=SYSTEM)[0].pk
    return identifier


def test_a_member_comes_changes_and_goes(acme: World, api: Api) -> None:
    ann = member(acme)
    assert api.get(f"/org/members/{ann}").json()["email"] == "ann@acme.example"
    assert api.patch(f"/org/members/{ann}", {"role": "admin"}).json()["role"] == "admin"
    assert [row["role"] for row in api.items("/org/members")] == ["admin", "owner"]
    assert api.delete(f"/org/members/{ann}").status_code == 204
    assert api.get(f"/org/members/{ann}").status_code == 404


@pytest.mark.parametrize(("method", "body"), [("patch", {"role": "member"}), ("delete", None)])
def test_the_owner_stays_the_owner(acme: World, api: Api, method: str, body: Any) -> None:
    answer = api.call(method, f"/org/members/{acme.owner.pk}", body)
    assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden")


def test_no_key_makes_an_owner(acme: World, api: Api) -> None:
    assert api.patch(f"/org/members/{member(acme)}", {"role": "owner"}).status_code == 422
    assert api.post("/org/invitations", {"email": "new@acme.example", "role": "owner"}).status_code == 422


def test_an_address_is_invited_once(api: Api) -> None:
    made = api.post("/org/invitations", {"email": "New@Acme.Example", "role": "admin"})
    assert (made.status_code, made.json()["status"], made.json()["email"]) == (201, "pending", "new@acme.example")
    assert "/console/invitations/" not in made.text  # whoever holds the link becomes a person: no key is told it
    again = api.post("/org/invitations", {"email": "new@acme.example"})
    assert (again.status_code, error_of(again)["code"]) == (409, "conflict")
    assert api.delete(f"/org/invitations/{made.json()['id']}").status_code == 204
    assert api.get(f"/org/invitations/{made.json()['id']}").json()["status"] == "revoked"
    assert api.post("/org/invitations", {"email": "new@acme.example"}).status_code == 201


def test_an_invitation_that_ran_out_makes_room(api: Api) -> None:
    made = api.post("/org/invitations", {"email": "new@acme.example"}).json()
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert api.post("/org/invitations", {"email": "new@acme.example"}).status_code == 201
        assert api.get(f"/org/invitations/{made['id']}").json()["status"] == "expired"


def test_an_invitation_that_ran_out_is_told_as_expired(api: Api) -> None:
    made = api.post("/org/invitations", {"email": "new@acme.example"}).json()
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert api.get(f"/org/invitations/{made['id']}").json()["status"] == "expired"
        assert [row["status"] for row in api.items("/org/invitations")] == ["expired"]


def test_who_is_a_member_is_not_invited(acme: World, api: Api) -> None:
    member(acme)
    assert api.post("/org/invitations", {"email": "ANN@acme.example"}).status_code == 409


def test_a_member_is_added_to_an_environment_and_leaves_it(acme: World, api: Api) -> None:
    ann, path = member(acme), "/environments/development/members"
    made = api.post(path, {"member_id": ann, "role": "member"})
    assert (made.status_code, made.json()["member_id"], made.json()["role"]) == (201, ann, "member")
    assert api.post(path, {"member_id": ann, "role": "member"}).status_code == 200
    assert api.patch(f"{path}/{ann}", {"role": "admin"}).json()["role"] == "admin"
    assert [row["role"] for row in api.items(path)] == ["admin"]
    assert api.items("/environments/production/members") == []
    assert api.delete(f"{path}/{ann}").status_code == 204
    assert api.delete(f"{path}/{ann}").status_code == 404


def test_members_of_an_environment_are_told_in_pages_whose_cursor_names_nothing_but_them(acme: World, api: Api) -> None:
    ids = [member(acme, name) for name in ("ann", "bob", "eve")]
    for identifier in (ids[1], ids[0], ids[2]):  # added in an order that is not that of their ids
        api.post("/environments/development/members", {"member_id": identifier, "role": "member"})
    first = api.get("/environments/development/members?limit=2").json()
    rest = api.get(f"/environments/development/members?limit=2&cursor={first['next_cursor']}").json()
    assert [row["member_id"] for row in first["data"] + rest["data"]] == ids[::-1]
    encoded = first["next_cursor"].partition(".")[0]
    assert orjson.loads(base64.urlsafe_b64decode(encoded + "==")) == [ids[1]]


def test_a_member_of_another_organization_is_none(acme: World, globex: World, api: Api) -> None:
    theirs = add_member(globex.organization, "x@globex.example", "member", actor=SYSTEM)[0].pk
    unknown = theirs[:-4] + "0000"
    answers = [
        api.post("/environments/development/members", {"member_id": identifier, "role": "member"})
        for identifier in (theirs, unknown, "nonsense")
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({error_of(answer)["details"][0]["message"] for answer in answers}) == 1


def test_what_was_done_is_on_record_with_who_and_from_where(acme: World) -> None:
    made = acme.new_key()
    api = Api(made.secret)
    inbox = api.post("/inboxes", {"environment_id": "development"}).json()
    entry = api.items("/audit")[0]
    assert (entry["action"], entry["target_id"]) == ("inbox.created", inbox["id"])
    assert entry["environment_id"] == acme.development.pk
    assert entry["actor"] == {"kind": "key", "id": made.key.pk, "name": "a key", "address": "127.0.0.1"}
    assert entry["after"] == {"email": inbox["email"]}
    assert api.get(f"/audit/{entry['id']}").json() == entry
    assert list(broken_links(acme.organization)) == []


def test_the_record_can_be_narrowed(acme: World, api: Api) -> None:
    api.post("/inboxes", {"environment_id": "development"})
    api.post("/inboxes", {"environment_id": "production"})
    assert len(api.items("/audit?action=inbox.created")) == 2
    assert len(api.items("/audit?action=inbox.created&environment_id=production")) == 1
    assert api.get("/audit?environment_id=nowhere").status_code == 404


def test_a_narrow_key_reads_the_record_of_its_own_environments(acme: World, api: Api) -> None:
    api.post("/inboxes", {"environment_id": "development"})
    api.post("/inboxes", {"environment_id": "production"})
    narrow = acme.api(environments=[acme.development])
    assert {entry["environment_id"] for entry in narrow.items("/audit")} == {acme.development.pk}
    foreign = api.items("/audit?environment_id=production")[0]["id"]
    assert narrow.get(f"/audit/{foreign}").status_code == 404
    assert narrow.get("/audit?environment_id=production").status_code == 404


def test_a_dev_key_reads_the_record_of_all_but_what_is_live(acme: World) -> None:
    dev = acme.api()
    acme.go_live(acme.production)
    assert acme.production.pk not in {entry["environment_id"] for entry in dev.items("/audit?limit=100")}
    assert None in {entry["environment_id"] for entry in dev.items("/audit?limit=100")}


def used(world: World, at: Any, **amounts: int) -> None:
    with inside(world.development), time_machine.travel(at):
        usage.count(world.development.pk, amounts)


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        ("hour", ["2026-03-08T14:00:00.000Z", "2026-03-08T15:00:00.000Z", "2026-04-01T00:00:00.000Z"]),
        ("day", ["2026-03-08T00:00:00.000Z", "2026-04-01T00:00:00.000Z"]),
        ("month", ["2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"]),
    ],
)
def test_usage_is_added_up_by_interval(acme: World, api: Api, interval: str, starts: list[str]) -> None:
    used(acme, "2026-03-08T14:10:00Z", messages_in=1, bytes_stored=100)
    used(acme, "2026-03-08T14:50:00Z", messages_in=2)
    used(acme, "2026-03-08T15:00:00Z", messages_out=1, messages_captured=1)
    used(acme, "2026-04-01T00:00:00Z", bytes_stored=-40)
    path = f"/environments/development/usage?from=2026-03-08&to=2026-04-02&interval={interval}"
    answer = api.get(path).json()
    assert [row["start"] for row in answer["data"]] == starts
    totals = answer["totals"]
    assert (totals["messages_in"], totals["messages_out"], totals["messages_captured"]) == (3, 1, 1)
    assert totals["bytes_stored"] == 60
    assert {"messages_bounced", "webhook_deliveries", "api_calls"} <= totals.keys()


def test_usage_tells_of_the_last_thirty_days_unless_asked(acme: World, api: Api) -> None:
    used(acme, clock.now() - timedelta(days=31), messages_in=1)
    used(acme, clock.now() - timedelta(days=29), messages_in=2)
    answer = api.get("/usage?environment_id=development").json()
    assert answer["totals"]["messages_in"] == 2
    assert api.get("/usage?environment_id=production").json()["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-01-01&to=2001-01-01",
        "from=2001-01-01&to=2026-01-01",
        "from=2026-01-01&to=2026-03-01&interval=hour",
        "interval=year",
        "from=soon",
        "to=0001-01-01",
        "from=9999-12-31",
    ],
)
def test_a_period_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/usage?environment_id=development&{query}")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")
