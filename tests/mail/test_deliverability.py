"""The deliverability score, and the brake that it pulls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from environments import clock
from environments.binding import inside
from environments.callers import Actor
from environments.errors import PersonRequired
from environments.models import AuditEntry
from environments.services import deliverability, usage
from environments.services.deliverability import Deliverability
from environments.services.environments import update_environment
from mail.models import MessageRecipient
from mail.services.deliverability import brake_if_needed
from mail.services.outcomes import RecipientOutcome, settle
from tests.mail.sent import sent
from tests.world import PERSON, Api, World
from webhooks.models import Event

pytestmark = pytest.mark.django_db

KEY = Actor("key", "key_1", "a key")


@pytest.mark.parametrize(
    ("sent_", "bounced", "complained", "score"),
    [
        (0, 0, 0, 100),
        (100, 0, 0, 100),
        (100, 4, 0, 80),
        (100, 0, 1, 80),
        (200, 5, 1, 77.5),
        (100, 20, 0, 0),
        (10, 20, 20, 0),
        (0, 5, 5, 100),
    ],
)
def test_the_score_is_what_the_documentation_says(sent_: int, bounced: int, complained: int, score: float) -> None:
    assert Deliverability(sent_, 0, bounced, complained).score == score


def count(world: World, at: datetime | None = None, **amounts: int) -> None:
    with inside(world.development):
        usage.count(world.development.pk, {f"messages_{name}": value for name, value in amounts.items()}, at=at)


def test_the_api_tells_the_score_of_the_last_thirty_days(acme: World, api: Api) -> None:
    count(acme, sent=50, delivered=40, bounced=2)
    count(acme, sent=50, complained=1)
    count(acme, at=clock.now() - timedelta(days=31), sent=5, bounced=5)
    answer = api.get("/environments/development/deliverability").json()
    assert {name: answer[name] for name in ("score", "sent", "delivered", "bounced", "complained", "floor")} == {
        "score": 70, "sent": 100, "delivered": 40, "bounced": 2, "complained": 1, "floor": 50,
    }  # fmt: skip
    assert api.get("/environments/development/usage").json()["deliverability_score"] == 70
    assert api.get("/environments/production/deliverability").json()["score"] == 100


def outcome(email: str, status: str, kind: str = "") -> RecipientOutcome:
    return RecipientOutcome(email, status, status, "So it is.", kind)


def test_what_leaves_is_counted_once_for_each_recipient(acme: World) -> None:
    people = [f"{name}@example.com" for name in ("ann", "bob", "carl")]
    mail = sent(acme.development, acme.inbox(username="us"), *people)
    with inside(mail.environment):
        MessageRecipient.objects.in_environment(mail.environment).update(status="queued")
        outcomes = [outcome(people[0], "sent"), outcome(people[0], "delivered"), outcome(people[1], "bounced", "soft")]
        settle(mail.environment, mail.message, outcomes)
        settle(mail.environment, mail.message, [outcome(people[0], "complained"), outcome(people[2], "failed")])
    counted = [mail.counted(f"messages_{name}") for name in ("sent", "delivered", "bounced", "complained")]
    assert counted == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("sent_", "bounced", "floor", "braked"),
    [(19, 10, 50, False), (20, 2, 50, False), (20, 3, 50, True), (20, 20, None, False), (20, 3, 25, False)],
)
def test_below_its_floor_an_environment_sends_no_more(
    acme: World, sent_: int, bounced: int, floor: int | None, braked: bool
) -> None:
    environment = acme.development
    environment.deliverability_floor = floor
    environment.save()
    count(acme, sent=sent_, bounced=bounced)
    assert (brake_if_needed(environment) is not None) == braked
    environment.refresh_from_db()
    assert (environment.outbound_paused, environment.inbound_paused) == (braked, False)
    assert ("environment.paused" in [event.type for event in acme.rows(Event)]) == braked


def braked(world: World) -> None:
    count(world, sent=20, bounced=10)
    brake_if_needed(world.development)
    world.development.refresh_from_db()


def test_the_brake_says_why(acme: World) -> None:
    braked(acme)
    [event] = [event for event in acme.rows(Event) if event.type == "environment.paused"]
    reason = event.data["reason"]
    assert (event.data["pause"], reason["code"], reason["by"]) == ("outbound", "deliverability", "system")
    assert (reason["figures"]["score"], reason["figures"]["floor"]) == (0, 50)
    [entry] = AuditEntry.objects.in_organization(acme.organization).filter(action="environment.braked")
    assert (entry.actor_kind, entry.after["figures"]["bounced"]) == ("system", 10)
    assert "of 20 mails sent, 10 bounced" in entry.reason


def test_the_brake_is_pulled_once(acme: World) -> None:
    braked(acme)
    assert brake_if_needed(acme.development) is None


def test_only_a_person_lifts_it(acme: World, api: Api) -> None:
    braked(acme)
    with pytest.raises(PersonRequired):
        update_environment(acme.development, {"outbound_paused": False}, actor=KEY)
    assert api.patch("/environments/development", {"outbound_paused": False}).status_code == 403
    assert not update_environment(acme.development, {"outbound_paused": False}, actor=PERSON).outbound_paused


def test_what_a_person_has_looked_at_brakes_no_more(acme: World) -> None:
    braked(acme)
    acme.development = update_environment(acme.development, {"outbound_paused": False}, actor=PERSON)
    count(acme, sent=1, bounced=1)
    assert brake_if_needed(acme.development) is None
    count(acme, at=clock.now() + timedelta(hours=1), sent=30, bounced=30)
    with inside(acme.development):
        later = clock.now() + timedelta(hours=2)
        figures = deliverability.of(acme.development, later, since=acme.development.deliverability_since)
    assert (figures.sent, figures.score) == (30, 0)


def test_a_key_that_pauses_and_resumes_does_not_escape_the_brake(acme: World) -> None:
    count(acme, sent=20, bounced=10)
    for paused in (True, False):
        acme.development = update_environment(acme.development, {"outbound_paused": paused}, actor=KEY)
    assert brake_if_needed(acme.development) is not None


def test_a_bounce_pulls_the_brake_once_it_is_committed(
    acme: World, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    count(acme, sent=20, bounced=5)
    mail = sent(acme.development, acme.inbox(username="us"), "ann@example.com")
    with django_capture_on_commit_callbacks(execute=True), inside(mail.environment):
        settle(mail.environment, mail.message, [outcome("ann@example.com", "bounced", "hard")])
    acme.development.refresh_from_db()
    assert (acme.development.outbound_paused, acme.development.pause_reasons["outbound"]["by"]) == (True, "system")


def test_the_figures_take_one_query_however_much_was_sent(acme: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for hours in range(30):
        count(acme, at=datetime.now(UTC) - timedelta(hours=hours), sent=1)
    with inside(acme.development), CaptureQueriesContext(connection) as queries:
        assert deliverability.of(acme.development).sent == 30
    assert len(queries) == 1
