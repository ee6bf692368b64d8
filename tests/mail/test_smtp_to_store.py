"""From a stranger's mail client to the store: real sockets, real PostgreSQL, real commits."""

import shutil
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.environments import update_environment
from inboxes.services.domains import add_domain
from mail.models import IntakeEntry, Message, StrayIntake
from tests.mail.conftest import Home, mail
from tests.mail.smtpd import Front, running_smtpd

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(scope="module")
def smtpd(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_smtpd(tmp_path_factory.mktemp("smtpd")) as front:
        yield front


@pytest.fixture
def front(smtpd: Front, transactional_db: None) -> Front:
    return smtpd


def stored(home: Home) -> list[Message]:
    with inside(home.environment):
        return list(Message.objects.in_environment(home.environment).order_by("pk"))


def send(front: Front, recipients: list[str], raw: bytes) -> dict[str, tuple[int, bytes]]:
    """Send one mail; return the recipients that were refused. Raises smtplib's errors."""
    with smtplib.SMTP("127.0.0.1", front.port, timeout=20) as client:
        return client.sendmail("bob@example.com", recipients, raw)


def test_a_strangers_mail_is_in_the_store_when_250_is_said(front: Front, homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    assert send(front, [ours.inbox.email], mail()) == {}
    [message] = stored(ours)
    assert (message.subject, message.peer, message.envelope_sender) == ("Hello", "127.0.0.1", "bob@example.com")
    assert stored(theirs) == []


def test_several_environments_in_one_transaction_each_get_their_own(front: Front, homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    tagged = ours.inbox.email.replace("@", "+case7@")
    refused = send(front, [tagged, theirs.inbox.email, "nobody@agentpost.localhost"], mail())
    assert {address: reply[0] for address, reply in refused.items()} == {"nobody@agentpost.localhost": 550}
    assert [message.envelope_recipients for message in stored(ours)] == [[tagged]]
    assert [message.envelope_recipients for message in stored(theirs)] == [[theirs.inbox.email]]


def ledger(home: Home) -> list[tuple[str, str, str, str, int]]:
    """Return what the ledger tells: outcome, reason, recipient, code of the reply, count."""
    with inside(home.environment):
        rows = IntakeEntry.objects.in_environment(home.environment).order_by("pk")
        return [(row.outcome, row.reason, row.recipient, row.reply[:3], row.count) for row in rows]


def in_time(found: Callable[[], list[Any]], expected: list[Any]) -> None:
    """Demand that the ledger, which is written behind the conversations, comes to tell what is expected."""
    for _attempt in range(100):
        if found() == expected:
            return
        time.sleep(0.1)
    assert found() == expected


def test_every_end_of_a_mail_has_its_line_in_the_ledger(front: Front, homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    with inside(ours.environment):
        add_domain(ours.environment, "acme.example", actor=SYSTEM, is_trusted=True)
    update_environment(theirs.environment, {"inbound_paused": True}, actor=SYSTEM)
    everybody = [ours.inbox.email, theirs.inbox.email, "Typo@acme.example", "stray@agentpost.localhost"]
    for _attempt in range(2):
        send(front, everybody, mail())
    with pytest.raises(smtplib.SMTPDataError):
        send(front, [ours.inbox.email], mail() + b"bare\nline\r\n")
    in_time(
        lambda: sorted(ledger(ours)),
        [
            ("accepted", "repeated", ours.inbox.email, "250", 1),
            ("accepted", "stored", ours.inbox.email, "250", 1),
            ("refused", "bare_line_end", ours.inbox.email, "554", 1),
            ("refused", "unknown_recipient", "typo@acme.example", "550", 2),
        ],
    )
    in_time(lambda: ledger(theirs), [("deferred", "inbound_paused", theirs.inbox.email, "451", 2)])
    assert [(row.recipient, row.count) for row in StrayIntake.objects.all()] == [("stray@agentpost.localhost", 2)]


def test_a_ledger_that_cannot_be_written_holds_up_no_mail(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    with _none_inserted_into("mail_strayintake"):
        refused = send(front, [ours.inbox.email, "another@agentpost.localhost"], mail())
        time.sleep(0.5)
        assert send(front, [ours.inbox.email], mail(message_id="<2@example.com>")) == {}
    assert [reply[0] for reply in refused.values()] == [550]
    assert len(stored(ours)) == 2
    in_time(lambda: [row.recipient for row in StrayIntake.objects.all()], ["another@agentpost.localhost"])


def test_what_the_store_could_not_take_is_in_the_ledger(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    with _none_inserted_into("mail_message"), pytest.raises(smtplib.SMTPDataError):
        send(front, [ours.inbox.email], mail())
    in_time(lambda: ledger(ours), [("deferred", "our_trouble", ours.inbox.email, "451", 1)])


PAUSED_OR_FULL = [({"inbound_paused": True}, 451), ({"storage_quota": 0}, 452)]


@pytest.mark.parametrize(("state", "code"), PAUSED_OR_FULL)
def test_what_cannot_take_mail_now_says_so_for_now(
    front: Front, homes: tuple[Home, Home], state: dict[str, Any], code: int
) -> None:
    ours, _ = homes
    Environment.objects.in_organization(ours.environment.organization_id).filter(pk=ours.environment.pk).update(**state)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(front, [ours.inbox.email], mail())
    assert [reply[0] for reply in refusal.value.recipients.values()] == [code]


def test_a_lifted_pause_lets_the_retry_in(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    for paused in (True, False):
        update_environment(ours.environment, {"inbound_paused": paused}, actor=SYSTEM)
    assert send(front, [ours.inbox.email], mail()) == {}


def test_lmtp_answers_for_each_recipient(front: Front, homes: tuple[Home, Home]) -> None:
    ours, theirs = homes
    with smtplib.LMTP("127.0.0.1", front.lmtp_port, timeout=20) as client:
        client.sendmail("bob@example.com", [ours.inbox.email, theirs.inbox.email], mail())
        assert client.getreply()[0] == 250  # smtplib reads the first recipient's answer only
    assert (len(stored(ours)), len(stored(theirs))) == (1, 1)
    for home in homes:
        assert ledger(home) == [("accepted", "stored", home.inbox.email, "250", 1)]


def test_a_database_that_refuses_gives_451_and_the_retry_is_stored_once(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    with smtplib.SMTP("127.0.0.1", front.port, timeout=30) as client:
        client.ehlo()
        client.mail("bob@example.com")
        assert client.rcpt(ours.inbox.email)[0] == 250
        with _none_inserted_into("mail_message"):
            code, _reply = client.data(mail())
    assert code == 451
    assert stored(ours) == []
    for _attempt in range(2):
        send(front, [ours.inbox.email], mail())
    assert len(stored(ours)) == 1


class _none_inserted_into:  # noqa: N801 - reads as a with statement
    """Take from the application the right to insert into a table, as a failing database would."""

    def __init__(self, table: str) -> None:
        self._table = table

    def __enter__(self) -> None:
        self._say(f"REVOKE INSERT ON {self._table} FROM agentpost_app")

    def __exit__(self, *_: object) -> None:
        self._say(f"GRANT INSERT ON {self._table} TO agentpost_app")

    def _say(self, statement: str) -> None:
        url = settings.EMBEDDED_POSTGRES.url("agentpost_owner", connection.settings_dict["NAME"])
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(statement)


def test_connections_that_the_database_ended_are_opened_anew(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    send(front, [ours.inbox.email], mail())
    _end_connections()
    assert send(front, [ours.inbox.email], mail(message_id="<2@example.com>")) == {}
    connection.close()
    assert len(stored(ours)) == 2


def _end_connections() -> None:
    url = settings.EMBEDDED_POSTGRES.url("postgres", "postgres")
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'agentpost_app' AND datname = %s",
            [connection.settings_dict["NAME"]],
        )


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed on this machine")
def test_swaks_delivers_a_mail_with_an_attachment(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    command = ["swaks", "--server", f"127.0.0.1:{front.port}", "--to", ours.inbox.email, "--from", "bob@example.com"]
    done = subprocess.run(
        [*command, "--header", "Subject: From swaks", "--attach", "@/dev/null", "--hide-all"], check=False, timeout=60
    )
    assert done.returncode == 0
    assert [message.subject for message in stored(ours)] == ["From swaks"]
