"""Deliveries that somebody asks for: tests, retries, replays."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.errors import Conflict, ValidationFailed
from environments.ids import made_at
from environments.models import AuditEntry
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from webhooks.delivery.claims import claim_due
from webhooks.models import EVENT_TYPES, Event, WebhookDelivery, WebhookEndpoint
from webhooks.services import deliveries
from webhooks.services.events import Happening, publish
from webhooks.services.log import read_log

Deliver = Callable[[], int]
HOOK = "https://acme.example/hook"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def send_test(tenant: Tenant, endpoint: WebhookEndpoint, event_type: str | None = None) -> WebhookDelivery:
    with inside(tenant.environment):
        return deliveries.send_test(endpoint, tenant.environment, event_type)


def retry(tenant: Tenant, delivery: WebhookDelivery) -> WebhookDelivery:
    with inside(tenant.environment):
        return deliveries.retry(delivery, tenant.environment)


def replay(tenant: Tenant, endpoint: WebhookEndpoint, **options: Any) -> deliveries.Replayed:
    with inside(tenant.environment):
        given = {"since": LONG_AGO, "actor": SYSTEM, **options}
        return deliveries.replay(endpoint, tenant.environment, **given)


def happen(tenant: Tenant, *types: str, inbox_id: str | None = None) -> list[Event]:
    with inside(tenant.environment):
        return publish(tenant.environment.pk, [Happening(name, {}, inbox_id) for name in types])


def change(tenant: Tenant, endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    with inside(tenant.environment):
        WebhookEndpoint.objects.in_environment(tenant.environment).filter(pk=endpoint.pk).update(**changes)
    return tenant.reread(endpoint)


def seconds_until(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - clock.now()).total_seconds()


def end(tenant: Tenant, state: str = "failed", attempts: int = 6) -> None:
    tenant.change_deliveries(state=state, attempts=attempts, next_attempt_at=None)


def events_of(found: Sequence[WebhookDelivery]) -> set[str]:
    return {delivery.event_id for delivery in found if delivery.state == "pending"}


# --- Tests -----------------------------------------------------------------------------------------------------------


def test_a_test_is_posted_signed_to_its_endpoint_alone(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    endpoint = acme.endpoint(receiver.url("/tested"))
    acme.endpoint(receiver.url("/other"))
    send_test(acme, endpoint, "message.bounced")
    deliver()
    [received] = receiver.received
    assert (received.path, received.event["type"], received.event["data"]["test"]) == (
        "/tested",
        "message.bounced",
        True,
    )
    assert Webhook(endpoint.secret).verify(received.body, received.headers)


@pytest.mark.parametrize(
    ("asked", "made"),
    [(["*"], "message.received"), (["draft.*"], "draft.submitted"), (["quota.reached"], "quota.reached")],
)
def test_a_test_without_a_type_is_of_one_that_the_endpoint_asks_for(acme: Tenant, asked: list[str], made: str) -> None:
    assert send_test(acme, acme.endpoint(HOOK, events=asked)).event.type == made


def test_a_test_is_in_no_log(acme: Tenant) -> None:
    send_test(acme, acme.endpoint(HOOK))
    [told] = acme.publish()
    with inside(acme.environment):
        assert [event.pk for event in read_log(acme.environment, None, [], 100)[0]] == [told.pk]


@pytest.mark.parametrize("status", [500, 410, 302])
def test_a_test_that_fails_is_not_tried_again_and_harms_nothing(
    acme: Tenant, receiver: Receiver, deliver: Deliver, status: int
) -> None:
    receiver.answers["/hook"] = [(status, {})]
    endpoint = acme.endpoint(receiver.url("/hook"), consecutive_failures=49)
    send_test(acme, endpoint)
    deliver()
    after = acme.reread(endpoint)
    assert (acme.delivery().state, [a.status for a in acme.attempts()]) == ("failed", [status])
    assert (after.is_enabled, after.consecutive_failures) == (True, 49)


def test_a_test_that_succeeds_ends_no_run_of_failures(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    endpoint = acme.endpoint(receiver.url("/hook"), consecutive_failures=49)
    send_test(acme, endpoint)
    deliver()
    assert (acme.delivery().state, acme.reread(endpoint).consecutive_failures) == ("delivered", 49)


def test_a_disabled_endpoint_gets_its_test_and_nothing_else(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    endpoint = acme.endpoint(receiver.url("/hook"))
    acme.publish()
    send_test(acme, change(acme, endpoint, is_enabled=False), "inbox.created")
    deliver()
    assert [received.event["type"] for received in receiver.received] == ["inbox.created"]
    assert [delivery.state for delivery in acme.deliveries()] == ["failed", "delivered"]
    assert retry(acme, acme.deliveries()[1]).state == "pending"


def test_a_test_of_no_type_is_refused(acme: Tenant) -> None:
    with pytest.raises(ValidationFailed):
        send_test(acme, acme.endpoint(HOOK), "message.eaten")


# --- Retries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "delivered"])
def test_what_has_ended_is_sent_again_at_once(acme: Tenant, receiver: Receiver, deliver: Deliver, state: str) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    end(acme, state)
    retried = retry(acme, acme.delivery())
    assert (retried.state, retried.attempts, retried.attempts_before, retried.delivered_at) == ("pending", 6, 6, None)
    assert deliver() == 1
    assert (acme.delivery().state, [attempt.number for attempt in acme.attempts()]) == ("delivered", [7])


def test_a_retried_delivery_has_its_whole_schedule_again(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    receiver.answers["/hook"] = [(500, {})]
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    end(acme)
    retry(acme, acme.delivery())
    waits = []
    for _ in range(6):
        deliver()
        waits.append(acme.delivery().next_attempt_at and seconds_until(acme.delivery().next_attempt_at))
        acme.change_deliveries(next_attempt_at=clock.now())
    planned = [30, 120, 600, 3600, 14400]
    assert [wait and planned[at] - 5 < wait < planned[at] * 1.1 for at, wait in enumerate(waits)] == [True] * 5 + [None]
    assert (acme.delivery().state, acme.delivery().attempts) == ("failed", 12)
    assert [attempt.number for attempt in acme.attempts()] == list(range(7, 13))


def test_what_waits_for_its_next_attempt_is_sent_at_once_and_keeps_its_count(acme: Tenant) -> None:
    acme.endpoint(HOOK)
    acme.publish()
    acme.change_deliveries(attempts=4, next_attempt_at=clock.now() + HOUR)
    retried = retry(acme, acme.delivery())
    assert (retried.state, retried.attempts, retried.attempts_before) == ("pending", 4, 0)
    assert len(claim_due(10)) == 1


def test_a_claim_keeps_its_lease_when_its_delivery_is_to_be_retried(acme: Tenant) -> None:
    acme.endpoint(HOOK)
    acme.publish()
    [claim] = claim_due(10)
    assert retry(acme, acme.delivery()).next_attempt_at == claim.lease_until
    assert claim_due(10) == []


def test_to_a_disabled_endpoint_nothing_is_retried_or_replayed(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK)
    acme.publish()
    end(acme)
    disabled = change(acme, endpoint, is_enabled=False)
    for ask in (lambda: retry(acme, acme.delivery()), lambda: replay(acme, disabled)):
        with pytest.raises(Conflict) as refused:
            ask()
        assert f"/webhook-endpoints/{endpoint.pk}/enable" in refused.value.fix
    assert acme.delivery().state == "failed"


def test_nothing_is_attempted_without_end(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK)
    acme.publish()
    end(acme, attempts=deliveries.MOST_ATTEMPTS)
    with pytest.raises(Conflict):
        retry(acme, acme.delivery())
    assert replay(acme, endpoint).count == 0


# --- Replays ---------------------------------------------------------------------------------------------------------


def test_a_replay_sends_what_was_missed_what_failed_and_what_was_delivered_once(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    missed = acme.publish(3)
    endpoint = acme.endpoint(receiver.url("/hook"))
    failed, delivered = acme.publish(2), acme.publish(2)
    for delivery in acme.deliveries():
        state = "failed" if delivery.event_id in {event.pk for event in failed} else "delivered"
        acme.change_delivery(delivery, state=state, next_attempt_at=None)
    under_way = acme.publish(2)
    done = replay(acme, endpoint)
    assert (done.count, done.next_since) == (7, None)
    deliver()
    sent = [received.event["id"] for received in receiver.of("/hook")]
    assert sorted(sent) == sorted(event.pk for event in [*missed, *failed, *delivered, *under_way])


def test_a_replay_leaves_alone_what_is_on_its_way(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK)
    acme.publish(2)
    [claim] = claim_due(1)
    before = [(d.pk, d.next_attempt_at) for d in acme.deliveries()]
    assert replay(acme, endpoint).count == 0
    assert [(d.pk, d.next_attempt_at) for d in acme.deliveries()] == before
    assert claim.lease_until in {moment for _, moment in before}


def test_a_replay_takes_from_since_on_and_stops_before_until(acme: Tenant) -> None:
    events = []
    for _ in range(4):
        events += acme.publish()
        connection.cursor().execute("SELECT pg_sleep(0.005)")
    moments = [made_at("evt", event.pk) for event in events]
    done = replay(acme, acme.endpoint(HOOK), since=moments[1], until=moments[3])
    assert done.count == 2
    assert events_of(acme.deliveries()) == {event.pk for event in events[1:3]}


@pytest.mark.parametrize(
    ("asks_for", "asked", "sent"),
    [
        (["message.*"], [], {"message.sent", "message.bounced"}),
        (["*"], ["message.bounced", "draft.*"], {"message.bounced", "draft.approved"}),
        (["message.sent"], ["*"], {"message.sent", "message.bounced", "draft.approved"}),
    ],
)
def test_a_replay_sends_the_types_that_are_named_or_else_those_of_the_endpoint(
    acme: Tenant, asks_for: list[str], asked: list[str], sent: set[str]
) -> None:
    events = happen(acme, "message.sent", "message.bounced", "draft.approved")
    replay(acme, acme.endpoint(HOOK, events=asks_for), asked=asked)
    assert {event.type for event in events if event.pk in events_of(acme.deliveries())} == sent


def test_a_replay_keeps_to_the_inboxes_of_the_endpoint(acme: Tenant) -> None:
    ours, theirs = "inb_01ARZ3NDEKTSV4RRFFQ69G5FAV", "inb_01ARZ3NDEKTSV4RRFFQ69G5FAW"
    [wanted] = happen(acme, "message.sent", inbox_id=ours)
    happen(acme, "message.sent", inbox_id=theirs)
    happen(acme, "api_key.created")
    assert replay(acme, acme.endpoint(HOOK, inbox_ids=[ours]), asked=["*"]).count == 1
    assert events_of(acme.deliveries()) == {wanted.pk}


def test_a_replay_brings_no_tests_and_nothing_of_another_environment(acme: Tenant, globex: Tenant) -> None:
    globex.publish(3)
    endpoint = acme.endpoint(HOOK)
    send_test(acme, endpoint)
    end(acme)
    assert replay(acme, endpoint).count == 0
    assert globex.deliveries() == []


def test_a_long_replay_goes_on_where_the_call_before_it_ended(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_REPLAYED", 3)
    events = [event for _ in range(8) for event in [*acme.publish(), *pause()]]
    endpoint, since, counts = acme.endpoint(HOOK), LONG_AGO, []
    for _ in range(10):
        done = replay(acme, endpoint, since=since)
        counts.append(done.count)
        if done.next_since is None:
            break
        since = done.next_since
    assert counts == [3, 3, 2]
    assert events_of(acme.deliveries()) == {event.pk for event in events}


def pause() -> list[Event]:
    connection.cursor().execute("SELECT pg_sleep(0.003)")
    return []


@pytest.mark.parametrize(
    ("since", "until"),
    [(timedelta(hours=1), None), (timedelta(hours=1), timedelta(hours=2)), (-HOUR, -2 * HOUR)],
)
def test_a_range_that_is_none_is_refused(acme: Tenant, since: timedelta, until: timedelta | None) -> None:
    now = clock.now()
    with pytest.raises(ValidationFailed) as refused:
        replay(acme, acme.endpoint(HOOK), since=now + since, until=until and now + until)
    assert refused.value.details[0]["field"] == "since"


def test_a_replay_is_on_the_record(acme: Tenant) -> None:
    acme.publish(2)
    replay(acme, acme.endpoint(HOOK), asked=["message.*"])
    entry = AuditEntry.objects.in_organization(acme.environment.organization).latest("sequence")
    assert entry.action == "webhook_endpoint.replayed"
    assert entry.after["events"] == ["message.*"]  # type: ignore[index]
    assert (entry.after["since"], entry.after["replayed"]) == (clock.written(LONG_AGO), 2)  # type: ignore[index]


def test_the_number_of_queries_does_not_grow_with_what_is_replayed(acme: Tenant) -> None:
    counts = []
    for how_many in (1, 400):
        acme.publish(how_many)
        endpoint = acme.endpoint(HOOK, is_enabled=True)
        with CaptureQueriesContext(connection) as queries:
            replay(acme, endpoint)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_every_type_can_be_asked_for(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK)
    for event_type in EVENT_TYPES:
        assert send_test(acme, endpoint, event_type).event.data["test"] is True
