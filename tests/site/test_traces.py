"""One trace leads from a conversation over SMTP, in one process, to the receipt of a webhook, from another."""

import asyncio
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import decode
from environments.telemetry import traces
from tests.environments.collector import Collector, only
from tests.mail.smtpd import running_smtpd
from tests.site.instance import wait_for
from tests.webhooks.receiver import Receiver
from tests.world import World, build
from webhooks.delivery.deliverer import deliver_due_once
from webhooks.services.endpoints import create_endpoint


@pytest.fixture
def world(transactional_db: None, object_store: Path) -> World:
    return build()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


def test_a_mail_is_followed_from_its_conversation_to_the_receipt_of_its_webhook(
    world: World,
    collector: Collector,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    inbox = world.inbox()
    with inside(world.development):
        create_endpoint(world.development, actor=SYSTEM, url=receiver.url("/hook"), events=["message.received"])
    with running_smtpd(tmp_path) as front, smtplib.SMTP("127.0.0.1", front.port, timeout=60) as client:
        client.sendmail("bob@example.com", [inbox.email], world.mail(to=inbox.email))
        wait_for(lambda: collector.named("event.publish"))
    asyncio.run(deliver_due_once(development=True))
    [received] = receiver.of("/hook")
    traces.writing().provider.force_flush()
    trace = decode("evt", received.event["id"]).hex
    session = only(collector, "smtp.session", trace)
    receive = only(collector, "mail.receive", trace)
    publish = only(collector, "event.publish", trace)
    attempt = only(collector, "webhook.attempt", trace)
    assert session.parent == ""
    assert [receive.parent, publish.parent, attempt.parent] == [session.id, receive.id, publish.id]
    assert received.headers["traceparent"] == f"00-{trace}-{attempt.id}-01"
    assert attempt.attributes["http.response.status_code"].strip() == "int_value: 200"
    told = str(collector.spans)
    assert "Hello" not in told
    assert "@" not in told


def test_without_a_collector_nothing_is_told_to_receivers(world: World, receiver: Receiver) -> None:
    inbox = world.inbox()
    with inside(world.development):
        create_endpoint(world.development, actor=SYSTEM, url=receiver.url("/hook"), events=["message.received"])
    world.deliver(inbox)
    asyncio.run(deliver_due_once(development=True))
    [received] = receiver.of("/hook")
    assert "traceparent" not in received.headers
