"""A mail client submits mail: real sockets, real TLS, real PostgreSQL, and the one way out behind them."""

import base64
import shutil
import smtplib
import ssl
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.services import revoke_key
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import encode
from environments.services.environments import update_environment
from inboxes.models import Inbox
from inboxes.services.domains import add_domain
from inboxes.services.filter_rules import create_rule
from mail.intake import Login, Refused
from mail.models import Message, MessageRecipient
from mail.services import submission
from tests.mail.smtpd import Front, running_smtpd
from tests.world import World, build

pytestmark = pytest.mark.usefixtures("transactional_db")
HOST = "agentpost.localhost"
CAROL, DAVE, ERIN = "carol@example.com", "dave@example.com", "erin@example.com"


@pytest.fixture(scope="module")
def front(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_smtpd(tmp_path_factory.mktemp("submission")) as front:
        yield front


@dataclass
class Desk:
    """An inbox with a key that may send from it, and the server it submits to."""

    front: Front
    world: World
    inbox: Inbox
    secret: str

    def connect(self, *, inside_tls: bool = True) -> smtplib.SMTP:
        trusting = ssl.create_default_context(cafile=str(self.front.certificate))
        trusting.check_hostname = False
        if inside_tls:
            return smtplib.SMTP_SSL("127.0.0.1", self.front.submission_tls_port, context=trusting, timeout=20)
        client = smtplib.SMTP("127.0.0.1", self.front.submission_port, timeout=20)
        client.starttls(context=trusting)
        return client

    def submit(self, raw: bytes, *recipients: str, sender: str = "", inside_tls: bool = True) -> tuple[int, str]:
        """Submit a mail; return the code and the text of the first answer that is no 2xx, or of the last one."""
        with self.connect(inside_tls=inside_tls) as client:
            client.login(self.inbox.email, self.secret)
            code, text = client.mail(sender or self.inbox.email)
            for recipient in recipients or [CAROL]:
                if code == 250:
                    code, text = client.rcpt(recipient)
            if code == 250:
                code, text = client.data(raw)
            return code, text.decode()

    def mail(self, text: str = "Hello", **fields: str) -> bytes:
        given = {"From": f"Support <{self.inbox.email}>", "To": CAROL, "Subject": "Your case", **fields}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
        return f"{head}\r\n{text}\r\n".encode()

    def sent(self) -> list[Message]:
        return [row for row in self.world.rows(Message) if row.direction == "outbound"]

    def recipients(self) -> dict[str, tuple[str, str]]:
        return {row.email: (row.kind, row.status) for row in self.world.rows(MessageRecipient)}

    def bytes_of(self, message: Message) -> bytes:
        with inside(message.environment_id):
            raw = Message.objects.in_environment(self.world.development).get(pk=message.pk).raw
        path = next(self.front.certificate.parent.rglob(str(raw.pk)))
        return path.read_bytes()


@pytest.fixture
def desk(front: Front) -> Desk:
    world = build("acme")
    inbox = world.inbox(username="support")
    return Desk(front, world, inbox, world.new_key(["messages:send"]).secret)


@pytest.mark.parametrize("inside_tls", [True, False], ids=["inside TLS", "after STARTTLS"])
def test_a_submitted_mail_goes_the_one_way_out_and_the_answer_names_it(desk: Desk, *, inside_tls: bool) -> None:
    code, text = desk.submit(desk.mail(), CAROL, inside_tls=inside_tls)
    [message] = desk.sent()
    assert (code, text) == (250, f"2.0.0 Ok: queued as {message.pk}")
    assert (message.status, message.subject, message.text_body) == ("captured", "Your case", "Hello\n")
    assert (message.from_email, message.sent_by[:4]) == (desk.inbox.email, "key_")


def test_the_certificate_is_made_once_and_is_for_us_alone(desk: Desk) -> None:
    assert stat.S_IMODE(desk.front.certificate.stat().st_mode) == 0o600


def test_who_stands_in_no_header_is_a_hidden_recipient(desk: Desk) -> None:
    desk.submit(desk.mail(Cc=f"Dave <{DAVE}>", Bcc=ERIN), CAROL, DAVE, ERIN)
    kinds = {email: kind for email, (kind, _) in desk.recipients().items()}
    assert kinds == {CAROL: "to", DAVE: "cc", ERIN: "bcc"}


def test_the_bytes_stay_as_they_came_but_for_bcc_and_what_is_missing(desk: Desk) -> None:
    raw = desk.mail(
        "caf\u00e9   \r\n\r\nx" + "y" * 400, Subject="=?utf-8?q?Caf=C3=A9?=\r\n  folded", X_Odd="\ta  b ", Bcc=ERIN
    )
    desk.submit(raw, CAROL, ERIN)
    [message] = desk.sent()
    kept = desk.bytes_of(message)
    added, _, rest = kept.partition(b"From:")
    assert b"From:" + rest == raw.replace(f"Bcc: {ERIN}\r\n".encode(), b"")
    assert [line.partition(b":")[0] for line in added.splitlines()] == [b"AgentPost-Trace", b"Message-ID", b"Date"]
    assert f"Message-ID: {message.message_id_header}\r\n".encode() in added


def test_a_message_id_and_a_date_that_are_there_are_kept(desk: Desk) -> None:
    desk.submit(desk.mail(Message_ID="<mine@acme.example>", Date="Mon, 02 Mar 2026 10:00:00 +0000"))
    [message] = desk.sent()
    assert message.message_id_header == "<mine@acme.example>"
    added = desk.bytes_of(message).partition(b"From:")[0]
    assert added.count(b"\r\n") == 1


def test_a_mail_that_is_submitted_again_is_sent_once(desk: Desk) -> None:
    raw = desk.mail(Message_ID="<once@acme.example>")
    assert desk.submit(raw) == desk.submit(raw)
    assert len(desk.sent()) == 1


def test_a_mail_of_the_same_id_to_somebody_new_is_sent(desk: Desk) -> None:
    raw = desk.mail(Message_ID="<list@acme.example>")
    assert desk.submit(raw, CAROL) != desk.submit(raw, DAVE)
    assert desk.recipients().keys() == {CAROL, DAVE}


OTHERS = {
    "another From": {"From": "ceo@victim.example"},
    "a second From address": {"From": "support@x.example, ceo@victim.example"},
    "another Sender": {"Sender": "ceo@victim.example"},
    "the inbox as a mere name": {"From": '"support@agentpost.localhost" <ceo@victim.example>'},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_from_must_be_the_inbox(desk: Desk, fields: dict[str, str]) -> None:
    code, text = desk.submit(desk.mail(**fields))
    assert (code, text[:5]) == (550, "5.7.1")
    assert desk.sent() == []


MALFORMED = {
    "two From": lambda mail: b"From: ceo@victim.example\r\n" + mail,
    "a blank before the colon": lambda mail: b"From : ceo@victim.example\r\n" + mail,
    "no field at all": lambda mail: b"nonsense\r\n" + mail,
    "a folded beginning": lambda mail: b" From: ceo@victim.example\r\n" + mail,
}


@pytest.mark.parametrize("spoilt", MALFORMED.values(), ids=MALFORMED)
def test_a_header_that_can_be_read_in_two_ways_is_refused(desk: Desk, spoilt: Any) -> None:
    code, text = desk.submit(spoilt(desk.mail()))
    assert (code, text[:5]) == (554, "5.6.0")
    assert desk.sent() == []


@pytest.mark.parametrize("sender", ["ceo@victim.example", "<>"])
def test_the_envelope_sender_must_be_the_inbox(desk: Desk, sender: str) -> None:
    assert desk.submit(desk.mail(), sender=sender)[0] == 553


def test_the_envelope_sender_may_carry_a_tag(desk: Desk) -> None:
    assert desk.submit(desk.mail(), sender=desk.inbox.email.replace("@", "+case7@"))[0] == 250


def refusal_of(desk: Desk, user: str, password: str) -> tuple[int, bytes]:
    with desk.connect() as client, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        client.login(user, password)
    return refused.value.smtp_code, refused.value.smtp_error  # type: ignore[return-value]


def test_whatever_is_wrong_with_a_login_the_answer_is_the_same(desk: Desk) -> None:
    world, elsewhere = desk.world, build("globex")
    theirs = elsewhere.inbox(username="theirs")
    revoked = world.new_key(["messages:send"])
    revoke_key(revoked.key, actor=SYSTEM)
    wrong = {
        "no key": (desk.inbox.email, "secret"),
        "another organization's key": (desk.inbox.email, elsewhere.new_key().secret),
        "another environment's key": (desk.inbox.email, world.new_key(environments=[world.production]).secret),
        "a key that may not send": (desk.inbox.email, world.new_key(["messages:read"]).secret),
        "a revoked key": (desk.inbox.email, revoked.secret),
        "an inbox of others": (theirs.email, desk.secret),
        "no inbox": ("nobody@agentpost.localhost", desk.secret),
    }
    answers = {what: refusal_of(desk, *login) for what, login in wrong.items()}
    assert answers == dict.fromkeys(wrong, (535, b"5.7.8 Authentication credentials invalid"))


def test_who_claims_an_address_without_proof_locks_nobody_out_and_gets_in_as_nobody_else(desk: Desk) -> None:
    elsewhere = build("globex")
    claims = {}
    for world in (elsewhere, desk.world):  # the squatter comes first
        with inside(world.development):
            add_domain(world.development, "acme.example", actor=SYSTEM)
        claims[world.development.pk] = world.inbox(email="support@acme.example")
    for world in (elsewhere, desk.world):
        secret = world.new_key(["messages:send"]).secret
        account = submission.admit(Login("support@acme.example", secret, "192.0.2.77"))
        assert encode("inb", account.inbox_id) == claims[world.development.pk].pk


def test_a_foreign_address_and_a_missing_one_take_the_same_queries(desk: Desk) -> None:
    theirs = build("globex").inbox(username="theirs")
    submission.admit(Login(desk.inbox.email, desk.secret, "192.0.2.77"))  # notes that the key was used
    counts = []
    for address in (theirs.email, "nobody@agentpost.localhost"):
        with CaptureQueriesContext(connection) as queries, pytest.raises(Refused):
            submission.admit(Login(address, desk.secret, "192.0.2.77"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


UNPRINTABLE = [("us\0er@acme.example", "secret"), ("user@acme.example", "sec\0ret"), ("a\x1b@acme.example", "\x7f")]


def test_what_cannot_be_printed_is_a_failed_login_that_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for user, password in UNPRINTABLE:
        with desk.connect() as client:
            client.ehlo()
            assert client.docmd("AUTH", f"LOGIN {_encoded(user)}")[0] == 334
            assert client.docmd(_encoded(password))[0] == 535
    monkeypatch.setattr(submission, "FAILURES_PER_MINUTE", 2)
    monkeypatch.setattr(submission, "_minute", lambda: desk.inbox.created_at.replace(second=0, microsecond=0))
    replies = []
    for user, password in UNPRINTABLE:
        with pytest.raises(Refused) as refused:
            submission.admit(Login(user, password, "192.0.2.9"))
        replies.append(refused.value.reply[:3])
    assert replies == ["535", "535", "454"]


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_network_that_fails_too_often_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FAILURES_PER_MINUTE", 2)
    monkeypatch.setattr(submission, "_minute", lambda: desk.inbox.created_at.replace(second=0, microsecond=0))

    def reply(peer: str, password: str) -> str:
        try:
            return submission.admit(Login(desk.inbox.email, password, peer)).address
        except Refused as refused:
            return refused.reply[:3]

    assert [reply("192.0.2.1", "wrong") for _ in range(3)] == ["535", "535", "454"]
    assert reply("192.0.2.1", desk.secret) == "454"
    assert reply("192.0.2.2", "wrong") == "454"
    assert reply("192.0.2.2", desk.secret) == desk.inbox.email


def test_nothing_is_taken_before_a_login_and_no_login_before_tls(desk: Desk) -> None:
    with desk.connect() as client:
        client.ehlo()
        assert client.mail(desk.inbox.email)[0] == 530
    with smtplib.SMTP("127.0.0.1", desk.front.submission_port, timeout=20) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AAAA")[0] == 530
        assert client.mail(desk.inbox.email)[0] == 530


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
def test_both_mechanisms_are_there(desk: Desk, mechanism: str) -> None:
    with desk.connect() as client:
        client.ehlo()
        client.user, client.password = desk.inbox.email, desk.secret
        method = getattr(client, mechanism)
        assert client.auth(mechanism.removeprefix("auth_").upper(), method)[0] == 235


BAD_LOGINS = [("PLAIN ???", 501), ("PLAIN AAAA", 501), ("CRAM-MD5", 504), ("PLAIN /w==", 501), ("", 504)]


def test_a_malformed_login_is_told_so(desk: Desk) -> None:
    with desk.connect() as client:
        client.ehlo()
        assert [client.docmd("AUTH", said)[0] for said, _ in BAD_LOGINS] == [code for _, code in BAD_LOGINS]


def test_a_session_does_not_outlive_its_key(desk: Desk) -> None:
    made = desk.world.new_key(["messages:send"])
    with desk.connect() as client:
        client.login(desk.inbox.email, made.secret)
        revoke_key(made.key, actor=SYSTEM)
        client.mail(desk.inbox.email)
        client.rcpt(CAROL)
        assert client.data(desk.mail())[0] == 535
    assert desk.sent() == []


def test_a_mail_that_filter_rules_let_through_to_nobody_is_refused(desk: Desk) -> None:
    rule = {"direction": "send", "action": "block", "match_type": "domain", "value": "example.com"}
    with inside(desk.world.development):
        create_rule(desk.world.development, actor=SYSTEM, **rule)
    code, text = desk.submit(desk.mail())
    assert (code, text[:5]) == (550, "5.7.1")


def test_while_sending_is_paused_mail_is_taken_and_waits(desk: Desk) -> None:
    update_environment(desk.world.development, {"outbound_paused": True}, actor=SYSTEM)
    assert desk.submit(desk.mail())[0] == 250
    assert [message.status for message in desk.sent()] == ["queued"]


def test_a_mail_that_was_submitted_is_no_reception(desk: Desk) -> None:
    from mail.models import IntakeEntry, StrayIntake

    desk.submit(desk.mail(), sender="ceo@victim.example")
    desk.submit(desk.mail())
    assert (desk.world.rows(IntakeEntry), StrayIntake.objects.count()) == ([], 0)


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
def test_swaks_submits_after_starttls_and_inside_tls(desk: Desk) -> None:
    who = ["--from", desk.inbox.email, "--to", CAROL, "--auth-user", desk.inbox.email, "--auth-password", desk.secret]
    for port, tls in ((desk.front.submission_port, "--tls"), (desk.front.submission_tls_port, "--tls-on-connect")):
        command = ["swaks", "--server", f"127.0.0.1:{port}", tls, "--auth", "PLAIN", *who]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 0, finished.stdout
        assert "250 2.0.0 Ok: queued as msg_" in finished.stdout
    assert len(desk.sent()) == 2
