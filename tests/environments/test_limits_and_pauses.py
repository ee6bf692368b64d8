"""Limits are tightened by keys and loosened by people; pauses say why; events tell of both, and of keys."""

from typing import Any

import pytest

from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import Refusal
from environments.models import AuditEntry, Environment
from environments.services.environments import (
    pause_by_system,
    set_delivery_mode,
    set_lock,
    update_environment,
)
from inboxes.models import Inbox
from inboxes.services.inboxes import pause_sending, update_inbox
from tests.world import PERSON, Api, World, error_of
from webhooks.models import Event

DEV = "/environments/development"
KEY = Actor("key", "key_1")
OPERATOR = Actor("operator", "1", "root@acme.example")
LIMITS = [  # limit,                       before, tighter, looser
    ("hourly_sending_quota", None, 10, "-"),
    ("hourly_sending_quota", 10, 9, 11),
    ("daily_sending_quota", 10, 0, None),
    ("recipient_domain_hourly_limit", 10, 10, 11),
    ("repetition_limit", 20, 1, None),
    ("repetition_limit", 20, 19, 21),
    ("deliverability_floor", 50, 60, 40),
    ("deliverability_floor", 50, 50, None),
    ("deliverability_floor", None, 1, "-"),
]


def told(acme: World, *types: str) -> list[dict[str, Any]]:
    return [event.data for event in acme.rows(Event) if event.type in types]


def actions(acme: World) -> list[str]:
    return [entry.action for entry in AuditEntry.objects.in_organization(acme.organization).order_by("sequence")]


def allow(environment: Environment, *entries: str, actor: Actor = PERSON) -> Environment:
    """Change the allowlist, and leave the mode what it is."""
    return set_delivery_mode(environment, environment.delivery_mode, actor=actor, reason="Why", allowlist=entries)


@pytest.mark.parametrize(("name", "before", "tighter", "looser"), LIMITS)
def test_a_key_tightens_a_limit_and_only_a_person_loosens_it(
    acme: World, api: Api, name: str, before: Any, tighter: Any, looser: Any
) -> None:
    update_environment(acme.development, {name: before}, actor=PERSON)
    if looser != "-":
        answer = api.patch(DEV, {name: looser})
        assert (answer.status_code, error_of(answer)["code"]) == (403, "person_required")
    assert api.patch(DEV, {name: tighter}).json()[name] == tighter
    changed = update_environment(acme.development, {name: None if looser == "-" else looser}, actor=PERSON)
    assert getattr(changed, name) == (None if looser == "-" else looser)


@pytest.mark.parametrize(
    "body",
    [
        {"hourly_sending_quota": -1},
        {"daily_sending_quota": 2**53 + 1},
        {"daily_sending_quota": "7"},
        {"daily_sending_quota": True},
        {"daily_sending_quota": 1.5},
        {"repetition_limit": 0},
        {"repetition_limit": 1001},
        {"quota_warning_percent": None},
        {"quota_warning_percent": 101},
        {"deliverability_floor": 101},
        {"allowlist": ["not an address or domain"]},
        {"allowlist": ["@"]},
        {"allowlist": "example.com"},
        {"allowlist": [None]},
        {"redirect_address": "nobody"},
        {"pause_reason": "two\nlines"},
    ],
)
def test_what_is_no_limit_and_no_destination_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.patch(DEV, body)
    assert (answer.status_code, error_of(answer)["details"][0]["field"].split(".")[0]) == (422, next(iter(body)))


def test_a_key_takes_entries_off_the_allowlist_and_adds_none(acme: World, api: Api) -> None:
    allow(acme.development, "ann@acme.example", "globex.example")
    refused = api.patch(DEV, {"allowlist": ["ann@acme.example", "globex.example", "bob@acme.example"]})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "person_required")
    assert api.patch(DEV, {"allowlist": ["@GLOBEX.example."]}).json()["allowlist"] == ["globex.example"]
    assert api.patch(DEV, {"redirect_address": "me@evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        (" example.com. ", "example.com"),
        ("@Exämple.example", "xn--exmple-cua.example"),
        ("ann@exämple.example", "ann@xn--exmple-cua.example"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("localhost", "localhost"),
    ],
)
def test_an_entry_is_stored_as_mail_names_it(acme: World, given: str, stored: str) -> None:
    assert allow(acme.development, given, given).allowlist == [stored]


@pytest.mark.parametrize(
    "entry", ["", "a b@example.com", "*.example.com", "a@", "a@b@", "exa mple.com", "a@" + "x" * 300]
)
def test_what_is_neither_address_nor_domain_is_no_entry(acme: World, entry: str) -> None:
    with pytest.raises(Refusal) as refused:
        allow(acme.development, entry)
    assert refused.value.details[0]["field"] == "allowlist"


def test_an_allowlist_and_an_address_are_acts_of_a_person_on_record(acme: World) -> None:
    set_delivery_mode(
        acme.development,
        "redirect",
        actor=PERSON,
        reason="Our testers",
        allowlist=["acme.example"],
        redirect_address="Test@Acme.example",
    )
    [changed] = AuditEntry.objects.in_organization(acme.organization).filter(action="environment.allowlist_changed")
    assert (changed.before, changed.after, changed.reason) == (
        {"allowlist": []}, {"allowlist": ["acme.example"]}, "Our testers",
    )  # fmt: skip
    assert actions(acme)[-3:] == [
        "environment.delivery_mode_changed", "environment.allowlist_changed", "environment.redirect_address_changed",
    ]  # fmt: skip
    acme.development.refresh_from_db()
    assert acme.development.redirect_address == "test@acme.example"


@pytest.mark.parametrize("actor", [KEY, SYSTEM])
def test_nobody_but_a_person_lets_mail_out_to_more(acme: World, actor: Actor) -> None:
    for change in (
        lambda: allow(acme.development, "a@b.example", actor=actor),
        lambda: set_delivery_mode(acme.development, "capture", actor=actor, reason="x", redirect_address="a@b.example"),
        lambda: set_delivery_mode(acme.development, "allowlist", actor=actor, reason="x"),
        lambda: update_environment(acme.development, {"allowlist": ["a@b.example"]}, actor=PERSON),
    ):
        with pytest.raises(Refusal) as refused:
            change()
        assert refused.value.code == "person_required"


def test_a_redirect_has_an_address_as_long_as_it_lasts(acme: World) -> None:
    for refused in (
        lambda: set_delivery_mode(acme.development, "redirect", actor=PERSON, reason="x"),
        lambda: set_delivery_mode(acme.production, "redirect", actor=PERSON, reason="x", redirect_address=""),
    ):
        set_delivery_mode(acme.production, "redirect", actor=PERSON, reason="x", redirect_address="a@b.example")
        with pytest.raises(Refusal) as refusal:
            refused()
        assert refusal.value.details[0]["field"] == "redirect_address"


def test_a_person_locks_and_only_an_operator_unlocks(acme: World) -> None:
    assert set_lock(acme.development, is_locked=True, actor=PERSON, reason="A customer's").is_locked
    with pytest.raises(Refusal, match="locked"):
        acme.go_live(acme.development)
    for actor, code in ((PERSON, "forbidden"), (KEY, "person_required")):
        with pytest.raises(Refusal) as refused:
            set_lock(acme.development, is_locked=False, actor=actor, reason="x")
        assert refused.value.code == code
    assert not set_lock(acme.development, is_locked=False, actor=OPERATOR, reason="It was a mistake").is_locked
    assert actions(acme)[-2:] == ["environment.locked", "environment.unlocked"]


def test_what_is_live_is_not_locked(acme: World) -> None:
    acme.go_live(acme.development)
    with pytest.raises(Refusal) as refused:
        set_lock(acme.development, is_locked=True, actor=PERSON, reason="x")
    assert refused.value.code == "conflict"


def test_a_pause_says_who_and_why_and_events_tell_of_it(acme: World, api: Api) -> None:
    paused = api.patch(DEV, {"outbound_paused": True, "pause_reason": "The model went astray"}).json()
    assert paused["pause_reasons"]["outbound"].items() >= {
        "by": "key", "explanation": "The model went astray", "code": "requested",
    }.items()  # fmt: skip
    api.patch(DEV, {"outbound_paused": True})
    assert api.patch(DEV, {"outbound_paused": False}).json()["pause_reasons"] == {}
    paused, resumed = told(acme, "environment.paused", "environment.resumed")
    assert (paused["scope"], paused["pause"], paused["reason"]["explanation"]) == (
        "environment", "outbound", "The model went astray",
    )  # fmt: skip
    assert (resumed["pause"], resumed["reason"]) == ("outbound", None)


def test_a_brake_is_lifted_by_a_person_only_and_told_once(acme: World, api: Api) -> None:
    for _ in range(2):
        pause_by_system(acme.development, "outbound", code="deliverability", explanation="Too many bounces", score=31)
    refused = api.patch(DEV, {"outbound_paused": False})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "person_required")
    [event] = told(acme, "environment.paused")
    assert (event["reason"]["by"], event["reason"]["code"], event["reason"]["figures"]) == (
        "system", "deliverability", {"score": 31},
    )  # fmt: skip
    update_environment(acme.development, {"outbound_paused": False}, actor=PERSON)
    assert api.get(DEV).json()["outbound_paused"] is False


def test_a_key_does_not_talk_a_brake_away_by_a_reason_of_its_own(acme: World, api: Api) -> None:
    inbox = acme.inbox()
    pause_by_system(acme.development, "outbound", code="deliverability", explanation="Too many bounces")
    pause_sending(acme.development, inbox.pk, code="runaway_sending", explanation="Too often the same")
    for path, name in ((DEV, "outbound_paused"), (f"/inboxes/{inbox.pk}", "send_paused")):
        assert api.patch(path, {name: True, "pause_reason": "Mine now"}).status_code == 200
        assert error_of(api.patch(path, {name: False}))["code"] == "person_required"


def test_a_key_lowers_quotas_of_an_inbox_and_a_person_raises_them(acme: World, api: Api) -> None:
    made = api.post("/inboxes", {"environment_id": "development", "daily_sending_quota": 10}).json()
    path = f"/inboxes/{made['id']}"
    assert made["daily_sending_quota"] == 10
    assert api.patch(path, {"daily_sending_quota": 9}).json()["daily_sending_quota"] == 9
    assert error_of(api.patch(path, {"daily_sending_quota": None}))["code"] == "person_required"
    assert api.patch(path, {"daily_sending_quota": -1}).status_code == 422
    with inside(acme.development):
        inbox = Inbox.objects.in_environment(acme.development).get(pk=made["id"])
        update_inbox(inbox, acme.development, {"daily_sending_quota": 99}, actor=PERSON)
    assert api.get(path).json()["daily_sending_quota"] == 99


def test_a_pause_of_an_inbox_is_told_of(acme: World, api: Api) -> None:
    inbox = acme.inbox()
    shown = api.patch(f"/inboxes/{inbox.pk}", {"send_paused": True, "pause_reason": "Holidays"}).json()
    assert (shown["pause_reason"]["by"], shown["pause_reason"]["explanation"]) == ("key", "Holidays")
    api.patch(f"/inboxes/{inbox.pk}", {"send_paused": False})
    assert [event["scope"] for event in told(acme, "environment.paused", "environment.resumed")] == ["inbox", "inbox"]


KEYS = [  # quota of the key that asks, of the one it asks for ("-": nothing said),  what becomes of it
    (None, "-", None),
    (None, 5, 5),
    (10, "-", 10),
    (10, 10, 10),
    (10, 0, 0),
    (10, 11, "permission_escalation"),
    (10, None, "permission_escalation"),
]


@pytest.mark.parametrize(("own", "asked", "becomes"), KEYS)
def test_a_key_gives_no_key_more_than_it_has(acme: World, own: Any, asked: Any, becomes: Any) -> None:
    body = {"name": "weak"} if asked == "-" else {"name": "weak", "daily_sending_quota": asked}
    answer = acme.api(daily_sending_quota=own).post("/api-keys", body)
    got = answer.json()["daily_sending_quota"] if answer.status_code == 201 else error_of(answer)["code"]
    assert got == becomes


def test_a_key_does_not_take_the_secret_of_one_that_may_send_more(acme: World) -> None:
    free = acme.new_key().key
    answer = acme.api(hourly_sending_quota=5).post(f"/api-keys/{free.pk}/rotate")
    assert error_of(answer)["code"] == "permission_escalation"


def test_a_key_of_one_environment_is_told_of_there(acme: World, api: Api) -> None:
    before = len(acme.rows(Event, acme.production))
    made = api.post("/api-keys", {"name": "agent", "environment_ids": ["development"]}).json()
    api.delete(f"/api-keys/{made['id']}")
    created, revoked = told(acme, "api_key.created", "api_key.revoked")
    assert (created["api_key_id"], created["name"], revoked["api_key_id"]) == (made["id"], "agent", made["id"])
    assert len(acme.rows(Event, acme.production)) == before


@pytest.mark.parametrize("reach", [None, ["development", "production"]])
def test_a_key_of_several_is_told_of_in_the_default_one_without_its_name(acme: World, api: Api, reach: Any) -> None:
    before = len(acme.rows(Event))
    api.post("/api-keys", {"name": "everywhere", **({"environment_ids": reach} if reach else {})})
    assert len(acme.rows(Event)) == before
    newest = acme.rows(Event, acme.production)[-1]
    assert (newest.type, newest.data["name"]) == ("api_key.created", None)
