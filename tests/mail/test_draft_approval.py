"""Approval: who may say yes, to what exactly, and what a yes lets out."""

from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.db import OperationalError, connection

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import Refusal
from environments.models import AuditEntry, Environment
from inboxes.models import Inbox
from inboxes.services.filter_rules import create_rule
from inboxes.services.inboxes import update_inbox
from mail.models import Draft, Message, MessageRecipient
from mail.services.drafts import approval, dispatch
from mail.services.drafts.policy import Sending, check_sending
from mail.services.drafts.refusals import DraftChanged, DraftState
from mail.services.drafts.rows import Expected
from mail.services.drafts.writing import update_draft
from mail.services.outcomes import RecipientOutcome, settle
from mail.tasks import attend_to_drafts
from tests.world import PERSON, Api, World, error_of
from webhooks.models import Event

HELLO = {"to": "bob@example.com", "subject": "Hello", "text_body": "Hello Bob"}
PROPOSES = ("drafts:read", "drafts:write")
SENDS = (*PROPOSES, "messages:send")
REVIEWS = ("drafts:read", "drafts:approve")
CAROL = Actor("member", "mem_01J0000000000000000000000A", "carol@acme.example")


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(username="support")


@pytest.fixture
def agent(acme: World) -> Api:
    return acme.api(*PROPOSES)


@pytest.fixture
def reviewer(acme: World) -> Api:
    return acme.api(*REVIEWS)


def drafted(api: Api, inbox: Inbox, **fields: Any) -> str:
    answer = api.post(f"/inboxes/{inbox.pk}/drafts", {**HELLO, **fields})
    assert answer.status_code == 201, answer.content
    return f"/drafts/{answer.json()['id']}"


def submitted(api: Api, inbox: Inbox, **fields: Any) -> str:
    draft = drafted(api, inbox, **fields)
    assert api.post(f"{draft}/submit").status_code == 200
    return draft


def code_of(answer: Any) -> str:
    return "ok" if answer.status_code == 200 else error_of(answer)["code"]


def by_person(world: World, draft: str, act: Any, *arguments: Any, actor: Actor = CAROL, **options: Any) -> Draft:
    """Let a person of the console act on a draft."""
    with inside(world.development):
        row = Draft.objects.in_environment(world.development).get(pk=draft.removeprefix("/drafts/"))
        act(world.development, row, *arguments, actor=actor, **options)
        return row


# state, approved as it is, ever submitted, may send mail, a person, its author: what sending it comes to
MAY_SEND = [
    ("draft", False, False, False, False, True, "missing_scope"),
    ("draft", False, False, True, False, True, "ok"),
    ("draft", False, False, True, False, False, "ok"),
    ("draft", False, True, True, False, True, "approval_required"),
    ("draft", False, True, False, False, True, "approval_required"),
    ("draft", False, False, True, True, False, "ok"),
    ("draft", False, True, True, True, False, "ok"),
    ("draft", False, True, True, True, True, "approval_required"),
    ("pending_approval", False, True, True, False, True, "approval_required"),
    ("pending_approval", False, True, True, False, False, "approval_required"),
    ("pending_approval", False, True, True, True, False, "ok"),
    ("pending_approval", False, True, True, True, True, "approval_required"),
    ("rejected", False, True, True, False, False, "approval_required"),
    ("rejected", False, True, True, True, False, "approval_required"),
    ("approved", True, True, False, False, True, "ok"),
    ("approved", True, True, False, False, False, "ok"),
    ("approved", True, True, True, True, True, "ok"),
    ("approved", False, True, True, False, True, "approval_required"),
    ("failed", True, True, False, False, True, "ok"),
    ("failed", False, True, True, False, True, "approval_required"),
    ("failed", False, False, True, False, True, "ok"),
    ("failed", False, False, False, False, True, "missing_scope"),
    ("scheduled", True, True, True, True, False, "draft_state"),
    ("sending", True, True, True, True, False, "draft_state"),
    ("sent", True, True, True, True, False, "draft_state"),
]


@pytest.mark.parametrize(("state", "approved", "asked", "may_send", "person", "author", "expected"), MAY_SEND)
def test_who_may_send_a_draft(
    state: str, approved: bool, asked: bool, may_send: bool, person: bool, author: bool, expected: str
) -> None:
    assert came_to(Sending(state, approved, asked, may_send, person, author)) == expected


def came_to(asked: Sending) -> str:
    try:
        check_sending(asked)
    except Refusal as refusal:
        return refusal.code
    return "ok"


def test_a_key_that_can_only_propose_proposes_and_a_yes_lets_it_send(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox
) -> None:
    draft = drafted(agent, inbox)
    assert code_of(agent.post(f"{draft}/send")) == "missing_scope"
    assert agent.post(f"{draft}/submit").json()["state"] == "pending_approval"
    assert code_of(agent.post(f"{draft}/send")) == "approval_required"
    assert reviewer.post(f"{draft}/approve").json()["state"] == "approved"
    sent = agent.post(f"{draft}/send").json()
    assert (sent["state"], sent["approved_by"]["kind"], sent["approved_hash"]) == ("sent", "key", sent["content_hash"])
    assert [row.pk for row in acme.rows(Message)] == [sent["message_id"]]


@pytest.mark.parametrize("undo", ["pending", "rejected", "edited after a yes", "edited after a no"])
def test_a_key_that_may_send_cannot_send_what_asked_for_a_yes_and_has_none(
    acme: World, reviewer: Api, inbox: Inbox, undo: str
) -> None:
    api = acme.api(*SENDS)
    draft = submitted(api, inbox)
    if undo.endswith("yes"):
        reviewer.post(f"{draft}/approve")
    elif undo != "pending":
        reviewer.post(f"{draft}/reject", {"reason": "No"})
    if undo.startswith("edited"):
        api.patch(draft, {"text_body": "Hello Robert"})
    assert code_of(api.post(f"{draft}/send")) == "approval_required"
    assert acme.rows(Message) == []


CHANGES = [
    {"to": "eve@example.com"},
    {"to": {"email": "bob@example.com", "name": "Boss"}},
    {"cc": "eve@example.com"},
    {"bcc": "eve@example.com"},
    {"reply_to": "eve@example.com"},
    {"subject": "Hello!"},
    {"text_body": "Hello Robert"},
    {"text_body": None},
    {"html_body": "<p>Hello</p>"},
    {"headers": {"X-Priority": "1"}},
    {"attachments": [{"filename": "a.txt", "content": "MSwz"}]},
    {"attachments": [{"filename": "b.txt", "content": "MSwy"}]},
    {"attachments": []},
    {"send_at": "2031-01-01T00:00:00Z"},
]


def test_any_change_of_what_would_be_sent_takes_the_yes_back(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox
) -> None:
    for change in CHANGES:
        draft = submitted(agent, inbox, attachments=[{"filename": "a.txt", "content": "MSwy"}])
        reviewer.post(f"{draft}/approve")
        changed = agent.patch(draft, change).json()
        assert (change, changed["state"], changed["approved_by"]) == (change, "draft", None)
        assert code_of(agent.post(f"{draft}/send")) == "approval_required"


def test_a_change_of_what_recipients_never_see_leaves_the_yes(agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    reviewer.post(f"{draft}/approve")
    changed = agent.patch(draft, {"metadata": {"case": 7}, "labels": ["seen"], "subject": "Hello"}).json()
    assert (changed["state"], changed["metadata"]) == ("approved", {"case": 7})


def test_a_new_name_of_the_inbox_takes_the_yes_back(acme: World, agent: Api, reviewer: Api, inbox: Inbox) -> None:
    asked, approved = submitted(agent, inbox), submitted(agent, inbox)
    reviewer.post(f"{approved}/approve")
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"display_name": "The Boss"}, actor=SYSTEM)
    assert code_of(agent.post(f"{approved}/send")) == "approval_required"
    assert code_of(reviewer.post(f"{asked}/approve")) == "approval_outdated"
    assert agent.post(f"{approved}/submit").json()["state"] == "pending_approval"
    assert code_of(reviewer.post(f"{approved}/approve")) == "ok"
    assert code_of(agent.post(f"{approved}/send")) == "ok"


def test_nobody_reviews_what_they_wrote_or_edited(acme: World, agent: Api, inbox: Inbox) -> None:
    writer, editor = (acme.api(*PROPOSES, "drafts:approve") for _ in range(2))
    draft = drafted(writer, inbox)
    editor.patch(draft, {"subject": "Hello again"})
    agent.post(f"{draft}/submit")
    for api in (writer, editor):
        assert code_of(api.post(f"{draft}/approve")) == "own_draft"
        assert code_of(api.post(f"{draft}/reject", {"reason": "No"})) == "own_draft"
    assert code_of(acme.api("drafts:approve").post(f"{draft}/approve")) == "ok"


def test_no_key_reviews_through_another_that_it_made_or_was_made_by(acme: World, inbox: Inbox) -> None:
    rights = (*PROPOSES, "drafts:approve", "api_keys:write")
    first = acme.api(*rights)
    child, sister = (made_by(first, rights) for _ in range(2))
    for writer in (first, child, made_by(sister, rights)):
        draft = submitted(writer, inbox)
        assert {code_of(api.post(f"{draft}/approve")) for api in (first, child, sister)} == {"own_draft"}
    assert code_of(acme.api("drafts:approve").post(f"{draft}/approve")) == "ok"


def made_by(api: Api, scopes: tuple[str, ...]) -> Api:
    return Api(api.post("/api-keys", {"name": "another", "scopes": list(scopes)}).json()["key"])


@pytest.mark.parametrize("scopes", [("*",), ("drafts:*",), PROPOSES, ("messages:*", "drafts:write")])
def test_no_scope_implies_the_right_to_approve(acme: World, agent: Api, inbox: Inbox, scopes: tuple[str, ...]) -> None:
    draft = submitted(agent, inbox)
    for verb, body in (("approve", {}), ("reject", {"reason": "No"})):
        assert code_of(acme.api(*scopes).post(f"{draft}/{verb}", body)) == "missing_scope"


def test_a_reviewer_approves_the_version_that_they_read(agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    read = reviewer.get(draft)
    agent.patch(draft, {"to": "eve@example.com"})
    agent.post(f"{draft}/submit")
    assert code_of(reviewer.post(f"{draft}/approve", **{"If-Match": read["ETag"]})) == "precondition_failed"
    assert code_of(reviewer.post(f"{draft}/approve", {"version": read.json()["version"]})) == "draft_changed"
    assert code_of(reviewer.post(f"{draft}/approve", {"version": 2})) == "ok"


def test_a_no_comes_with_its_reason_and_can_take_back_a_yes(agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    reviewer.post(f"{draft}/approve")
    assert reviewer.post(f"{draft}/reject", {}).status_code == 422
    rejected = reviewer.post(f"{draft}/reject", {"reason": "Too blunt"}).json()
    assert (rejected["state"], rejected["rejection_reason"], rejected["approved_by"]) == ("rejected", "Too blunt", None)
    assert agent.patch(draft, {"text_body": "Dear Bob"}).json()["state"] == "draft"
    again = agent.post(f"{draft}/submit").json()
    assert (again["state"], again["rejection_reason"]) == ("pending_approval", None)


def test_what_happens_is_told_and_audited(acme: World, agent: Api, reviewer: Api, inbox: Inbox) -> None:
    first, second = submitted(agent, inbox), submitted(agent, inbox)
    agent.post(f"{first}/submit")  # again: nothing new
    reviewer.post(f"{first}/approve")
    reviewer.post(f"{second}/reject", {"reason": "Too blunt"})
    told = [event for event in acme.rows(Event) if event.type.startswith("draft.")]
    assert [event.type for event in told] == ["draft.submitted", "draft.submitted", "draft.approved", "draft.rejected"]
    assert (told[3].data["draft_id"], told[3].data["reason"]) == (second.removeprefix("/drafts/"), "Too blunt")
    assert told[2].data["approved_by"]["kind"] == "key"
    entries = AuditEntry.objects.in_organization(acme.organization).filter(action__startswith="draft.")
    assert [(entry.action, entry.reason) for entry in entries.order_by("sequence")] == [
        ("draft.approved", ""),
        ("draft.rejected", "Too blunt"),
    ]


def test_a_person_sends_what_waits_and_so_approves_it(acme: World, agent: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    by_person(acme, draft, dispatch.send_draft, may_send=True)
    sent = agent.get(draft).json()
    assert (sent["state"], sent["approved_by"]["name"], sent["sent_by"]["id"]) == ("sent", CAROL.name, CAROL.id)


def test_an_approval_that_nobody_gives_runs_out(acme: World, agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    with time_machine.travel(clock.now() + timedelta(days=6, hours=23)):
        assert attend_to_drafts(0) == 0
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert code_of(reviewer.post(f"{draft}/approve")) == "draft_state"  # even before the worker comes by
        assert attend_to_drafts(0) == 1
        found = agent.get(draft).json()
        assert (found["state"], found["rejected_by"]["kind"]) == ("rejected", "system")
        assert agent.post(f"{draft}/submit").json()["state"] == "pending_approval"


def test_how_long_to_wait_can_be_said(agent: Api, inbox: Inbox) -> None:
    draft, soon = drafted(agent, inbox), clock.now() + timedelta(hours=1)
    assert agent.post(f"{draft}/submit", {"expires_at": clock.written(clock.now())}).status_code == 422
    assert agent.post(f"{draft}/submit", {"expires_at": clock.written(soon)}).json()["expires_at"] == clock.written(
        soon
    )
    with time_machine.travel(soon):
        assert attend_to_drafts(0) == 1


def scheduled(agent: Api, reviewer: Api, inbox: Inbox) -> str:
    """Return an approved draft that leaves in an hour."""
    draft = submitted(agent, inbox, send_at=clock.written(clock.now() + timedelta(hours=1)))
    reviewer.post(f"{draft}/approve")
    assert agent.post(f"{draft}/send").json()["state"] == "scheduled"
    return draft


IN_AN_HOUR = timedelta(hours=1, seconds=1)


def test_a_scheduled_draft_is_sent_when_it_is_due_and_once(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox
) -> None:
    draft = scheduled(agent, reviewer, inbox)
    assert (attend_to_drafts(0), acme.rows(Message)) == (0, [])
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        assert [attend_to_drafts(0), attend_to_drafts(0)] == [1, 0]
        sent = agent.get(draft).json()
    assert (sent["state"], sent["error"]) == ("sent", None)
    assert [row.pk for row in acme.rows(Message)] == [sent["message_id"]]


@pytest.mark.parametrize("how", ["edited", "rejected", "deleted"])
def test_a_scheduled_draft_can_be_called_back(acme: World, agent: Api, reviewer: Api, inbox: Inbox, how: str) -> None:
    draft = scheduled(agent, reviewer, inbox)
    calls = {
        "edited": lambda: agent.patch(draft, {"subject": "Wait"}),
        "rejected": lambda: reviewer.post(f"{draft}/reject", {"reason": "Wait"}),
        "deleted": lambda: agent.delete(draft),
    }
    assert calls[how]().status_code in {200, 204}
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        assert attend_to_drafts(0) == 0
    assert acme.rows(Message) == []


def test_when_it_is_due_it_is_decided_on_again(acme: World, agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = scheduled(agent, reviewer, inbox)
    with inside(acme.development):
        create_rule(
            acme.development, actor=SYSTEM, direction="send", action="block", match_type="domain", value="example.com"
        )
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        attend_to_drafts(0)
        failed = agent.get(draft).json()
    assert (failed["state"], failed["error"]["code"], failed["message_id"]) == ("failed", "recipient_blocked", None)
    assert acme.rows(Message) == []


def test_a_draft_that_changed_behind_its_yes_is_not_sent_when_it_is_due(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox
) -> None:
    draft = scheduled(agent, reviewer, inbox)
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"display_name": "The Boss"}, actor=SYSTEM)
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        attend_to_drafts(0)
        assert agent.get(draft).json()["error"]["code"] == "approval_outdated"


def test_a_scheduled_draft_is_taken_off_its_schedule_and_keeps_its_yes(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox
) -> None:
    row = by_person(acme, scheduled(agent, reviewer, inbox), dispatch.call_back)
    assert (row.state, row.due_at, row.sent_by, row.is_approved) == ("approved", None, None, True)
    newest = AuditEntry.objects.in_organization(acme.organization).latest("sequence")
    assert (newest.action, newest.actor_name) == ("draft.called_back", CAROL.name)
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        assert attend_to_drafts(0) == 0


def test_a_scheduled_draft_that_nobody_was_asked_about_goes_back_to_being_written(acme: World, inbox: Inbox) -> None:
    api = acme.api()
    draft = drafted(api, inbox, send_at=clock.written(clock.now() + IN_AN_HOUR))
    assert api.post(f"{draft}/send").json()["state"] == "scheduled"
    assert by_person(acme, draft, dispatch.call_back).state == "draft"


def test_only_what_is_scheduled_is_called_back(acme: World, agent: Api, inbox: Inbox) -> None:
    with pytest.raises(DraftState):
        by_person(acme, submitted(agent, inbox), dispatch.call_back)


@pytest.mark.parametrize("act", [approval.approve, partial(dispatch.send_draft, may_send=True)])
def test_a_yes_is_to_what_was_read_the_name_of_the_inbox_too(acme: World, agent: Api, inbox: Inbox, act: Any) -> None:
    draft = submitted(agent, inbox)
    read = Expected(version=1, content_hash=agent.get(draft).json()["content_hash"])
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"display_name": "Somebody else"}, actor=SYSTEM)
    with pytest.raises(DraftChanged):
        by_person(acme, draft, act, expected=read)
    assert agent.get(draft).json()["state"] == "pending_approval"


def test_what_would_become_of_a_draft_is_foreseen_and_nothing_is_written(acme: World, agent: Api, inbox: Inbox) -> None:
    row = by_person(acme, submitted(agent, inbox), lambda *_, **__: None)
    with inside(acme.development):
        foreseen = dispatch.foresee(acme.development, row, [], actor=CAROL)
    assert [(one.email, one.status, one.reason) for one in foreseen.decisions] == [
        ("bob@example.com", "captured", "capture")
    ]
    assert acme.rows(Message) == []


def test_a_pause_puts_a_scheduled_draft_off(acme: World, agent: Api, reviewer: Api, inbox: Inbox) -> None:
    draft = scheduled(agent, reviewer, inbox)
    with inside(acme.development):
        update_inbox(inbox, acme.development, {"send_paused": True}, actor=PERSON)
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        attend_to_drafts(0)
        assert agent.get(draft).json()["state"] in {"scheduled", "sending"}
        with inside(acme.development):
            update_inbox(inbox, acme.development, {"send_paused": False}, actor=PERSON)
    with time_machine.travel(clock.now() + IN_AN_HOUR + timedelta(minutes=2)):
        attend_to_drafts(0)
        assert agent.get(draft).json()["state"] in {"sent", "sending"}


def test_one_draft_that_breaks_keeps_no_other_from_being_sent(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox, monkeypatch: Any
) -> None:
    broken, whole = scheduled(agent, reviewer, inbox), scheduled(agent, reviewer, inbox)
    send = dispatch.send

    def breaks_once(environment: Environment, *arguments: Any, **options: Any) -> Message:
        monkeypatch.setattr(dispatch, "send", send)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(dispatch, "send", breaks_once)
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        assert attend_to_drafts(0) == 2
        assert [agent.get(draft).json()["state"] for draft in (broken, whole)] == ["failed", "sent"]


def divides_by_zero(environment: Environment, *arguments: Any, **options: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def test_what_postgresql_refuses_to_store_keeps_no_other_draft_from_being_sent(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox, monkeypatch: Any
) -> None:
    poison, whole = scheduled(agent, reviewer, inbox), scheduled(agent, reviewer, inbox)
    send = dispatch.send
    broken: list[Any] = []

    def breaks_for_one(environment: Environment, *arguments: Any, **options: Any) -> Any:
        broken.append(arguments)
        return (divides_by_zero if len(broken) == 1 else send)(environment, *arguments, **options)

    monkeypatch.setattr(dispatch, "send", breaks_for_one)
    with time_machine.travel(clock.now() + IN_AN_HOUR):
        attend_to_drafts(0)
        assert [agent.get(draft).json()["state"] for draft in (poison, whole)] == ["failed", "sent"]


@pytest.mark.parametrize("fault", [divides_by_zero, Mock(side_effect=OperationalError("gone"))])
def test_an_approval_that_cannot_run_out_keeps_no_other_environment_waiting(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox, monkeypatch: Any, fault: Any
) -> None:
    broken, elsewhere = submitted(agent, inbox), submitted(agent, acme.inbox(acme.production, username="sales"))
    expire = approval.expire

    def breaks_here(environment: Environment, draft: Draft) -> None:
        (fault if draft.inbox_id == inbox.pk else expire)(environment, draft)

    monkeypatch.setattr(approval, "expire", breaks_here)
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert [attend_to_drafts(0), attend_to_drafts(0)] == [1, 0]
        assert [agent.get(draft).json()["state"] for draft in (broken, elsewhere)] == ["pending_approval", "rejected"]
    monkeypatch.setattr(approval, "expire", expire)
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=2)):
        assert attend_to_drafts(0) == 1


def test_a_scheduled_draft_that_breaks_for_days_is_given_up(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox, monkeypatch: Any
) -> None:
    draft = scheduled(agent, reviewer, inbox)
    monkeypatch.setattr(dispatch, "send", Mock(side_effect=OperationalError("gone")))
    states = []
    for after in (IN_AN_HOUR, timedelta(days=6)):
        with time_machine.travel(clock.now() + after):
            attend_to_drafts(0)
            states.append(agent.get(draft).json()["state"])
    assert states == ["scheduled", "failed"]


@pytest.mark.parametrize(("outcome", "state"), [("sent", "sent"), ("delivered", "sent"), ("failed", "failed")])
def test_a_draft_follows_its_message_until_that_has_left(
    acme: World, agent: Api, reviewer: Api, inbox: Inbox, outcome: str, state: str
) -> None:
    draft = submitted(agent, inbox)
    reviewer.post(f"{draft}/approve")
    agent.post(f"{draft}/send")
    with inside(acme.development):
        [message] = Message.objects.in_environment(acme.development)
        as_if_on_its_way(acme.development, message)
        settle(acme.development, message, [RecipientOutcome("bob@example.com", outcome, "told", "It was told.")])
    assert agent.get(draft).json()["state"] == state


def as_if_on_its_way(environment: Environment, message: Message) -> None:
    for model in (Message, MessageRecipient):
        model.objects.in_environment(environment).update(status="queued")
    Draft.objects.in_environment(environment).update(state="sending")
    message.status = "queued"


def test_whoever_wrote_a_draft_does_not_approve_it_as_a_person_either(acme: World, agent: Api, inbox: Inbox) -> None:
    draft = submitted(agent, inbox)
    with inside(acme.development):
        [row] = Draft.objects.in_environment(acme.development)
        update_draft(acme.development, row, {"subject": "Carol's"}, actor=CAROL)
        approval.submit(acme.development, row, actor=CAROL)
    for act, options in ((approval.approve, {}), (dispatch.send_draft, {"may_send": True})):
        with pytest.raises(Refusal) as refused:
            by_person(acme, draft, act, **options)
        assert refused.value.code in {"own_draft", "approval_required"}
