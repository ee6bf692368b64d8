"""The muzzle: a key may tighten it, and only a person may loosen it."""

from typing import Any

import pytest

from environments.binding import inside
from environments.errors import Refusal
from environments.models import Environment
from environments.services.environments import set_delivery_mode, update_environment
from inboxes.services.inboxes import update_inbox
from tests.world import PERSON, Api, World, error_of

MODES = ["capture", "allowlist", "redirect", "live"]
PAUSES = ["outbound_paused", "inbound_paused", "webhooks_paused"]
DEV = "/environments/development"


def answer_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, error_of(answer)["code"] if answer.status_code >= 400 else ""


def reaching_live(acme: World) -> Api:
    """Return the API for a key that went on reaching what is live."""
    acme.go_live(acme.production)
    return acme.api()


@pytest.mark.parametrize("before", MODES)
@pytest.mark.parametrize("wanted", MODES)
def test_a_key_may_only_go_back_to_capture(acme: World, before: str, wanted: str) -> None:
    api = reaching_live(acme)
    set_delivery_mode(acme.development, before, actor=PERSON, reason="to begin with", redirect_address="d@acme.example")
    expected = (200, "") if wanted in {before, "capture"} else (403, "person_required")
    assert answer_of(api.patch(DEV, {"delivery_mode": wanted})) == expected
    acme.development.refresh_from_db()
    assert acme.development.delivery_mode == (wanted if expected[0] == 200 else before)


@pytest.mark.parametrize("mode", MODES)
def test_what_a_key_creates_captures(api: Api, mode: str) -> None:
    answer = api.post("/environments", {"name": "New", "delivery_mode": mode})
    assert answer_of(answer) == ((201, "") if mode == "capture" else (403, "person_required"))


def test_a_new_environment_captures(acme: World, api: Api) -> None:
    assert api.post("/environments", {"name": "New"}).json()["delivery_mode"] == "capture"
    assert acme.production.delivery_mode == "capture"


@pytest.mark.parametrize("pause", PAUSES)
def test_a_key_may_pause_and_lift_its_own_pause(api: Api, pause: str) -> None:
    assert api.patch(DEV, {pause: True}).json()[pause] is True
    assert api.patch(DEV, {pause: False}).json()[pause] is False


@pytest.mark.parametrize("pause", PAUSES)
def test_a_key_may_not_lift_what_a_person_paused(acme: World, api: Api, pause: str) -> None:
    update_environment(acme.development, {pause: True}, actor=PERSON)
    assert answer_of(api.patch(DEV, {pause: False})) == (403, "person_required")
    assert answer_of(api.patch(DEV, {pause: True})) == (200, "")
    assert api.get(DEV).json()[pause] is True
    others = {other: True for other in PAUSES if other != pause}
    assert api.patch(DEV, others).status_code == 200
    assert api.patch(DEV, dict.fromkeys(others, False)).status_code == 200
    update_environment(acme.development, {pause: False}, actor=PERSON)
    assert api.get(DEV).json()[pause] is False


def test_a_key_may_not_lift_a_pause_of_an_inbox_that_a_person_set(acme: World, api: Api) -> None:
    inbox = acme.inbox()
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"send_paused": True}, actor=PERSON)
    path = f"/inboxes/{inbox.pk}"
    assert answer_of(api.patch(path, {"send_paused": False})) == (403, "person_required")
    assert answer_of(api.patch(path, {"send_paused": True, "name": "Desk"})) == (200, "")
    assert answer_of(api.patch(path, {"send_paused": False})) == (403, "person_required")
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"send_paused": False}, actor=PERSON)
    assert api.patch(path, {"send_paused": True}).json()["send_paused"] is True
    assert api.patch(path, {"send_paused": False}).json()["send_paused"] is False


def test_a_refused_change_changes_nothing_at_all(acme: World, api: Api) -> None:
    before = api.get(DEV).json()
    assert api.patch(DEV, {"name": "Other", "outbound_paused": True, "delivery_mode": "live"}).status_code == 403
    assert api.get(DEV).json() == before


def test_a_locked_environment_never_goes_live(acme: World) -> None:
    Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).update(is_locked=True)
    with pytest.raises(Refusal) as refused:
        set_delivery_mode(acme.development, "live", actor=PERSON, reason="Please")
    assert refused.value.status == 403


@pytest.mark.parametrize("reason", ["", "   "])
def test_going_live_needs_a_reason(acme: World, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        set_delivery_mode(acme.development, "live", actor=PERSON, reason=reason)
    assert refused.value.code == "validation_error"


def test_going_live_is_on_record_with_its_reason(acme: World) -> None:
    acme.go_live(acme.production)
    [entry] = acme.api().items("/audit?action=environment.delivery_mode_changed")
    assert (entry["before"], entry["after"]) == ({"delivery_mode": "capture"}, {"delivery_mode": "live"})
    assert (entry["reason"], entry["actor"]["name"]) == ("The test says so.", PERSON.name)


def test_an_environment_has_the_documented_fields(api: Api) -> None:
    made = api.post(
        "/environments",
        {"name": "Customer Größe", "description": "Ours", "metadata": {"tier": 1}, "client_id": "c1"},
    ).json()
    documented = {"id", "name", "slug", "description", "is_default", "delivery_mode", "metadata", "client_id", *PAUSES}
    assert documented <= made.keys()
    assert (made["slug"], made["is_default"]) == ("customer-groe", False)
    assert api.get(f"/environments/{made['slug']}").json() == made


@pytest.mark.parametrize("body", [{"name": "Development"}, {"name": "Other", "slug": "development"}])
def test_a_slug_that_is_taken_is_a_conflict(api: Api, body: dict[str, str]) -> None:
    assert answer_of(api.post("/environments", body)) == (409, "conflict")
    made = api.post("/environments", {"name": "Other"}).json()
    assert answer_of(api.patch(f"/environments/{made['id']}", {"slug": "development"})) == (409, "conflict")


def test_the_same_slug_is_free_in_another_organization(acme: World, globex: World) -> None:
    assert acme.api().post("/environments", {"name": "Stage"}).status_code == 201
    assert globex.api().post("/environments", {"name": "Stage"}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "日本"},
        {"name": "x", "slug": "Upper"},
        {"name": "x", "slug": "-x"},
        {"name": "x", "slug": "x" * 64},
        {"name": "x", "delivery_mode": "loose"},
        {"name": "x", "is_default": True},
        {"name": "x", "metadata": {"a": {}}},
    ],
)
def test_an_environment_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert answer_of(api.post("/environments", body)) == (422, "validation_error")


def test_a_narrow_key_creates_no_environment(acme: World) -> None:
    api = acme.api(environments=[acme.development])
    assert answer_of(api.post("/environments", {"name": "New"})) == (403, "forbidden")
    assert [row["slug"] for row in api.items("/environments")] == ["development"]
