"""How long an environment keeps mail: what goes, what stays, and whose."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from environments.models import AuditEntry, Environment
from environments.services import usage
from environments.services.audit import broken_links
from environments.services.environments import update_environment
from inboxes.models import Inbox
from mail.models import Attachment, Blob, Draft, DraftVersion, Message, MessageLabel, SearchEntry, Thread
from mail.services import retention
from mail.services.quarantine import release
from mail.tasks import forget_mail
from tests.api.routes import mail_with_file
from tests.mail.test_drafts import FILE, drafted
from tests.world import PERSON, Api, World, build
from webhooks.models import Event

OF_MAIL = [Attachment, Blob, Draft, DraftVersion, Message, MessageLabel, SearchEntry, Thread]


@pytest.fixture
def inbox(acme: World) -> Inbox:
    keep(acme.development, 30)
    return acme.inbox()


def keep(environment: Environment, days: int | None) -> None:
    update_environment(environment, {"message_retention_days": days}, actor=PERSON)


def forget(days: float = 31) -> int:
    """Do the chore as if so many days had passed."""
    with time_machine.travel(clock.now() + timedelta(days=days)):
        return forget_mail(0)


def change(world: World, model: Any, identifier: str, **values: Any) -> None:
    with inside(world.development):
        model.objects.in_environment(world.development).filter(pk=identifier).update(**values)


def ids(world: World, model: Any = Message) -> list[str]:
    return [row.pk for row in world.rows(model)]


def entries(world: World) -> list[AuditEntry]:
    rows = AuditEntry.objects.in_organization(world.organization)
    return list(rows.filter(action="environment.mail_forgotten").order_by("sequence"))


@pytest.mark.parametrize(
    ("kept", "days", "gone"),
    [(1, 0.9, 0), (1, 1.1, 1), (30, 29.9, 0), (30, 30.1, 1), (3650, 3649, 0), (3650, 3651, 1), (None, 9999, 0)],
)
def test_a_message_goes_when_its_time_is_over_and_not_before(
    acme: World, inbox: Inbox, kept: int | None, days: float, gone: int
) -> None:
    keep(acme.development, kept)
    acme.deliver(inbox)
    assert (forget(days), len(ids(acme))) == (gone, 1 - gone)


def test_mail_is_kept_for_ever_at_first(acme: World) -> None:
    acme.deliver(acme.inbox())
    assert (acme.development.message_retention_days, forget(9999), len(ids(acme))) == (None, 0, 1)


def test_nothing_is_left_of_what_is_forgotten(transactional_db: None, object_store: Path) -> None:
    acme = build()
    keep(acme.development, 30)
    inbox, api = acme.inbox(), acme.api()
    [message] = acme.deliver(inbox, mail_with_file(acme))
    api.post(f"/messages/{message}/labels", {"labels": ["a"]})
    drafted(api, inbox, attachments=[{**FILE, "content": "bW9yZQ=="}])
    assert all(acme.rows(model) for model in OF_MAIL)
    assert forget() == 2
    assert {model.__name__: acme.rows(model) for model in OF_MAIL} == {model.__name__: [] for model in OF_MAIL}
    assert [path for path in object_store.rglob("*") if path.is_file()] == []
    with inside(acme.development):
        assert usage.bytes_stored(acme.development) == 0


def test_the_rest_of_a_thread_stays(acme: World, inbox: Inbox) -> None:
    first, second = acme.deliver(inbox, acme.mail("One"), acme.mail("Two", "Later", in_reply_to="<1@example.com>"))
    change(acme, Message, second, updated_at=clock.now() + timedelta(days=20))
    assert (forget(), ids(acme)) == (1, [second])
    [thread] = acme.rows(Thread)
    assert (thread.message_count, thread.snippet) == (1, "Later")
    assert first not in ids(acme)


@pytest.mark.parametrize("status", Message.Status.values)
def test_what_is_still_to_leave_or_in_quarantine_stays(acme: World, inbox: Inbox, status: str) -> None:
    [message] = acme.deliver(inbox)
    change(acme, Message, message, status=status)
    assert forget() == (status not in {"queued", "scheduled", "sending", "quarantined"})


def test_what_was_let_out_of_quarantine_is_kept_from_then_on(acme: World, inbox: Inbox) -> None:
    [message] = acme.deliver(inbox)
    change(acme, Message, message, status="quarantined")
    with time_machine.travel(clock.now() + timedelta(days=40)), inside(acme.development):
        release(acme.development, acme.rows(Message)[0], actor=PERSON)
    assert (forget(69), ids(acme)) == (0, [message])
    assert (forget(71), ids(acme)) == (1, [])


@pytest.mark.parametrize("state", Draft.State.values)
def test_a_draft_stays_while_it_may_still_be_sent_by_itself_or_by_a_decision(
    acme: World, inbox: Inbox, api: Api, state: str
) -> None:
    change(acme, Draft, drafted(api, inbox)["id"], state=state)
    assert forget(29) == 0
    assert forget() == (state in {"draft", "rejected", "sent", "failed"})


def test_a_draft_counts_from_its_last_change(acme: World, inbox: Inbox, api: Api) -> None:
    draft = drafted(api, inbox)["id"]
    change(acme, Draft, draft, updated_at=clock.now() + timedelta(days=20))
    assert (forget(49), ids(acme, Draft)) == (0, [draft])
    assert forget(51) == 1


def test_a_sent_draft_stays_with_its_message_and_goes_with_it(acme: World, inbox: Inbox, api: Api) -> None:
    draft = drafted(api, inbox)["id"]
    message = api.post(f"/drafts/{draft}/send").json()["message_id"]
    change(acme, Message, message, updated_at=clock.now() + timedelta(days=20))
    assert (forget(31), ids(acme, Draft)) == (0, [draft])
    assert (forget(51), ids(acme), ids(acme, Draft)) == (2, [], [])


def test_each_environment_forgets_by_its_own_days(acme: World, globex: World) -> None:
    keep(acme.development, 30)
    keep(acme.production, 90)
    for world in (acme, globex):
        for where in (world.development, world.production):
            world.deliver(world.inbox(where))
    assert forget(31) == 1
    left = [
        len(world.rows(Message, where)) for world in (acme, globex) for where in (world.development, world.production)
    ]
    assert left == [0, 1, 1, 1]


def test_batches_go_in_turn_and_one_line_on_record_tells_of_all(
    acme: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    keep(acme.production, 30)
    acme.deliver(inbox, *(acme.mail() for _ in range(5)))
    acme.deliver(acme.inbox(acme.production), *(acme.mail() for _ in range(3)))
    turns: list[str] = []
    step = retention.Forgetting.step
    monkeypatch.setattr(retention.Forgetting, "step", lambda run: turns.append(run.environment.slug) or step(run))
    assert forget() == 8
    assert turns == ["production", "development", "production", "development", "development"]
    told = {entry.environment_id: (entry.actor_kind, entry.target_id, entry.after) for entry in entries(acme)}
    assert told == {
        where.pk: ("system", where.pk, {"messages": count, "drafts": 0})
        for where, count in ((acme.development, 5), (acme.production, 3))
    }
    assert (len(entries(acme)), list(broken_links(acme.organization))) == (2, [])


def test_where_nothing_is_due_nothing_is_locked_or_put_on_record(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox)
    with CaptureQueriesContext(connection) as queries:
        assert forget(1) == 0
    asked = [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "DELETE"))]
    assert [sql for sql in asked if "FOR UPDATE" in sql or sql.startswith("DELETE")] == []
    assert entries(acme) == []


def test_no_event_tells_of_what_is_forgotten(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox)
    before = ids(acme, Event)
    assert (forget(), ids(acme, Event)) == (1, before)


def test_who_keeps_mail_for_longer_in_the_middle_of_a_run_is_heard(
    acme: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    acme.deliver(inbox, acme.mail(), acme.mail(), acme.mail())
    step = retention.Forgetting.step

    def step_and_repent(run: retention.Forgetting) -> bool:
        goes_on = step(run)
        keep(acme.development, None)
        return goes_on

    monkeypatch.setattr(retention.Forgetting, "step", step_and_repent)
    assert (forget(), len(ids(acme))) == (1, 2)
    assert [entry.after for entry in entries(acme)] == [{"messages": 1, "drafts": 0}]


def test_what_changed_meanwhile_stays(acme: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = acme.deliver(inbox, acme.mail(), acme.mail())
    first_of = retention._first_of

    def found_first(rows: Any) -> list[str]:
        found = first_of(rows)
        change(acme, Message, one, updated_at=clock.now())
        return found

    monkeypatch.setattr(retention, "_first_of", found_first)
    assert (forget(), ids(acme)) == (1, [one])
    assert other != one


def test_an_environment_whose_mail_cannot_be_deleted_holds_up_no_other(
    acme: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(acme.production, 30)
    for place in (inbox, acme.inbox(acme.production)):
        acme.deliver(place)
    delete = retention.delete_messages

    def broken(environment: Environment, rows: Any) -> int:
        if environment.pk == acme.production.pk:
            raise OSError("The disk is gone.")
        return delete(environment, rows)

    monkeypatch.setattr(retention, "delete_messages", broken)
    assert (forget(), ids(acme), len(acme.rows(Message, acme.production))) == (1, [], 1)


@pytest.mark.parametrize("value", [1, 3650, None])
def test_a_key_says_how_long_mail_is_kept(acme: World, api: Api, value: int | None) -> None:
    where = f"/environments/{acme.development.pk}"
    assert api.get(where).json()["message_retention_days"] is None
    assert api.patch(where, {"message_retention_days": 7}).json()["message_retention_days"] == 7
    assert api.patch(where, {"message_retention_days": value}).json()["message_retention_days"] == value
    made = api.post("/environments", {"name": "New", "message_retention_days": value})
    assert (made.status_code, made.json()["message_retention_days"]) == (201, value)
    changed = AuditEntry.objects.in_organization(acme.organization).filter(action="environment.updated").first()
    assert changed is not None
    assert changed.after is not None
    assert changed.after["message_retention_days"] == 7


@pytest.mark.parametrize("value", [0, -1, 3651, "30", 1.5, True])
def test_what_is_no_number_of_days_up_to_ten_years_is_refused(acme: World, api: Api, value: Any) -> None:
    answer = api.patch(f"/environments/{acme.development.pk}", {"message_retention_days": value})
    details = answer.json()["error"]["details"]
    assert (answer.status_code, details[0]["field"]) == (422, "message_retention_days")
