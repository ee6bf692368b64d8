"""How long the log keeps events, what goes with them, and who keeps their place in it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.services import create_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import first_at, new_id
from environments.services.environments import update_environment
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from tests.world import PERSON, Api, error_of
from webhooks.models import DeliveryAttempt, Event, WebhookDelivery
from webhooks.services import retention
from webhooks.tasks import forget_events

State = WebhookDelivery.State


@pytest.fixture
def log(acme: Tenant) -> "Log":
    return Log(acme)


class Log:
    """The log of an environment, into which a test writes what happened long ago."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.environment = tenant, tenant.environment
        self._made = 0

    def event(self, days: float, kind: str = "message.received", **fields: Any) -> str:
        """Write an event of so many days ago; those of one log are written the oldest first."""
        then = clock.now() - timedelta(days=days) + timedelta(milliseconds=self._made)
        self._made += 1
        with inside(self.environment):
            rows = Event.objects.in_environment(self.environment)
            return rows.create(
                id=first_at("evt", then), environment=self.environment, type=kind, data={}, created_at=then, **fields
            ).pk

    def delivery(self, event_id: str, state: str) -> str:
        endpoint = self.tenant.endpoint("https://acme.example/hook")
        with inside(self.environment):
            delivery = WebhookDelivery.objects.in_environment(self.environment).create(
                environment=self.environment, endpoint=endpoint, event_id=event_id, state=state
            )
            DeliveryAttempt.objects.in_environment(self.environment).create(
                environment=self.environment, delivery=delivery, number=1, duration_ms=1
            )
        return delivery.pk

    def keep(self, days: int) -> None:
        update_environment(self.environment, {"event_retention_days": days}, actor=PERSON)

    def events(self) -> list[str]:
        with inside(self.environment):
            return list(Event.objects.in_environment(self.environment).order_by("pk").values_list("pk", flat=True))


def forget() -> int:
    return forget_events(int(clock.now().timestamp()))


def api(tenant: Tenant) -> Api:
    return Api(create_key(tenant.environment.organization_id, "a key", actor=SYSTEM, scopes=["*"]).secret)


@pytest.mark.parametrize(
    ("days_kept", "days", "is_gone"),
    [(1, 0.9, False), (1, 1.1, True), (8, 7.9, False), (8, 8.1, True), (365, 364, False), (365, 366, True)],
)
def test_an_event_goes_when_its_time_is_over_and_not_before(
    log: Log, days_kept: int, days: float, is_gone: bool
) -> None:
    log.keep(days_kept)
    old, newest = log.event(days), log.event(0)
    assert forget() == is_gone
    assert log.events() == ([newest] if is_gone else [old, newest])


def test_the_default_is_thirty_days(log: Log) -> None:
    gone, stays, newest = log.event(30.1), log.event(29.9), log.event(0)
    assert (forget(), log.events()) == (1, [stays, newest])
    assert gone not in log.events()


def test_deliveries_and_attempts_go_with_their_event(log: Log) -> None:
    old, newest = log.event(40), log.event(0)
    for state in (State.DELIVERED, State.FAILED):
        log.delivery(old, state)
    kept = log.delivery(newest, State.DELIVERED)
    forget()
    assert [delivery.pk for delivery in log.tenant.deliveries()] == [kept]
    assert [attempt.delivery_id for attempt in log.tenant.attempts()] == [kept]


def test_an_event_stays_while_a_delivery_of_it_is_pending(log: Log) -> None:
    old, newest = log.event(40), log.event(0)
    log.delivery(old, State.DELIVERED)
    pending = log.delivery(old, State.PENDING)
    assert (forget(), log.events()) == (0, [old, newest])
    log.tenant.change_deliveries(state=State.FAILED)
    assert pending in {delivery.pk for delivery in log.tenant.deliveries()}
    assert (forget(), log.events()) == (1, [newest])


def test_the_newest_of_each_type_stays_for_good(log: Log) -> None:
    log.event(50, "inbox.created")
    inbox, mail = log.event(49, "inbox.created"), [log.event(days) for days in (48, 47)]
    assert (forget(), log.events()) == (2, [inbox, mail[1]])


@pytest.mark.parametrize("types", ["", "inbox.created", "message.received", "inbox.*,domain.*"])
def test_a_reader_who_is_up_to_date_never_loses_the_place(log: Log, types: str) -> None:
    for days, kind in ((60, "inbox.created"), (59, "inbox.created"), (58, "message.received"), (57, "quota.reached")):
        log.event(days, kind)
    reader = api(log.tenant)
    query = f"&types={types}" if types else ""
    cursor = reader.get(f"/events?limit=100{query}").json()["next_cursor"]
    forget()
    answer = reader.get(f"/events?after={cursor}{query}")
    assert (answer.status_code, answer.json()["has_more"]) == (200, False)
    news = log.event(0, "message.received")
    seen = reader.items(f"/events?after={cursor}")
    assert news in [event["id"] for event in seen]


def test_a_reader_of_a_quiet_inbox_never_loses_the_place(log: Log) -> None:
    quiet, busy = new_id("inb"), new_id("inb")
    older, last = (log.event(days, inbox_id=quiet) for days in (101, 100))
    log.event(50, inbox_id=busy)
    news = log.event(0, inbox_id=busy)
    assert (forget(), log.events()) == (2, [last, news])
    reader = api(log.tenant)
    for name in ("after", "cursor"):
        answer = reader.get(f"/events?inbox_id={quiet}&{name}={last}")
        assert (answer.status_code, answer.json()["data"], answer.json()["next_cursor"]) == (200, [], last)
        assert reader.get(f"/events?inbox_id={quiet}&{name}={older}").status_code == 400
    late = log.event(0, inbox_id=quiet)
    assert [event["id"] for event in reader.items(f"/events?inbox_id={quiet}&after={last}")] == [late]


@pytest.mark.parametrize(("days_kept", "days", "is_gone"), [(30, 6.9, False), (30, 7.1, True), (2, 2.1, True)])
def test_an_event_that_tried_an_endpoint_goes_after_a_week_at_the_most(
    log: Log, days_kept: int, days: float, is_gone: bool
) -> None:
    log.keep(days_kept)
    log.event(0)
    log.event(days, is_test=True)
    assert forget() == is_gone


def test_an_event_that_tried_an_endpoint_keeps_no_place_for_its_type(log: Log) -> None:
    real = log.event(40)
    log.event(39, is_test=True)
    assert (forget(), log.events()) == (1, [real])


def test_each_environment_forgets_by_its_own_days(acme: Tenant, globex: Tenant) -> None:
    ours, theirs = Log(acme), Log(globex)
    theirs.keep(90)
    for log in (ours, theirs):
        for days in (60, 50, 0):
            log.event(days)
    assert forget() == 2
    assert (len(ours.events()), len(theirs.events())) == (1, 3)


def test_many_are_forgotten_a_batch_at_a_time(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    old = [log.event(40) for _ in range(10)]
    log.delivery(old[4], State.PENDING)
    newest = log.event(0)
    with CaptureQueriesContext(connection) as queries:
        assert forget() == 9
    deletions = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len(deletions) == 3
    assert log.events() == [old[4], newest]


def test_who_delivers_an_event_again_while_it_is_forgotten_keeps_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    old, newest = log.event(40), log.event(0)
    log.delivery(old, State.FAILED)
    found = retention._without_pending

    def found_first(environment: Any) -> Any:
        rows = found(environment)
        monkeypatch.setattr(retention, "_without_pending", retried_meanwhile)
        return rows

    def retried_meanwhile(environment: Any) -> Any:
        WebhookDelivery.objects.in_environment(environment).update(state=State.PENDING)
        return found(environment)

    monkeypatch.setattr(retention, "_without_pending", found_first)
    forget()
    assert log.events() == [old, newest]


class TestACursorThatHasGone:
    @pytest.fixture
    def answers(self, log: Log, globex: Tenant) -> dict[str, Any]:
        gone, foreign = log.event(40), Log(globex).event(0)
        log.event(0)
        log.keep(3)
        forget()
        reader = api(log.tenant)
        asked = {"gone": gone, "foreign": foreign, "never there": new_id("evt"), "no id": "evt_1", "test": ""}
        asked["test"] = log.event(0, is_test=True)
        return {what: error_of(reader.get(f"/events?after={cursor}")) for what, cursor in asked.items()}

    def test_is_refused_with_what_to_do(self, answers: dict[str, Any]) -> None:
        error = answers["gone"]
        assert error["code"] == "invalid_cursor"
        assert "kept for 3 days" in error["fix"]
        assert "leave after out" in error["fix"]

    def test_is_told_apart_from_no_other_that_is_not_in_the_log(self, answers: dict[str, Any]) -> None:
        for error in answers.values():
            error.pop("request_id")
        assert all(error == answers["gone"] for error in answers.values())


@pytest.mark.parametrize("value", [1, 30, 365])
def test_a_key_says_how_long_events_are_kept(acme: Tenant, value: int) -> None:
    reader, where = api(acme), f"/environments/{acme.environment.pk}"
    assert reader.get(where).json()["event_retention_days"] == 30
    assert reader.patch(where, {"event_retention_days": value}).json()["event_retention_days"] == value
    made = reader.post("/environments", {"name": "New", "event_retention_days": value})
    assert (made.status_code, made.json()["event_retention_days"]) == (201, value)


@pytest.mark.parametrize("value", [0, -1, 366, None, "30", 1.5, True])
def test_what_is_no_number_of_days_up_to_a_year_is_refused(acme: Tenant, value: Any) -> None:
    answer = api(acme).patch(f"/environments/{acme.environment.pk}", {"event_retention_days": value})
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "event_retention_days")


def test_a_change_of_the_days_is_on_record(acme: Tenant) -> None:
    reader = api(acme)
    reader.patch(f"/environments/{acme.environment.pk}", {"event_retention_days": 90})
    [entry] = reader.items("/audit?action=environment.updated")
    assert (entry["before"]["event_retention_days"], entry["after"]["event_retention_days"]) == (30, 90)


def test_a_cursor_of_a_live_log_outlives_the_forgetting_of_what_was_read_before(
    log: Log, receiver: Receiver, deliver: Callable[[], int]
) -> None:
    log.tenant.endpoint(receiver.url("/hook"))
    for days in (50, 45, 40):
        log.event(days)
    log.tenant.publish(3)
    deliver()
    reader = api(log.tenant)
    cursor = reader.get("/events?limit=4").json()["next_cursor"]
    assert forget() == 2
    assert len(reader.items(f"/events?after={cursor}&types=message.*")) == 2
