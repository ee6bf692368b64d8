"""The intake ledger: each environment has its own lines, and nobody fills the disk with them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import first_at
from environments.services.environments import delete_environment
from inboxes.services.domains import add_domain
from inboxes.services.inboxes import create_inbox
from mail.intake import Attempt
from mail.models import IntakeEntry, Message, StrayIntake
from mail.services import attempts as writing
from mail.services.attempts import Attempts
from mail.services.deletion import delete_inbox, delete_message
from mail.services.receive import receive
from mail.tasks import forget_intake
from tests.mail.conftest import Home, arrival, mail

pytestmark = pytest.mark.django_db
Homes = tuple[Home, Home]


def entries(home: Home) -> list[IntakeEntry]:
    with inside(home.environment):
        return list(IntakeEntry.objects.in_environment(home.environment).order_by("pk"))


def attempt(address: str = "nobody@agentpost.localhost", **fields: Any) -> Attempt:
    """Return an attempt as the SMTP front notes it."""
    told = {
        "transaction": uuid4(), "at": clock.now(), "peer": "192.0.2.7", "helo": "mx.example.com", "tls": True,
        "envelope_sender": "bob@example.com", "recipient": None, "size": None, "stage": "rcpt",
        "reason": "unknown_recipient", "reply": "550 5.1.1 There is no such address here",
    }  # fmt: skip
    return Attempt(address=address, **{**told, **fields})


def hold(home: Home, name: str, *, is_trusted: bool = True) -> None:
    with inside(home.environment):
        add_domain(home.environment, name, actor=SYSTEM, is_trusted=is_trusted)


def test_a_mail_that_arrives_leaves_a_line_for_each_recipient(homes: Homes) -> None:
    ours, _ = homes
    tagged = ours.inbox.email.replace("@", "+Case7@")
    receive([arrival(mail(), ours.recipient(), ours.recipient(tagged))])
    first, second = entries(ours)
    assert (first.recipient, second.recipient) == (ours.inbox.email, tagged.lower())
    assert {first.mailbox, second.mailbox} == {ours.inbox.email}
    assert first.transaction_id == second.transaction_id
    assert (first.outcome, first.stage, first.reason) == ("accepted", "store", "stored")
    assert (first.from_email, first.envelope_sender, first.peer) == ("bob@example.com", "bob@example.com", "192.0.2.7")
    assert (first.inbox_id, first.message_id_header, first.size) == (ours.inbox.pk, "<1@example.com>", len(mail()))
    with inside(ours.environment):
        assert first.message == Message.objects.in_environment(ours.environment).get()


def test_a_mail_that_is_there_already_leaves_a_line_that_leads_to_it(homes: Homes) -> None:
    ours, _ = homes
    receive([arrival(mail(), ours.recipient())])
    receive([arrival(mail(), ours.recipient())])
    receive([arrival(mail(message_id="<2@example.com>"), ours.recipient())] * 2)
    lines = [(entry.reason, entry.message_id) for entry in entries(ours)]
    reasons, messages = [reason for reason, _ in lines], [message for _, message in lines]
    assert (reasons[:2], sorted(reasons[2:])) == (["stored", "repeated"], ["repeated", "stored"])
    assert messages[0] == messages[1] != messages[2] == messages[3]


def test_two_environments_of_one_mail_learn_nothing_of_one_another(homes: Homes) -> None:
    ours, theirs = homes
    receive([arrival(mail(), ours.recipient(), theirs.recipient())])
    transaction = uuid4()
    Attempts().note([
        attempt(home.inbox.email, recipient=home.recipient(), transaction=transaction, stage="data", reason=reason)
        for home, reason in ((ours, "too_large"), (theirs, "bare_line_end"))
    ])  # fmt: skip
    for home, other in ((ours, theirs), (theirs, ours)):
        told = str([entry.__dict__ for entry in entries(home)])
        assert len(entries(home)) == 2
        for secret in (other.inbox.email, other.inbox.pk, other.environment.pk, str(transaction)):
            assert secret not in told
    both = [{entry.transaction_id for entry in entries(home)} for home in homes]
    assert both[0].isdisjoint(both[1])
    assert "bare_line_end" not in [entry.reason for entry in entries(ours)]


WHOSE = [  # an address without an inbox, and whose line its refusal is
    ("typo@acme.example", "ours"),
    ("typo+tag@ACME.example", "ours"),
    ("typo@billing.agentpost.localhost", "theirs"),
    ("typo@pending.example", "nobody's"),
    ("typo@agentpost.localhost", "nobody's"),
    ("someone@elsewhere.example", "nobody's"),
    ("no address at all", "nobody's"),
    ("", "nobody's"),
]


@pytest.mark.parametrize(("address", "whose"), WHOSE)
def test_a_refusal_is_a_line_of_whoever_holds_the_domain(homes: Homes, address: str, whose: str) -> None:
    ours, theirs = homes
    hold(ours, "acme.example")
    with inside(theirs.environment):
        create_inbox(theirs.environment, actor=SYSTEM, email="test-agent@billing.agentpost.localhost")
    hold(ours, "pending.example", is_trusted=False)
    Attempts().note([attempt(address)])
    found = {"ours": entries(ours), "theirs": entries(theirs), "nobody's": list(StrayIntake.objects.all())}
    assert {name: len(rows) for name, rows in found.items() if rows} == {whose: 1}
    [row] = found[whose]
    assert (row.recipient, row.outcome, row.count) == (address.lower(), "refused", 1)
    assert row.explanation == "No inbox has this address."


def test_a_refusal_of_an_inbox_names_it(homes: Homes) -> None:
    ours, _ = homes
    told = {"reason": "our_trouble", "reply": "451 4.3.0 Trouble on our side"}
    Attempts().note([attempt(ours.inbox.email, **told)])
    [entry] = entries(ours)
    assert (entry.inbox_id, entry.outcome, entry.mailbox) == (ours.inbox.pk, "deferred", ours.inbox.email)


def test_the_same_again_is_counted_on_its_row_for_a_minute(homes: Homes) -> None:
    ours, _ = homes
    hold(ours, "acme.example")
    attempts, start = Attempts(), clock.now()
    for seconds in (1, 2, 70):
        with time_machine.travel(start + timedelta(seconds=seconds)):
            attempts.note([attempt("typo@acme.example"), attempt("typo@acme.example"), attempt("stray@b.example")])
    assert [entry.count for entry in entries(ours)] == [4, 2]
    assert [row.count for row in StrayIntake.objects.order_by("pk")] == [2, 1]


def test_another_sender_recipient_or_peer_is_another_row(homes: Homes) -> None:
    Attempts().note([
        attempt(), attempt(envelope_sender=""), attempt("other@b.example"), attempt(peer="192.0.2.8"),
        attempt(reason="our_trouble"),
    ])  # fmt: skip
    assert StrayIntake.objects.count() == 5


def test_a_dictionary_attack_is_listed_up_to_a_limit_and_counted_beyond(homes: Homes) -> None:
    ours, theirs = homes
    hold(ours, "acme.example")
    hold(theirs, "globex.example")
    attempts = Attempts()
    for batch in range(6):
        attempts.note([attempt(f"{batch}-{number}@acme.example") for number in range(200)])
    attempts.note([attempt("typo@globex.example")])
    *listed, more = entries(ours)
    assert len({entry.recipient for entry in listed}) == writing.LISTED_PER_HOUR
    assert (more.recipient, more.reason, more.count) == ("", "more_of_these", 200)
    assert [entry.recipient for entry in entries(theirs)] == ["typo@globex.example"]


def test_a_thousand_refusals_take_few_transactions(homes: Homes) -> None:
    ours, _ = homes
    hold(ours, "acme.example")
    attempts = Attempts()
    with CaptureQueriesContext(connection) as queries:
        for batch in range(5):
            attempts.note([attempt(f"{batch}-{number}@acme.example") for number in range(200)])
    assert len(entries(ours)) == 1000
    assert len(queries) <= 5 * 12


def test_what_was_not_committed_is_written_anew(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts()
    attempts.note([attempt()])
    with monkeypatch.context() as broken:
        broken.setattr(writing, "_write", lambda *_: (_ for _ in ()).throw(DatabaseError))
        with pytest.raises(DatabaseError):
            attempts.note([attempt(), attempt("other@b.example")])
    attempts.note([attempt(), attempt("other@b.example")])
    assert [(row.recipient, row.count) for row in StrayIntake.objects.order_by("pk")] == [
        ("nobody@agentpost.localhost", 1),
        ("nobody@agentpost.localhost", 1),
        ("other@b.example", 1),
    ]


def test_an_inbox_that_goes_meanwhile_keeps_no_line_from_being_written(homes: Homes) -> None:
    ours, theirs = homes
    attempts = [attempt(home.inbox.email, recipient=home.recipient()) for home in homes]
    with inside(ours.environment):
        delete_inbox(ours.environment, ours.inbox, actor=SYSTEM)
    Attempts().note(attempts)
    assert [entry.inbox_id for home in homes for entry in entries(home)] == [None, theirs.inbox.pk]


def test_an_environment_that_goes_meanwhile_keeps_no_other_line_from_being_written(homes: Homes) -> None:
    ours, theirs = homes
    attempts = [attempt(home.inbox.email, recipient=home.recipient()) for home in homes]
    delete_environment(theirs.environment, actor=SYSTEM, force=True)
    Attempts().note(attempts)
    assert len(entries(ours)) == 1


def test_a_line_outlives_its_message(homes: Homes) -> None:
    ours, _ = homes
    receive([arrival(mail(), ours.recipient())])
    with inside(ours.environment):
        delete_message(ours.environment, Message.objects.in_environment(ours.environment).get())
    [entry] = entries(ours)
    assert (entry.message_id, entry.reason) == (None, "stored")


def test_odd_octets_are_no_obstacle(homes: Homes) -> None:
    ours, _ = homes
    hold(ours, "acme.example")
    odd = "\udcff\x00" + "x" * 3000 + "@acme.example"
    Attempts().note([attempt(odd, helo=odd, envelope_sender=odd, reply=odd), attempt("\udcff@acme.example")])
    assert len(entries(ours)) + StrayIntake.objects.count() == 2


def test_the_ledger_forgets_after_so_many_days_in_every_environment(homes: Homes) -> None:
    for days in (settings.AGENTPOST_INTAKE_DAYS + 1, settings.AGENTPOST_INTAKE_DAYS - 1):
        then = clock.now() - timedelta(days=days)
        StrayIntake.objects.create(id=first_at("sit", then), outcome="refused")
        for number, home in enumerate(homes):
            with inside(home.environment):
                IntakeEntry.objects.in_environment(home.environment).create(
                    id=first_at("itk", then + timedelta(milliseconds=number)),
                    environment=home.environment,
                    transaction_id=uuid4(),
                    outcome="refused",
                )
    assert forget_intake.func(timestamp=0) == 3
    assert [len(entries(home)) for home in homes] == [1, 1]
    assert StrayIntake.objects.count() == 1
