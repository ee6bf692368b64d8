"""Simulated recipients: each ends as it says, with the real events, and counts for nothing."""

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from inboxes.services.addresses import AddressNotAvailable
from inboxes.services.inboxes import create_inbox
from inboxes.services.suppressions import suppressed
from mail.intake import Refused
from mail.models import Message
from mail.services.recipients import recipient_of
from mail.services.return_path import address_for
from mail.services.simulators import is_simulator, outcomes_of
from tests.mail.sent import sent
from tests.world import Api, World
from webhooks.models import Event

pytestmark = pytest.mark.django_db

AT = "@simulator.agentpost.localhost"
SENT, DELIVERED = "message.sent", "message.delivered"
ENDS = [  # simulator,     status,        events
    ("delivered", "delivered", [SENT, DELIVERED]),
    ("delivered+case7", "delivered", [SENT, DELIVERED]),
    ("Bounce", "bounced", [SENT, "message.bounced"]),
    ("bounce+a+b", "bounced", [SENT, "message.bounced"]),
    ("soft-bounce", "bounced", [SENT, "message.bounced"]),
    ("complaint", "complained", [SENT, DELIVERED, "message.complained"]),
    ("deferred", "delivered", [SENT, DELIVERED]),
    ("nobody", "bounced", [SENT, "message.bounced"]),
]


@pytest.mark.parametrize(("name", "status", "events"), ENDS)
def test_a_simulator_ends_as_its_name_says(acme: World, name: str, status: str, events: list[str]) -> None:
    mail = sent(acme.development, acme.inbox(username="us"), f"{name.lower()}{AT}")
    assert (mail.statuses, mail.events) == ({f"{name.lower()}{AT}": status}, events)
    assert mail.suppressions == {}
    assert sum(mail.counted(f"messages_{what}") for what in ("sent", "delivered", "bounced", "complained")) == 0


@pytest.mark.parametrize(("name", "kind"), [("bounce", "hard"), ("soft-bounce", "soft")])
def test_a_bounce_says_its_kind_and_the_other_sides_words(acme: World, name: str, kind: str) -> None:
    mail = sent(acme.development, acme.inbox(username="us"), f"{name}{AT}")
    [event] = [event for event in mail.rows(Event) if event.type == "message.bounced"]
    assert event.data["bounce_type"] == kind
    assert "(simulated)" in event.data["bounced_recipients"][0]["diagnostic_code"]


@pytest.mark.parametrize(("name", "kind"), [("bounce", "delivery_report"), ("complaint", "feedback_report")])
def test_the_report_lies_in_the_thread_of_the_mail(acme: World, name: str, kind: str) -> None:
    mail = sent(acme.development, acme.inbox(username="us"), f"{name}{AT}")
    outgoing, report = mail.rows(Message)
    assert (report.automatic, report.thread_id) == (kind, outgoing.thread_id)
    assert report.envelope_recipients == [address_for(mail.hand_overs[f"{name}{AT}"], mail.inbox, False)]
    assert "message.received" not in mail.events


def test_a_bounce_is_simulated_also_while_the_environment_takes_no_mail(acme: World) -> None:
    inbox = acme.inbox(username="us")
    acme.development.inbound_paused = True
    mail = sent(acme.development, inbox, f"bounce{AT}")
    assert (mail.statuses, len(mail.rows(Message))) == ({f"bounce{AT}": "bounced"}, 1)


def test_a_deferred_mail_tells_in_its_timeline_that_it_had_to_wait(acme: World) -> None:
    mail = sent(acme.development, acme.inbox(username="us"), f"deferred{AT}")
    assert [(status, reason) for _, status, reason in mail.steps] == [
        ("sending", "deferred"), ("sent", "sent"), ("delivered", "delivered"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("email", "is_one"),
    [
        (f"bounce{AT}", True),
        (f"BOUNCE{AT.upper()}", True),
        (f"anything{AT}", True),
        ("bounce@agentpost.localhost", False),
        ("bounce@simulator.agentpost.localhost.example.com", False),
        ("bounce@sub.simulator.agentpost.localhost", False),
        ("bounce@simulator.example.com", False),
        ("", False),
    ],
)
def test_only_the_reserved_domain_is_simulated(email: str, is_one: bool) -> None:
    assert is_simulator(email) == is_one


def test_nothing_that_is_simulated_may_suppress() -> None:
    assert not any(one.may_suppress for name, *_ in ENDS for one in outcomes_of(f"{name}{AT}"))


def test_a_mail_to_the_suppressed_one_alone_is_refused(acme: World, api: Api) -> None:
    answer = api.post(f"/inboxes/{acme.inbox(username='us').pk}/messages", {"to": f"suppressed{AT}", "text_body": "Hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "recipient_blocked")


def test_the_suppressed_one_always_is(acme: World) -> None:
    with inside(acme.development):
        found = suppressed(acme.development, [f"suppressed+x{AT}", f"bounce{AT}"])
    assert list(found) == [f"suppressed+x{AT}"]


def test_nobody_lives_at_the_reserved_domain_and_nothing_arrives_there(acme: World, api: Api) -> None:
    with inside(acme.development), pytest.raises(AddressNotAvailable):
        create_inbox(acme.development, actor=SYSTEM, email=f"bounce{AT}")
    assert api.post("/domains", {"domain": AT[1:], "environment_id": "development"}).status_code == 422
    with pytest.raises(Refused):
        recipient_of(f"bounce{AT}")
