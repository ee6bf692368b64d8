"""Who sent it, from a stranger's SMTP client and a real name server to the message and the ledger."""

import smtplib
from typing import Any

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from environments.services.environments import update_environment
from mail.models import IntakeEntry, Message
from tests.mail.conftest import Home
from tests.mail.smtpd import Front, running_smtpd
from tests.names import Names

pytestmark = pytest.mark.usefixtures("transactional_db")

OURS, NOBODYS = "v=spf1 ip4:127.0.0.1 -all", "v=spf1 -all"


@pytest.fixture(scope="module")
def front(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_smtpd(tmp_path_factory.mktemp("smtpd")) as front:
        yield front


def send(front: Front, home: Home, domain: str, *headers: str) -> None:
    raw = "\r\n".join([f"From: Ann <ann@{domain}>", f"Message-ID: <1@{domain}>", *headers, "", "Hello", ""])
    with smtplib.SMTP("127.0.0.1", front.port, timeout=20) as client:
        client.sendmail(f"ann@{domain}", [home.inbox.email], raw)


def publish(dns: Names, domain: str, spf: str) -> None:
    dns.put(domain, "TXT", spf.encode())
    dns.put(f"_dmarc.{domain}", "TXT", b"v=DMARC1; p=none")


def rows(home: Home, model: Any) -> list[Any]:
    with inside(home.environment):
        return list(model.objects.in_environment(home.environment).order_by("pk"))


def test_a_mail_from_where_its_domain_says_is_received_as_proven(
    front: Front, homes: tuple[Home, Home], dns: Names
) -> None:
    publish(dns, "proven.test", OURS)
    send(front, homes[0], "proven.test")
    [message] = rows(homes[0], Message)
    told = message.authentication
    assert (message.status, told["spf"], told["dmarc"], told["aligned"]) == ("received", "pass", "pass", True)


def test_a_forged_mail_lies_in_quarantine_and_the_ledger_says_why(
    front: Front, homes: tuple[Home, Home], dns: Names
) -> None:
    publish(dns, "forged.test", NOBODYS)
    send(front, homes[0], "forged.test")
    [message], [entry] = rows(homes[0], Message), rows(homes[0], IntakeEntry)
    assert (message.status, message.authentication["dmarc"]) == ("quarantined", "fail")
    assert (entry.outcome, entry.reason, entry.message_id) == ("quarantined", "authentication_failed", message.pk)
    assert entry.verdicts["authentication"]["spf"] == "fail"


def test_an_environment_that_rejects_refuses_a_forged_mail_in_the_conversation(
    front: Front, homes: tuple[Home, Home], dns: Names
) -> None:
    publish(dns, "refused.test", NOBODYS)
    update_environment(homes[0].environment, {"authentication_policy": "reject"}, actor=SYSTEM)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(front, homes[0], "refused.test")
    [entry] = rows(homes[0], IntakeEntry)
    assert (refusal.value.smtp_code, rows(homes[0], Message)) == (550, [])
    assert (entry.outcome, entry.reason) == ("refused", "authentication_failed")
    assert entry.reply.startswith("550 5.7.26 ")


def test_while_dns_is_silent_mail_comes_in_unproven_and_says_so(
    front: Front, homes: tuple[Home, Home], dns: Names
) -> None:
    dns.silent.add("silent.test")
    send(front, homes[0], "silent.test")
    [message] = rows(homes[0], Message)
    assert (message.status, message.authentication["dmarc"]) == ("received", "temperror")


def test_what_a_stranger_says_of_his_own_authentication_is_left_out(
    front: Front, homes: tuple[Home, Home], dns: Names
) -> None:
    send(front, homes[0], "claims.test", "Authentication-Results: mx.claims.test; dmarc=pass header.from=claims.test")
    [message] = rows(homes[0], Message)
    assert "authentication-results" not in message.headers
    assert message.authentication["dmarc"] == "none"
