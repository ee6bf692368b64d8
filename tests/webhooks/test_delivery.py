"""One step of the deliverer: claimed from a real database, posted to a real server, written down."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook, WebhookVerificationError

from environments import clock
from environments.binding import inside
from environments.gates import ask
from environments.services.usage import usage
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Received, Receiver
from webhooks.delivery.claims import LEASE, Return, claim_due, give_back
from webhooks.delivery.deliverer import Deliverer
from webhooks.delivery.outcomes import Outcome, State, outcome_of
from webhooks.delivery.records import Result, record
from webhooks.delivery.requests import request_of
from webhooks.models import WebhookEndpoint
from webhooks.signing import new_secret
from webhooks.transport import Answer

Deliver = Callable[[], int]
OK = Answer(status=200, body="", error=None, duration_ms=1, retry_after=None)
BROKEN = Answer(status=500, body="", error=None, duration_ms=1, retry_after=None)
AGAIN = Outcome(State.PENDING, retry_in=30.0)


def verifies(secret: str, received: Received) -> bool:
    try:
        Webhook(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True


def wait_for_retry(tenant: Tenant) -> float:
    """Return how many seconds after its latest attempt the only delivery is due again."""
    due = tenant.delivery().next_attempt_at
    assert due is not None
    return (due - tenant.attempts()[-1].at).total_seconds()


def make_due(tenant: Tenant) -> None:
    tenant.change_deliveries(next_attempt_at=clock.now())


def test_an_event_reaches_its_endpoint_as_the_documented_envelope(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"))
    [event] = acme.publish(subject="Hello")
    deliver()
    [received] = receiver.of("/hook")
    assert received.event == {
        "id": event.pk,
        "type": "message.captured",
        "timestamp": clock.written(event.created_at),
        "org_id": acme.environment.organization_id,
        "env_id": acme.environment.pk,
        "environment": {"id": acme.environment.pk, "slug": "production", "delivery_mode": "capture"},
        "data": {"subject": "Hello"},
    }


def test_a_receiver_of_either_kind_can_verify_the_signature(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    endpoint = acme.endpoint(receiver.url("/hook"))
    acme.publish()
    deliver()
    [received] = receiver.of("/hook")
    signed = received.headers["x-agentpost-timestamp"].encode() + b"." + received.body
    ours = hmac.new(endpoint.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert verifies(endpoint.secret, received)
    assert received.headers["x-agentpost-signature"] == ours
    assert not verifies(new_secret(), received)


@pytest.mark.parametrize(("expires_in", "old_one_verifies"), [(timedelta(hours=1), True), (timedelta(hours=-1), False)])
def test_the_previous_secret_verifies_until_its_overlap_ends(
    acme: Tenant, receiver: Receiver, deliver: Deliver, *, expires_in: timedelta, old_one_verifies: bool
) -> None:
    old = new_secret()
    endpoint = acme.endpoint(
        receiver.url("/hook"), previous_secret=old, previous_secret_expires_at=clock.now() + expires_in
    )
    acme.publish()
    deliver()
    [received] = receiver.of("/hook")
    assert verifies(endpoint.secret, received)
    assert verifies(old, received) is old_one_verifies


def test_custom_headers_are_sent_and_override_none_of_ours(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    theirs = {"X-Route": "7", "User-Agent": "x", "content-type": "x", "Webhook-Id": "x", "X-AgentPost-Signature": "x"}
    endpoint = acme.endpoint(receiver.url("/hook"), headers=theirs)
    acme.publish()
    deliver()
    [received] = receiver.of("/hook")
    assert received.headers["x-route"] == "7"
    assert received.headers["user-agent"] == "AgentPost-Webhooks/1"
    assert received.headers["content-type"] == "application/json"
    assert verifies(endpoint.secret, received)


def test_no_header_is_sent_twice_in_two_spellings(acme: Tenant) -> None:
    acme.endpoint("https://acme.example/hook", headers={"User-Agent": "x", "WEBHOOK-ID": "x", "X-Route": "7"})
    acme.publish()
    [claim] = claim_due(1)
    names = [name.lower() for name in request_of(claim.delivery, clock.now()).headers]
    assert "x-route" in names
    assert len(names) == len(set(names))


def test_a_success_is_written_down_with_its_attempt_and_its_usage(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish(3)
    deliver()
    now = clock.now()
    with inside(acme.environment):
        [hour] = usage(acme.environment, now - timedelta(hours=2), now, "month")
    assert [(d.state, d.attempts, d.next_attempt_at) for d in acme.deliveries()] == [("delivered", 1, None)] * 3
    assert [(a.number, a.status, a.error) for a in acme.attempts()] == [(1, 200, "")] * 3
    assert hour["webhook_deliveries"] == 3


def test_a_failure_is_written_down_and_tried_again_half_a_minute_later(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answers["/hook"] = [(500, {}), (200, {})]
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    deliver()
    assert 30 <= wait_for_retry(acme) < 60
    assert deliver() == 0
    make_due(acme)
    deliver()
    assert acme.delivery().state == "delivered"
    assert [(a.number, a.status) for a in acme.attempts()] == [(1, 500), (2, 200)]


def test_each_attempt_is_the_same_event_signed_anew(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    receiver.answers["/hook"] = [(500, {})]
    endpoint = acme.endpoint(receiver.url("/hook"))
    acme.publish()
    deliver()
    make_due(acme)
    deliver()
    first, second = receiver.of("/hook")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert verifies(endpoint.secret, first)
    assert verifies(endpoint.secret, second)


def test_the_sixth_failure_is_the_last(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    receiver.answers["/hook"] = [(500, {})]
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    acme.change_deliveries(attempts=5)
    deliver()
    assert (acme.delivery().state, acme.delivery().attempts) == ("failed", 6)
    assert acme.delivery().next_attempt_at is None


def test_retry_after_puts_the_next_attempt_off(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    receiver.answers["/hook"] = [(429, {"Retry-After": "3600"})]
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    deliver()
    assert 3600 <= wait_for_retry(acme) < 3660


def deliver_one() -> None:
    async def one() -> None:
        async with Deliverer(development=True) as deliverer:
            await deliverer.claim(1)
            await deliverer.finish()

    asyncio.run(one())


def test_gone_disables_the_endpoint_and_fails_what_is_left_without_a_post(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answers["/hook"] = [(410, {})]
    endpoint = acme.endpoint(receiver.url("/hook"))
    acme.publish(2)
    deliver_one()
    deliver()
    assert acme.reread(endpoint).is_enabled is False
    assert acme.reread(endpoint).disabled_reason == "The endpoint answered 410 Gone."
    assert [d.state for d in acme.deliveries()] == ["failed", "failed"]
    assert len(receiver.of("/hook")) == 1


def test_nothing_leaves_a_paused_environment_until_it_goes_on(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    acme.environment.webhooks_paused = True
    acme.environment.save()
    assert deliver() == 0
    acme.environment.webhooks_paused = False
    acme.environment.save()
    assert deliver() == 1
    assert len(receiver.of("/hook")) == 1


def test_events_go_to_the_endpoints_of_their_own_environment_only(
    acme: Tenant, globex: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    for tenant, path in ((acme, "/acme"), (globex, "/globex")):
        tenant.endpoint(receiver.url(path))
    acme.publish(5)
    globex.publish(3)
    deliver()
    assert {(r.path, r.event["env_id"]) for r in receiver.received} == {
        ("/acme", acme.environment.pk),
        ("/globex", globex.environment.pk),
    }
    assert (len(receiver.of("/acme")), len(receiver.of("/globex"))) == (5, 3)
    assert (len(acme.attempts()), len(globex.attempts())) == (5, 3)


def test_two_deliverers_share_the_work_and_post_nothing_twice(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    events = acme.publish(60)

    async def both() -> list[int]:
        async with Deliverer(development=True) as one, Deliverer(development=True) as other:
            counts = await asyncio.gather(*(deliverer.claim(20) for deliverer in (one, other) * 2))
            await asyncio.gather(one.finish(), other.finish())
            return counts

    counts = asyncio.run(both())
    assert sum(counts) == 60
    assert sorted(r.event["id"] for r in receiver.of("/hook")) == sorted(event.pk for event in events)


def test_what_a_dead_worker_claimed_comes_back_when_its_lease_ends(
    acme: Tenant, receiver: Receiver, deliver: Deliver
) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    assert len(ask("claim_due_deliveries", 100, LEASE)) == 1
    assert deliver() == 0
    acme.change_deliveries(next_attempt_at=acme.delivery().next_attempt_at - LEASE)
    assert deliver() == 1
    assert acme.delivery().state == "delivered"


def test_a_claim_that_is_given_back_is_due_at_once(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    give_back(Return(claim) for claim in claim_due(100))
    assert len(claim_due(100)) == 1


def test_a_claim_given_back_too_late_stays_with_its_new_owner(acme: Tenant, receiver: Receiver) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    late = claim_due(100)
    make_due(acme)
    [owned] = claim_due(100)
    give_back(Return(claim) for claim in late)
    assert acme.delivery().next_attempt_at == owned.lease_until


@pytest.mark.parametrize("answer", [OK, BROKEN])
def test_a_result_after_the_end_of_the_lease_does_not_undo_a_delivery(
    acme: Tenant, receiver: Receiver, answer: Answer
) -> None:
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    [late] = claim_due(100)
    make_due(acme)
    [owned] = claim_due(100)
    for claim, came_back in ((owned, OK), (late, answer)):
        record(acme.environment.pk, [Result(claim, clock.now(), came_back, outcome_of(1, came_back, 0.0))])
    assert (acme.delivery().state, acme.delivery().attempts) == ("delivered", 1)
    assert len(acme.attempts()) == 2


def test_a_failure_after_the_end_of_the_lease_leaves_the_claim_of_its_new_owner(acme: Tenant) -> None:
    acme.endpoint("https://acme.example/hook")
    acme.publish()
    [late] = claim_due(100)
    make_due(acme)
    [owned] = claim_due(100)
    record(acme.environment.pk, [Result(late, clock.now(), BROKEN, AGAIN)])
    assert (acme.delivery().next_attempt_at, acme.delivery().attempts) == (owned.lease_until, 0)


def test_an_endpoint_deleted_meanwhile_leaves_nothing_and_harms_no_other(acme: Tenant, receiver: Receiver) -> None:
    deleted, kept = acme.endpoint(receiver.url("/deleted")), acme.endpoint(receiver.url("/kept"))
    acme.publish()
    claims = claim_due(100)
    with inside(acme.environment):
        WebhookEndpoint.objects.in_environment(acme.environment).filter(pk=deleted.pk).delete()
    record(acme.environment.pk, [Result(claim, clock.now(), OK, Outcome(State.DELIVERED)) for claim in claims])
    assert [(d.endpoint_id, d.state) for d in acme.deliveries()] == [(kept.pk, "delivered")]


@pytest.mark.parametrize(
    ("before", "answers", "after"),
    [
        (0, [BROKEN], 1),
        (3, [BROKEN, BROKEN], 5),
        (3, [OK], 0),
        (3, [BROKEN, OK], 0),
        (3, [BROKEN, OK, BROKEN], 1),
    ],
)
def test_an_endpoint_knows_how_often_it_failed_in_a_row(
    acme: Tenant, before: int, answers: list[Answer], after: int
) -> None:
    endpoint = acme.endpoint("https://acme.example/hook", consecutive_failures=before)
    acme.publish(len(answers))
    results = [
        Result(claim, clock.now(), answer, outcome_of(1, answer, 0.0))
        for claim, answer in zip(claim_due(100), answers, strict=True)
    ]
    record(acme.environment.pk, results)
    assert acme.reread(endpoint).consecutive_failures == after


def test_a_delivery_that_cannot_be_built_fails_alone(acme: Tenant, receiver: Receiver, deliver: Deliver) -> None:
    broken = acme.endpoint(receiver.url("/broken"), secret="no secret of ours")
    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    deliver()
    states = {delivery.endpoint_id == broken.pk: delivery.state for delivery in acme.deliveries()}
    assert states == {True: "pending", False: "delivered"}
    assert sorted(attempt.error for attempt in acme.attempts()) == ["", "internal error"]


def test_a_target_that_nobody_listens_on_is_tried_again(acme: Tenant, deliver: Deliver) -> None:
    with Receiver().listening() as gone:
        url = gone.url("/hook")
    acme.endpoint(url)
    acme.publish()
    deliver()
    assert [(a.status, a.error) for a in acme.attempts()] == [(None, "connection")]
    assert acme.delivery().state == "pending"


def test_loopback_is_refused_outside_development(acme: Tenant, receiver: Receiver) -> None:
    async def once() -> None:
        async with Deliverer() as deliverer:
            await deliverer.claim()
            await deliverer.finish()

    acme.endpoint(receiver.url("/hook"))
    acme.publish()
    asyncio.run(once())
    assert [a.error for a in acme.attempts()] == ["refused address"]
    assert receiver.received == []


def test_the_number_of_queries_does_not_grow_with_the_batch(acme: Tenant) -> None:
    acme.endpoint("https://acme.example/hook", consecutive_failures=1)
    acme.publish(41)
    counts = []
    for how_many in (1, 40):
        with CaptureQueriesContext(connection) as queries:
            claims = claim_due(how_many)
            record(acme.environment.pk, [Result(c, clock.now(), BROKEN, AGAIN) for c in claims])
        counts.append(len(queries))
    assert counts[0] == counts[1]
