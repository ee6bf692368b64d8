"""Mail of the platform to its own people: to whom, through which server, and in what words."""

import email
import email.policy
import logging
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from environments.callers import SYSTEM
from environments.models import Environment, Member, User
from environments.relay import Relay, RelayTrouble
from environments.services.members import add_member, add_to_environment
from environments.services.notices import admins_of, mail_to, message_to, notify_admins
from environments.tasks import mail_notice
from tests.mail.sink import DROP, Sink, running_sink
from tests.world import World

DISABLED = "webhook_endpoint_disabled"
FACTS = {
    "organization": "acme",
    "environment": "development",
    "endpoint_id": "whe_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "host": "hooks.acme.example",
    "reason": "It failed 50 times in a row.",
    "failures": "50",
    "at": "2026-03-08T14:30:00.000Z",
}


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with running_sink() as sink:
        settings.AGENTPOST_RELAY_URL = sink.url
        yield sink


def join(world: World, name: str, role: str = "member", **places: str) -> Member:
    """Add a member, with a role in environments by slug."""
    member, _ = add_member(world.organization, f"{name}@acme.example", role, actor=SYSTEM)
    for environment in (world.production, world.development):
        if environment.slug in places:
            add_to_environment(environment, member, places[environment.slug], actor=SYSTEM)
    return member


def jobs() -> list[dict[str, Any]]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="environments.tasks.mail_notice")]


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def names_of(environment: Environment) -> set[str]:
    return {member.user.email.partition("@")[0] for member in admins_of(environment)}


def test_an_environment_is_administered_by_its_own_admins_and_those_of_the_organization(
    acme: World, globex: World
) -> None:
    join(acme, "admin", "admin")
    join(acme, "here", development="admin")
    join(acme, "reader", development="member")
    join(acme, "elsewhere", production="admin")
    left = join(acme, "left", development="admin")
    User.objects.filter(pk=left.user_id).update(is_active=False)
    add_member(globex.organization, "stranger@globex.example", "admin", actor=SYSTEM)
    assert names_of(acme.development) == {"owner", "admin", "here"}


def test_each_admin_gets_a_mail_of_their_own(acme: World, sink: Sink) -> None:
    join(acme, "here", development="admin")
    notify_admins(acme.development, DISABLED, {name: FACTS[name] for name in FACTS if name != "organization"})
    for job in jobs():
        assert mail_notice(**job)
    assert sorted(mail.recipients for mail in sink.taken) == [["here@acme.example"], ["owner@acme.example"]]
    for mail in sink.taken:
        message = read(mail.raw)
        assert message["To"] == mail.recipients[0]
        assert message["From"] == "AgentPost <noreply@agentpost.localhost>"
        assert message["Subject"] == "A webhook endpoint of acme/development was disabled"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content_type() == "text/plain"
        body = message.get_content()
        assert all(FACTS[name] in body for name in ("endpoint_id", "host", "reason", "failures", "at"))
        assert f"/console/webhooks/webhookendpoint/{FACTS['endpoint_id']}/change/" in body


def test_the_job_is_left_by_the_transaction_that_tells_of_it(acme: World) -> None:
    from django.db import transaction

    with transaction.atomic():
        notify_admins(acme.development, DISABLED, FACTS)
        assert len(jobs()) == 1
        transaction.set_rollback(True)
    assert jobs() == []


def test_who_has_left_meanwhile_or_belongs_to_another_organization_gets_nothing(
    acme: World, globex: World, sink: Sink
) -> None:
    gone = join(acme, "gone", "admin")
    gone_id = gone.pk
    gone.delete()
    for member_id in (gone_id, globex.owner.pk):
        assert not mail_notice(acme.organization.pk, member_id, DISABLED, FACTS)
    assert sink.taken == []


def test_without_a_relay_one_line_is_logged_and_nothing_sent(
    acme: World, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AGENTPOST_RELAY_URL = ""
    with caplog.at_level(logging.WARNING):
        assert not mail_to(acme.owner, DISABLED, FACTS)
    [line] = caplog.messages
    assert acme.owner.pk in line
    assert "\n" not in line
    assert acme.owner.user.email not in line


@pytest.mark.parametrize("value", ["x\r\nBcc: eve@example.com", "x\n\nhello", "x\u2028Bcc: eve@example.com"])
def test_no_fact_makes_a_header_or_a_recipient(acme: World, sink: Sink, value: str) -> None:
    mail_to(acme.owner, DISABLED, dict.fromkeys(FACTS, value) | {"endpoint_id": FACTS["endpoint_id"]})
    [mail] = sink.taken
    message = read(mail.raw)
    assert mail.recipients == [acme.owner.user.email]
    assert (message["Bcc"], message["To"]) == (None, acme.owner.user.email)
    plain = message_to(acme.owner, DISABLED, FACTS)
    assert message.keys() == plain.keys()


def test_what_the_relay_does_not_take_is_tried_again(acme: World, sink: Sink) -> None:
    sink.once("end", "451 4.3.0 Later")
    sink.once("mail", DROP)
    for _ in range(2):
        with pytest.raises(RelayTrouble):
            mail_notice(acme.organization.pk, acme.owner.pk, DISABLED, FACTS)
    assert mail_notice(acme.organization.pk, acme.owner.pk, DISABLED, FACTS)
    assert len(sink.taken) >= 1
    assert mail_notice.retry_strategy


def test_a_relay_that_is_not_there_is_trouble(acme: World, settings: Any) -> None:
    with running_sink() as gone:
        settings.AGENTPOST_RELAY_URL = gone.url
    with pytest.raises(RelayTrouble):
        mail_to(acme.owner, DISABLED, FACTS)


RELAYS = [
    ("", None),
    ("direct:", None),
    ("smtp://relay.example", Relay("relay.example", 25, "opportunistic")),
    ("smtp://relay.example:2525", Relay("relay.example", 2525, "opportunistic")),
    ("smtp://ann:pa%40ss@relay.example", Relay("relay.example", 587, "starttls", "ann", "pa@ss")),
    ("smtp://ann:pass@relay.example:465", Relay("relay.example", 465, "tls", "ann", "pass")),
    ("smtp://ann:pass@localhost:2525", Relay("localhost", 2525, "opportunistic", "ann", "pass")),
    ("smtps://ann:pass@relay.example", Relay("relay.example", 465, "tls", "ann", "pass")),
    ("smtp://relay.example?security=none", Relay("relay.example", 25, "none")),
]


@pytest.mark.parametrize(("url", "relay"), RELAYS)
def test_the_relay_is_read_from_its_url_as_the_transports_read_it(url: str, relay: Relay | None) -> None:
    from mail.transports.configs import of_relay_url

    assert Relay.of(url) == relay
    config = of_relay_url(url)
    if relay is None:
        assert config is None or config.kind == "direct"
    else:
        assert config is not None
        assert (config["host"], config["port"], config["security"]) == (relay.host, relay.port, relay.security)


@pytest.mark.parametrize(
    ("tls", "security", "is_taken"),
    [
        ("self_signed", "opportunistic", True),
        ("self_signed", "starttls", False),
        ("", "starttls", False),
        ("", "none", True),
    ],
)
def test_a_mail_is_handed_over_as_safely_as_is_asked(acme: World, tls: str, security: str, *, is_taken: bool) -> None:
    with running_sink(tls=tls, users={"ann": "pass"}) as sink:
        relay = Relay(sink.host, sink.port, security, "ann", "pass")
        message = message_to(acme.owner, DISABLED, FACTS)
        if is_taken:
            relay.post(message)
            assert (bool(sink.taken[0].tls), sink.taken[0].user) == (bool(tls), "ann")
        else:
            with pytest.raises(RelayTrouble):
                relay.post(message)
            assert not any(line.upper().startswith("AUTH") for line in sink.heard)
