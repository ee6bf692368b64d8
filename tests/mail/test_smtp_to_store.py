"""From a stranger's mail client to the store: real sockets, real PostgreSQL, real commits."""

import contextlib
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.environments import update_environment
from mail.models import Message
from tests.mail.conftest import Home, mail

pytestmark = pytest.mark.usefixtures("transactional_db")


@dataclass(frozen=True)
class Front:
    """A process of ``manage.py smtpd``."""

    port: int
    lmtp_port: int


@pytest.fixture(scope="module")
def smtpd(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    front = Front(free_port(), free_port())
    database = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": settings.EMBEDDED_POSTGRES.url("agentpost_app", database),
        "DATABASE_OWNER_URL": settings.EMBEDDED_POSTGRES.url("agentpost_owner", database),
        "AGENTPOST_DATA_DIR": str(tmp_path_factory.mktemp("smtpd")),
    }
    command = [sys.executable, "manage.py", "smtpd", "--port", str(front.port), "--lmtp-port", str(front.lmtp_port)]
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR) as process:
        wait_for_banner(front.port)
        yield front
        process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_banner(port: int) -> None:
    for _attempt in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as client:
            if client.recv(3) == b"220":
                return
        time.sleep(0.1)
    pytest.fail("smtpd does not answer")


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


def test_a_database_that_refuses_gives_451_and_the_retry_is_stored_once(front: Front, homes: tuple[Home, Home]) -> None:
    ours, _ = homes
    with smtplib.SMTP("127.0.0.1", front.port, timeout=30) as client:
        client.ehlo()
        client.mail("bob@example.com")
        assert client.rcpt(ours.inbox.email)[0] == 250
        with _no_new_messages():
            code, _reply = client.data(mail())
    assert code == 451
    assert stored(ours) == []
    for _attempt in range(2):
        send(front, [ours.inbox.email], mail())
    assert len(stored(ours)) == 1


class _no_new_messages:  # noqa: N801 - reads as a with statement
    """Take from the application the right to insert messages, as a failing database would."""

    def __enter__(self) -> None:
        self._say("REVOKE INSERT ON mail_message FROM agentpost_app")

    def __exit__(self, *_: object) -> None:
        self._say("GRANT INSERT ON mail_message TO agentpost_app")

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
