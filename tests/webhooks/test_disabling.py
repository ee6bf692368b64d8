"""An endpoint that fails too often is disabled once, everybody is told, and nothing is lost by it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.errors import Conflict
from environments.models import AuditEntry, Member, User
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from webhooks.delivery import records
from webhooks.delivery.claims import Claim, claim_due
from webhooks.delivery.outcomes import outcome_of
from webhooks.delivery.records import Result, record
from webhooks.models import Event, WebhookEndpoint
from webhooks.services.deliveries import replay, send_test
from webhooks.services.endpoints import enable
from webhooks.services.events import Happening, publish
from webhooks.transport import Answer

Deliver = Callable[[], int]
HOOK = "https://acme.example/hook?token=secret"
OK, BROKEN, GONE = (Answer(status=s, body="", error=None, duration_ms=1, retry_after=None) for s in (200, 500, 410))


def result(claim: Claim, answer: Answer) -> Result:
    return Result(claim, clock.now(), answer, outcome_of(1, answer, 0.0))


def came_back(tenant: Tenant, *answers: Answer) -> None:
    """Have an event posted for each answer, and all of them recorded together."""
    tenant.publish(len(answers))
    results = [result(claim, answer) for claim, answer in zip(claim_due(100), answers, strict=True)]
    record(tenant.environment.pk, results)


def told(tenant: Tenant) -> list[Event]:
    with inside(tenant.environment):
        rows = Event.objects.in_environment(tenant.environment).filter(type="webhook_endpoint.disabled")
        return list(rows.order_by("number"))


def recorded(tenant: Tenant) -> list[AuditEntry]:
    entries = AuditEntry.objects.in_organization(tenant.environment.organization)
    return list(entries.filter(action="webhook_endpoint.disabled"))


@pytest.mark.parametrize(
    ("before", "answers", "is_enabled", "reason"),
    [
        (48, [BROKEN], True, ""),
        (49, [BROKEN], False, "It failed 50 times in a row."),
        (49, [OK], True, ""),
        (49, [OK, BROKEN], True, ""),
        (40, [BROKEN] * 12, False, "It failed 50 times in a row."),
        (49, [BROKEN, OK], True, ""),
        (0, [GONE], False, "The endpoint answered 410 Gone."),
        (49, [BROKEN, GONE], False, "The endpoint answered 410 Gone."),
    ],
)
def test_the_fiftieth_failure_in_a_row_disables_an_endpoint_and_gone_at_once(
    acme: Tenant, before: int, answers: list[Answer], *, is_enabled: bool, reason: str
) -> None:
    endpoint = acme.endpoint(HOOK, consecutive_failures=before)
    came_back(acme, *answers)
    after = acme.reread(endpoint)
    assert (after.is_enabled, after.disabled_reason) == (is_enabled, reason)
    assert (len(told(acme)), len(recorded(acme))) == (int(not is_enabled),) * 2


def test_the_event_says_what_was_disabled_and_why(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK, consecutive_failures=49)
    listening = acme.endpoint("https://acme.example/other", events=["webhook_endpoint.disabled"])
    came_back(acme, BROKEN)
    [event] = told(acme)
    assert event.data == {
        "endpoint_id": endpoint.pk,
        "url": HOOK,
        "reason": "It failed 50 times in a row.",
        "consecutive_failures": 50,
        "disabled_at": clock.written(acme.reread(endpoint).updated_at),
    }
    assert [d.endpoint_id for d in acme.deliveries() if d.event_id == event.pk] == [listening.pk]
    [entry] = recorded(acme)
    assert (entry.actor_kind, entry.target_id, entry.reason) == ("system", endpoint.pk, "It failed 50 times in a row.")


def test_failures_after_that_are_told_no_second_time(acme: Tenant) -> None:
    acme.endpoint(HOOK, consecutive_failures=48)
    acme.publish(4)
    first, second, third, fourth = claim_due(100)
    record(acme.environment.pk, [result(first, BROKEN), result(second, BROKEN)])
    record(acme.environment.pk, [result(third, BROKEN), result(fourth, GONE)])
    assert (len(told(acme)), len(recorded(acme))) == (1, 1)


def test_of_two_deliverers_that_count_at_the_same_time_one_disables(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK, consecutive_failures=49)
    acme.publish(8)
    halves, start = [claim_due(4), claim_due(4)], threading.Barrier(2)

    def count(claims: list[Claim]) -> None:
        start.wait(10)
        record(acme.environment.pk, [result(claim, BROKEN) for claim in claims])
        connection.close()

    threads = [threading.Thread(target=count, args=[claims]) for claims in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert acme.reread(endpoint).consecutive_failures == 57
    assert (len(told(acme)), len(recorded(acme))) == (1, 1)


def test_what_cannot_be_told_is_not_done(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no event")

    endpoint = acme.endpoint(HOOK, consecutive_failures=49)
    acme.publish()
    [claim] = claim_due(1)
    monkeypatch.setattr("webhooks.services.endpoints.publish", broken)
    with pytest.raises(RuntimeError):
        record(acme.environment.pk, [result(claim, BROKEN)])
    after = acme.reread(endpoint)
    assert (after.is_enabled, after.consecutive_failures, acme.attempts()) == (True, 49, [])


def test_its_admins_are_written_to_without_what_the_url_may_keep_secret(acme: Tenant) -> None:
    user = User.objects.create_user("owner@acme.example")
    Member(organization=acme.environment.organization, user=user, role="owner").save(force_insert=True)
    acme.endpoint(HOOK, consecutive_failures=49)
    came_back(acme, BROKEN)
    [job] = ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_notice")
    assert job.args["facts"]["host"] == "acme.example"
    assert "secret" not in str(job.args)


def mails() -> int:
    return ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_notice").count()


def test_however_many_endpoints_are_disabled_an_hour_brings_one_mail(
    acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in (acme, globex):
        user = User.objects.create_user(f"owner@{tenant.environment.organization.slug}.example")
        Member(organization=tenant.environment.organization, user=user, role="owner").save(force_insert=True)
    endpoints = [acme.endpoint(HOOK) for _ in range(3)]
    for _ in range(2):
        acme.publish()
        record(acme.environment.pk, [result(claim, GONE) for claim in claim_due(100)])
        for endpoint in endpoints:
            acme.change_endpoint(endpoint, is_enabled=True)
    assert (mails(), len(told(acme)), len(recorded(acme))) == (1, 6, 6)
    globex.endpoint(HOOK)
    came_back(globex, GONE)
    assert mails() == 2
    monkeypatch.setattr("webhooks.services.endpoints.QUIET", timedelta(0))  # the hour is over
    time.sleep(0.01)
    acme.publish()
    record(acme.environment.pk, [result(claim, GONE) for claim in claim_due(100)])
    assert mails() == 3


def states(tenant: Tenant) -> list[tuple[str, int]]:
    return [(delivery.state, delivery.attempts) for delivery in tenant.deliveries()]


def test_what_waits_for_an_endpoint_fails_when_it_is_disabled_and_nothing_else(acme: Tenant, globex: Tenant) -> None:
    failing = acme.endpoint(HOOK, consecutive_failures=49)
    other, neighbour = acme.endpoint("https://acme.example/other", events=["inbox.*"]), globex.endpoint(HOOK)
    with inside(acme.environment):
        tried = send_test(failing, acme.environment)
        publish(acme.environment.pk, [Happening("inbox.created", {})])
    globex.publish()
    acme.publish(3)
    claims = [claim for claim in claim_due(100) if claim.delivery.endpoint_id == failing.pk]
    [claim, *_] = [claim for claim in claims if claim.delivery.pk != tried.pk]
    acme.change_deliveries(next_attempt_at=clock.now() + timedelta(hours=4))
    record(acme.environment.pk, [result(claim, GONE)])
    for delivery in [*acme.deliveries(), *globex.deliveries()]:
        waits = delivery.pk == tried.pk or delivery.endpoint_id in {other.pk, neighbour.pk}
        assert (delivery.state, delivery.next_attempt_at is not None) == (
            ("pending", True) if waits else ("failed", False)
        )


@pytest.mark.parametrize(
    ("answer", "state"),
    [(OK, ("delivered", 1)), (BROKEN, ("failed", 1)), (GONE, ("failed", 1))],
)
def test_what_was_under_way_meanwhile_is_delivered_if_the_receiver_takes_it(
    acme: Tenant, answer: Answer, state: tuple[str, int]
) -> None:
    acme.endpoint(HOOK, consecutive_failures=49)
    acme.publish(2)
    first, second = claim_due(100)
    record(acme.environment.pk, [result(first, BROKEN)])
    assert states(acme) == [("failed", 1), ("failed", 0)]
    record(acme.environment.pk, [result(second, answer)])
    assert states(acme) == [("failed", 1), state]
    assert [delivery.next_attempt_at for delivery in acme.deliveries()] == [None, None]


def test_of_too_many_that_wait_those_due_first_fail_when_they_are_claimed(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.services.endpoints.MOST_FAILED_AT_ONCE", 2)
    acme.endpoint(HOOK, consecutive_failures=49)
    acme.publish(6)
    [claim] = claim_due(1)
    record(acme.environment.pk, [result(claim, BROKEN)])
    assert Counter(states(acme)) == {("failed", 1): 1, ("failed", 0): 1, ("pending", 0): 4}
    assert claim_due(100) == []
    assert {delivery.state for delivery in acme.deliveries()} == {"failed"}


@pytest.mark.parametrize(("how_many", "is_refused"), [(1, False), (2, False), (3, True)])
def test_enabling_revives_nothing_that_waited_before(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, how_many: int, *, is_refused: bool
) -> None:
    monkeypatch.setattr("webhooks.services.endpoints.MOST_FAILED_AT_ONCE", 2)
    endpoint = acme.endpoint(HOOK)
    acme.publish(how_many)
    acme.change_endpoint(endpoint, is_enabled=False)
    with inside(acme.environment), pytest.raises(Conflict) if is_refused else nullcontext():
        enable(endpoint, acme.environment, actor=SYSTEM)
    assert states(acme) == [("pending" if is_refused else "failed", 0)] * how_many
    assert claim_due(100) == []
    assert acme.reread(endpoint).is_enabled is not is_refused
    acme.publish()
    with inside(acme.environment):
        enable(endpoint, acme.environment, actor=SYSTEM)  # once all has failed


def test_enabling_what_is_enabled_leaves_what_waits_alone(acme: Tenant) -> None:
    endpoint = acme.endpoint(HOOK)
    acme.publish()
    with inside(acme.environment):
        enable(endpoint, acme.environment, actor=SYSTEM)
    assert len(claim_due(100)) == 1


def test_what_an_endpoint_missed_while_it_was_disabled_is_brought_by_a_replay(
    acme: Tenant, receiver: Receiver, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_FAILURES", 5)
    receiver.answers["/hook"] = [(500, {})]
    endpoint = acme.endpoint(receiver.url("/hook"), events=["message.*"])
    start = clock.now()
    failing = acme.publish(5)
    deliver()
    missed = acme.publish(3)
    disabled = acme.reread(endpoint)
    assert (disabled.is_enabled, len(receiver.of("/hook"))) == (False, 5)
    assert {delivery.state for delivery in acme.deliveries()} == {"failed"}

    receiver.answers["/hook"] = [(200, {})]
    with inside(acme.environment):
        enabled = enable(disabled, acme.environment, actor=SYSTEM)
        done = replay(enabled, acme.environment, actor=SYSTEM, since=start)
    deliver()
    assert (enabled.consecutive_failures, done.count) == (0, 8)
    brought = [received.event["id"] for received in receiver.of("/hook")[5:]]
    assert sorted(brought) == sorted(event.pk for event in [*failing, *missed])
    assert {delivery.state for delivery in acme.deliveries()} == {"delivered"}
    assert acme.reread(endpoint).is_enabled


def test_no_other_endpoint_is_disabled(acme: Tenant, globex: Tenant) -> None:
    failing = acme.endpoint(HOOK, consecutive_failures=49)
    others = [acme.endpoint("https://acme.example/other"), globex.endpoint(HOOK, consecutive_failures=49)]
    acme.publish()
    globex.publish()
    claims = [claim for claim in claim_due(10) if claim.delivery.endpoint_id == failing.pk]
    record(acme.environment.pk, [result(claim, BROKEN) for claim in claims])
    standing: list[WebhookEndpoint] = [acme.reread(others[0]), globex.reread(others[1])]
    assert [endpoint.is_enabled for endpoint in standing] == [True, True]
    assert told(globex) == []
