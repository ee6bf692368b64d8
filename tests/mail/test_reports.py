"""Bounces and complaints come home: which message they are about, what they change, and who is believed."""

from pathlib import Path

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from environments.services.environments import update_environment
from inboxes.services.filter_rules import create_rule
from mail.intake import Arrival, Recipient, Refused
from mail.models import Message
from mail.services import consequences
from mail.services.receive import receive
from mail.services.recipients import recipient_of
from mail.services.return_path import address_for
from tests.mail.sent import Sent, sent
from tests.world import World, arrival
from tests.world import recipient_of as inbox_at
from webhooks.models import Event

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).resolve().parent.parent / "automatic"
BOB, CARL = "bob@globex.example", "carl@globex.example"


@pytest.fixture
def mail(acme: World) -> Sent:
    return sent(acme.development, acme.inbox(username="ann"), BOB)


def sample(name: str, about: Sent | None = None) -> bytes:
    """Return a report of the corpus, which quotes the Message-ID of this message instead of its own."""
    raw = (SAMPLES / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw.replace(b"<sent-1@acme.example>", about.message.message_id_header.encode()) if about else raw


def come(raw: bytes, address: str) -> None:
    """Let a report arrive at an address that RCPT takes."""
    to = recipient_of(address)
    assert receive([Arrival(raw, "", (to,), "192.0.2.1", "mx.globex.example", False, _now())]) == [None]


def _now() -> object:
    from environments import clock

    return clock.now()


def path(mail: Sent, email: str = BOB) -> str:
    return address_for(mail.hand_overs[email], mail.inbox, has_return_path=False)


WHAT_BECOMES_OF_IT = [
    # report,            recipient,      bounces as, suppressed for
    ("dsn_unknown_user", BOB, "bounced", "hard", {BOB: "hard_bounce"}),
    ("dsn_spam_refused", BOB, "bounced", "soft", {}),
    ("dsn_delayed", BOB, "sent", "", {}),
    ("complaint", BOB, "complained", "", {BOB: "complaint"}),
    ("qmail", BOB, "bounced", "hard", {BOB: "hard_bounce"}),
]


@pytest.mark.parametrize(("name", "email", "status", "kind", "suppressions"), WHAT_BECOMES_OF_IT)
def test_a_report_that_came_to_the_return_path_is_about_that_mail_alone(
    mail: Sent, name: str, email: str, status: str, kind: str, suppressions: dict[str, str]
) -> None:
    come(sample(name), path(mail))
    assert (mail.statuses, mail.suppressions) == ({email: status}, suppressions)
    told = {"bounced": ["message.bounced"], "complained": ["message.complained"]}.get(status, [])
    assert mail.events == told
    if kind:
        [event] = [event for event in mail.rows(Event) if event.type == "message.bounced"]
        [recipient] = event.data["bounced_recipients"]
        assert (event.data["bounce_type"], recipient["email_address"]) == (kind, email)
        assert recipient["diagnostic_code"]


def test_a_delay_stands_in_the_timeline_and_changes_nothing(mail: Sent) -> None:
    come(sample("dsn_delayed"), path(mail))
    assert mail.steps == [(BOB, "sent", "delayed")]


def test_a_confirmed_delivery_is_a_delivery(mail: Sent) -> None:
    raw = sample("dsn_unknown_user").replace(b"Action: failed\r\nStatus: 5.1.1", b"Action: delivered\r\nStatus: 2.0.0")
    come(raw, path(mail))
    assert (mail.statuses, mail.events) == ({BOB: "delivered"}, ["message.delivered"])


def test_a_report_lies_in_the_thread_of_its_mail_and_is_not_told_as_mail(mail: Sent) -> None:
    come(sample("dsn_unknown_user"), path(mail))
    outgoing, report = mail.rows(Message)
    assert (report.thread_id, report.automatic, report.status) == (outgoing.thread_id, "delivery_report", "received")
    assert "message.received" not in mail.events


def test_the_same_report_again_changes_and_tells_nothing_more(mail: Sent) -> None:
    for number in range(2):
        come(sample("dsn_unknown_user").replace(b"dsn_unknown_user@", b"%d@" % number), path(mail))
    assert (mail.events, mail.counted("messages_bounced"), len(mail.rows(Message))) == (["message.bounced"], 1, 3)


def test_a_report_that_quotes_the_message_id_marks_the_mail_and_has_no_consequences(mail: Sent) -> None:
    come(sample("dsn_unknown_user", mail), mail.inbox.email)
    assert (mail.statuses, mail.suppressions, mail.events) == ({BOB: "bounced"}, {}, ["message.bounced"])
    assert (mail.steps, mail.counted("messages_bounced")) == ([(BOB, "bounced", "unproven_bounce")], 0)


def test_a_complaint_that_quotes_the_message_id_has_no_consequences(mail: Sent) -> None:
    come(sample("complaint", mail), mail.inbox.email)
    assert (mail.statuses, mail.suppressions) == ({BOB: "complained"}, {})
    assert mail.counted("messages_complained") == 0


def test_an_unproven_report_does_not_stand_in_the_way_of_a_proven_one(mail: Sent) -> None:
    come(sample("complaint", mail), mail.inbox.email)
    come(sample("dsn_unknown_user").replace(b"Message-ID: <dsn", b"Message-ID: <2dsn"), path(mail))
    assert (mail.statuses, mail.suppressions) == ({BOB: "bounced"}, {BOB: "hard_bounce"})
    assert mail.counted("messages_bounced") == 1


def test_an_unproven_report_is_about_nobody_whom_it_does_not_name(mail: Sent) -> None:
    raw = sample("dsn_unknown_user", mail).replace(BOB.encode(), b"eve@globex.example")
    come(raw, mail.inbox.email)
    assert (mail.statuses, mail.steps, mail.events) == ({BOB: "sent"}, [], ["message.received"])


def test_a_simulator_whose_report_has_no_room_for_a_token_is_told_of_once(acme: World) -> None:
    mail = sent(acme.development, acme.inbox(username="a" * 40), "bounce@simulator.agentpost.localhost")
    assert (list(mail.statuses.values()), mail.events.count("message.bounced")) == (["bounced"], 1)


def test_unproven_reports_pull_no_brake(mail: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "look_after", lambda _: pytest.fail("the brake was pulled"))
    come(sample("dsn_unknown_user", mail), mail.inbox.email)
    assert mail.statuses == {BOB: "bounced"}


def test_a_complaint_proves_itself_by_the_envelope_sender_that_it_quotes(acme: World, mail: Sent) -> None:
    desk = acme.inbox(username="feedback")
    raw = sample("complaint").replace(b"bounce@acme.example", path(mail).encode())
    come(raw, desk.email)
    assert (mail.statuses, mail.suppressions) == ({BOB: "complained"}, {BOB: "complaint"})


NOT_BELIEVED = ["another inbox", "another environment", "an unknown Message-ID", "no report", "in quarantine"]


@pytest.mark.parametrize("how", NOT_BELIEVED)
def test_a_report_that_nothing_stands_behind_is_received_as_any_other_mail(acme: World, mail: Sent, how: str) -> None:
    address, raw = mail.inbox.email, sample("dsn_unknown_user", mail)
    if how == "another inbox":
        address = acme.inbox(username="other").email
    elif how == "another environment":
        address = acme.inbox(acme.production, username="other").email
    elif how == "an unknown Message-ID":
        raw = sample("dsn_unknown_user")
    elif how == "no report":
        raw = sample("person_about_delivery", mail)
    else:
        raw = raw.replace(b"To: <ann", b"From: x@y.example\r\nTo: <ann")  # two authors: that fails DMARC
    come(raw, address)
    assert (mail.statuses, mail.suppressions) == ({BOB: "sent"}, {})
    where = acme.production if how == "another environment" else acme.development
    told = [event.type for event in acme.rows(Event, where)]
    assert ("message.quarantined" if how == "in quarantine" else "message.received") in told


def test_a_token_proves_nothing_in_another_environment(acme: World, mail: Sent) -> None:
    other = acme.inbox(acme.production, username="other")
    raw = sample("complaint").replace(b"bounce@acme.example", path(mail).encode())
    come(raw, other.email)
    to = Recipient(path(mail), *(_ids(other)))
    receive([arrival(sample("dsn_unknown_user"), to, "")])  # even if RCPT had let it through
    assert (mail.statuses, mail.suppressions) == ({BOB: "sent"}, {})


def _ids(inbox: object) -> tuple[object, object]:
    found = inbox_at(inbox.email)
    return found.environment_id, found.inbox_id


def test_no_recipient_can_have_another_suppressed(acme: World) -> None:
    mail = sent(acme.development, acme.inbox(username="ann"), BOB, CARL)
    come(sample("dsn_unknown_user", mail), mail.inbox.email)  # without a token: Carl may have written it
    assert (mail.statuses, mail.suppressions, mail.events) == ({BOB: "sent", CARL: "sent"}, {}, [])
    assert mail.steps == [(BOB, "sent", "unproven_report")]


def test_a_token_speaks_for_its_own_recipient_whatever_the_report_says(acme: World) -> None:
    mail = sent(acme.development, acme.inbox(username="ann"), BOB, CARL)
    come(sample("dsn_unknown_user", mail), path(mail, CARL))
    assert (mail.statuses, mail.suppressions) == ({BOB: "sent", CARL: "bounced"}, {CARL: "hard_bounce"})


def test_a_bounce_of_redirected_mail_suppresses_nobody(acme: World) -> None:
    mail = sent(acme.development, acme.inbox(username="ann"), BOB, envelope="tester@acme.example")
    come(sample("dsn_unknown_user"), path(mail))
    assert (mail.statuses, mail.suppressions) == ({BOB: "bounced"}, {})


def test_a_feedback_report_of_no_complaint_is_noted(mail: Sent) -> None:
    come(sample("complaint").replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"), path(mail))
    assert (mail.statuses, mail.steps) == ({BOB: "sent"}, [(BOB, "sent", "feedback")])


def test_an_allow_list_does_not_keep_proven_bounces_out(mail: Sent) -> None:
    allow = {"direction": "receive", "action": "allow", "match_type": "domain", "value": "friends.example"}
    with inside(mail.environment):
        create_rule(mail.environment, actor=SYSTEM, **allow)
    come(sample("dsn_unknown_user"), path(mail))
    assert (mail.statuses, mail.rows(Message)[-1].status) == ({BOB: "bounced"}, "quarantined")


def test_a_rule_that_blocks_the_sender_keeps_everything_out(mail: Sent) -> None:
    block = {"direction": "receive", "action": "block", "match_type": "domain", "value": "mx.globex.example"}
    with inside(mail.environment):
        create_rule(mail.environment, actor=SYSTEM, **block)
    [refused] = receive([arrival(sample("dsn_unknown_user"), recipient_of(path(mail)), "")])
    assert (isinstance(refused, Refused), mail.statuses) == (True, {BOB: "sent"})


def test_a_policy_that_rejects_unproven_senders_does_not_keep_proven_bounces_out(mail: Sent) -> None:
    update_environment(mail.environment, {"authentication_policy": "reject"}, actor=SYSTEM)
    raw = sample("dsn_unknown_user").replace(b"To: <ann", b"From: x@y.example\r\nTo: <ann")
    come(raw, path(mail))
    assert (mail.statuses, mail.rows(Message)[-1].status) == ({BOB: "bounced"}, "quarantined")


def test_reports_of_one_batch_are_found_in_as_many_queries_as_one(acme: World, mail: Sent) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries_for(count: int, start: int) -> int:
        raws = [world_mail(start + n) for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            receive([arrival(raw, recipient_of(path(mail)), "") for raw in raws])
        return len([one for one in queries if "mail_handover" in one["sql"] and "find_hand_over" not in one["sql"]])

    def world_mail(number: int) -> bytes:
        return sample("dsn_delayed").replace(b"Message-ID: <dsn", b"Message-ID: <%ddsn" % number)

    assert queries_for(1, 0) == queries_for(4, 10) == 1
