"""What lets more mail out is an act of a person: a table of who asks for which change of an environment."""

from typing import Any

import pytest

from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import Forbidden, NotFound, PersonRequired, ValidationFailed
from environments.models import AuditEntry, Environment
from environments.services.environments import (
    create_environment,
    delete_environment,
    set_delivery_mode,
    update_environment,
)
from inboxes.models import Inbox
from inboxes.services.filter_rules import create_rule
from inboxes.services.inboxes import pause_sending, update_inbox
from mail.services.deletion import delete_inbox
from tests.world import World, error_of

pytestmark = pytest.mark.django_db
KEY, PERSON, OPERATOR = Actor("key", "key_1"), Actor("member", "mem_1"), Actor("operator", "1")

MODES = ["allowlist", "redirect", "live"]


def fresh(environment: Environment) -> Environment:
    return Environment.objects.in_organization(environment.organization_id).get(pk=environment.pk)


@pytest.mark.parametrize("actor", [KEY, PERSON], ids=["key", "person"])
@pytest.mark.parametrize("mode", MODES)
def test_no_plain_change_lets_more_mail_out(acme: World, actor: Actor, mode: str) -> None:
    with pytest.raises(PersonRequired):
        update_environment(acme.development, {"delivery_mode": mode}, actor=actor)
    with pytest.raises(PersonRequired):
        create_environment(acme.organization, "Another", actor=actor, delivery_mode=mode)
    assert fresh(acme.development).delivery_mode == "capture"


@pytest.mark.parametrize("mode", MODES)
def test_no_key_changes_the_mode_with_a_reason_either(acme: World, mode: str) -> None:
    with pytest.raises(PersonRequired):
        set_delivery_mode(acme.development, mode, actor=KEY, reason="because")


@pytest.mark.parametrize("mode", MODES)
def test_a_person_does_with_a_reason_that_is_kept(acme: World, mode: str) -> None:
    with pytest.raises(ValidationFailed):
        set_delivery_mode(acme.development, mode, actor=PERSON, reason=" ")
    set_delivery_mode(acme.development, mode, actor=PERSON, reason="launch", redirect_address="a@acme.example")
    assert fresh(acme.development).delivery_mode == mode
    entries = AuditEntry.objects.in_organization(acme.organization)
    assert entries.get(action="environment.delivery_mode_changed").reason == "launch"


def test_a_locked_environment_never_goes_live(acme: World) -> None:
    acme.development.is_locked = True
    acme.development.save()
    with pytest.raises(Forbidden):
        set_delivery_mode(acme.development, "live", actor=PERSON, reason="launch")


@pytest.mark.parametrize("actor", [KEY, PERSON], ids=["key", "person"])
def test_anybody_may_go_back_to_capture(acme: World, actor: Actor) -> None:
    live = set_delivery_mode(acme.development, "live", actor=PERSON, reason="launch")
    assert update_environment(live, {"delivery_mode": "capture"}, actor=actor).delivery_mode == "capture"


WHO_PAUSED = [  # who paused, in this order; may a key lift it
    ([KEY], True),
    ([PERSON], False),
    ([OPERATOR], False),
    ([KEY, PERSON], False),
    ([PERSON, KEY], False),
    ([SYSTEM], True),
]


@pytest.mark.parametrize("pause", ["outbound_paused", "inbound_paused", "webhooks_paused"])
@pytest.mark.parametrize(("who", "may_lift"), WHO_PAUSED)
def test_a_key_lifts_no_pause_that_a_person_stands_behind(
    acme: World, pause: str, who: list[Actor], may_lift: bool
) -> None:
    for actor in who:
        update_environment(acme.development, {pause: True}, actor=actor)
    if may_lift:
        update_environment(acme.development, {pause: False}, actor=KEY)
    else:
        with pytest.raises(PersonRequired):
            update_environment(acme.development, {pause: False}, actor=KEY)
        update_environment(acme.development, {pause: False}, actor=PERSON)
    assert not getattr(fresh(acme.development), pause)


def test_a_change_that_changes_nothing_is_not_put_on_record(acme: World) -> None:
    changes: dict[str, Any] = {"name": acme.development.name}
    before = AuditEntry.objects.in_organization(acme.organization).count()
    update_environment(acme.development, changes, actor=PERSON)
    assert AuditEntry.objects.in_organization(acme.organization).count() == before
    assert changes == {"name": acme.development.name}


def test_an_environment_that_has_just_gone_is_not_found(acme: World) -> None:
    gone = acme.development
    delete_environment(fresh(gone), actor=PERSON, force=True)
    for work in (
        lambda: update_environment(gone, {"name": "x"}, actor=PERSON),
        lambda: set_delivery_mode(gone, "live", actor=PERSON, reason="launch"),
        lambda: delete_environment(gone, actor=PERSON, force=True),
    ):
        with pytest.raises(NotFound):
            work()


@pytest.mark.parametrize(("who", "may_lift"), WHO_PAUSED)
def test_a_key_lifts_no_pause_of_an_inbox_that_a_person_stands_behind(
    acme: World, who: list[Actor], may_lift: bool
) -> None:
    inbox = acme.inbox()
    path = f"/inboxes/{inbox.pk}"
    with inside(acme.development):
        for actor in who:
            update_inbox(inbox, acme.development, {"send_paused": True}, actor=actor)
    answer = acme.api().patch(path, {"send_paused": False})
    if may_lift:
        assert answer.json()["send_paused"] is False
        return
    assert (answer.status_code, error_of(answer)["code"]) == (403, "person_required")
    with inside(acme.development):
        assert not update_inbox(inbox, acme.development, {"send_paused": False}, actor=OPERATOR).send_paused


def test_who_stands_behind_a_pause_is_on_record(acme: World) -> None:
    inbox = acme.inbox()
    for actor in (KEY, PERSON):
        update_environment(acme.development, {"inbound_paused": True}, actor=actor)
        with inside(acme.development):
            update_inbox(inbox, acme.development, {"send_paused": True}, actor=actor)
    of_environment, of_inbox = (acme.api().items(f"/audit?action={what}.updated") for what in ("environment", "inbox"))
    assert [entry["after"]["pauses_by_people"] for entry in of_environment] == [["inbound"], []]
    assert [entry["after"]["paused_by_person"] for entry in of_inbox] == [True, False]
    assert {entry["before"]["send_paused"] for entry in of_inbox} == {False, True}


def test_an_inbox_that_stays_as_it_is_is_not_put_on_record(acme: World) -> None:
    inbox = acme.inbox(display_name="Desk")
    changes = {"display_name": "Desk", "send_paused": False}
    with inside(acme.development):
        update_inbox(inbox, acme.development, changes, actor=PERSON)
    assert acme.api().items("/audit?action=inbox.updated") == []
    assert changes == {"display_name": "Desk", "send_paused": False}


def test_an_inbox_that_has_just_gone_is_not_changed(acme: World) -> None:
    inbox = acme.inbox()
    with inside(acme.development):
        rows = Inbox.objects.in_environment(acme.development)
        delete_inbox(acme.development, rows.get(pk=inbox.pk), actor=PERSON)
        with pytest.raises(NotFound):
            update_inbox(inbox, acme.development, {"display_name": "Desk"}, actor=PERSON)


def paused_by(actor: Actor) -> Any:
    def paused(environment: Environment, inbox: Inbox) -> None:
        update_inbox(inbox, environment, {"send_paused": True}, actor=actor)

    return paused


def braked(environment: Environment, inbox: Inbox) -> None:
    pause_sending(environment, inbox.pk, code="runaway_sending", explanation="It repeats itself.")


def with_a_quota(environment: Environment, inbox: Inbox) -> None:
    update_inbox(inbox, environment, {"daily_sending_quota": 5}, actor=PERSON)


def ruled(actor: Actor, direction: str) -> Any:
    def blocked(environment: Environment, inbox: Inbox) -> None:
        about = {"action": "block", "match_type": "domain", "value": "example.com", "inbox_id": inbox.pk}
        create_rule(environment, actor=actor, direction=direction, **about)

    return blocked


WHAT_HOLDS_AN_INBOX = [  # what was done to it, whether a key may delete it then
    ("paused by a person", paused_by(PERSON), False),
    ("paused by a brake", braked, False),
    ("paused by a key", paused_by(KEY), True),
    ("a quota", with_a_quota, False),
    ("a person's rule about sending", ruled(PERSON, "send"), False),
    ("a person's rule about receiving", ruled(PERSON, "receive"), True),
    ("a key's rule about sending", ruled(KEY, "send"), True),
    ("nothing", lambda *_: None, True),
]


@pytest.mark.parametrize(
    ("hold", "may"), [row[1:] for row in WHAT_HOLDS_AN_INBOX], ids=[row[0] for row in WHAT_HOLDS_AN_INBOX]
)
def test_a_key_does_not_free_an_inbox_by_making_it_anew(acme: World, hold: Any, may: bool) -> None:
    inbox = acme.inbox(username="desk")
    with inside(acme.development):
        hold(acme.development, inbox)
    answer = acme.api().delete(f"/inboxes/{inbox.pk}")
    assert answer.status_code == (204 if may else 403)
    if not may:
        assert error_of(answer)["code"] == "person_required"
        with inside(acme.development):
            delete_inbox(acme.development, inbox, actor=PERSON)


def test_a_key_is_told_that_a_person_must_do_it(acme: World) -> None:
    answer = acme.api().patch("/environments/development", {"delivery_mode": "live"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "person_required")
