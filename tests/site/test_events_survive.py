"""Processes are killed again and again while events are published and told; each event is told, and none anew.

What is told twice, because whoever told it died before writing that down, is the same event with the same body.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.site.instance import Clients, Instance, Senders, wait_for
from tests.site.listeners import Agents, MoodyReceiver, Poller, Streamer, Subscriber, reading, whole_log

VICTIMS = [*["deliver"] * 3, *["granian", "postgres", "procrastinate"] * 2]
SEED = 7
FEWEST, MOST = 5, 40
NAMED_BY = {"message.received": "subject", "message.captured": "message_id", "inbox.created": "inbox_id"}
MAKE_DUE = """
UPDATE webhooks_webhookdelivery SET next_attempt_at = now() WHERE state = 'pending' AND next_attempt_at > now()
"""
STATES = "SELECT DISTINCT state FROM webhooks_webhookdelivery"


@pytest.fixture(scope="module")
def instance(folder: Path) -> Iterator[Instance]:
    with Instance(folder) as instance:
        yield instance


@pytest.fixture
def receiver(instance: Instance) -> Iterator[MoodyReceiver]:
    with MoodyReceiver(SEED).listening() as receiver:
        endpoint = instance.call("POST", "/api/v1/webhook-endpoints", {"url": receiver.url, "events": ["*"]})
        receiver.secret = endpoint["secret"]
        yield receiver
        instance.call("DELETE", f"/api/v1/webhook-endpoints/{endpoint['id']}")


def kill_one_after_another(instance: Instance, receiver: MoodyReceiver, *load: Clients) -> None:
    """Kill them in an order that the seed decides, each after some more was acknowledged, and some more was told."""
    chance = random.Random(SEED)  # noqa: S311 - a die that falls the same way each time
    for victim in chance.sample(VICTIMS, len(VICTIMS)):
        marks = [len(clients.acknowledged) + 1 for clients in load]
        told = len(receiver.received) + chance.randint(FEWEST, MOST)
        wait_for(lambda: len(receiver.received) >= told)  # noqa: B023 - called at once
        wait_for(lambda: all(clients.at_least(mark) for clients, mark in zip(load, marks, strict=True)))  # noqa: B023
        instance.kill(victim)


def deliver_the_rest(instance: Instance) -> None:
    """Let nobody wait for the retry schedule, nor for the leases of the dead."""

    def is_done() -> bool:
        instance.in_database(MAKE_DUE)
        time.sleep(0.5)
        return instance.in_database(STATES) == [("delivered",)]

    wait_for(is_done)


def told_of(log: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Count what the events tell of, as those who made it happen would name it."""
    return Counter((event["type"], event["data"][NAMED_BY[event["type"]]]) for event in log)


def test_every_event_is_told_to_everyone_while_processes_are_killed(
    instance: Instance, receiver: MoodyReceiver
) -> None:
    before = whole_log(instance)
    seen = [event["id"] for event in before]
    readers = [reader(instance, seen) for reader in (Poller, Streamer, Subscriber)]
    with reading(*readers):
        with Senders(instance, clients=4, pause=0.1) as mails, Agents(instance, clients=2, pause=0.1) as agents:
            kill_one_after_another(instance, receiver, mails, agents)
        receiver.calm.set()
        wait_for(instance.is_ready)
        log = whole_log(instance)
        wait_for(lambda: all(len(reader.seen) >= len(log) for reader in readers))
        deliver_the_rest(instance)
    ids = [event["id"] for event in log]
    new = log[len(before) :]
    assert agents.refusals <= {503}
    assert told_of(new) == Counter([*agents.acknowledged, *(("message.received", one) for one in mails.acknowledged)])
    assert [reader.seen for reader in readers] == [ids for _ in readers]
    assert receiver.received.keys() == {event["id"] for event in new}
    assert [bodies for bodies in receiver.received.values() if len(set(bodies)) != 1] == []
    assert receiver.forged == 0


def test_a_database_that_is_killed_between_a_post_and_its_record_costs_no_second_post(
    instance: Instance, receiver: MoodyReceiver
) -> None:
    killed = iter(["postgres"])
    receiver.before_answer = lambda: [instance.kill(name) for name in killed]
    receiver.calm.set()
    made = instance.call("POST", "/api/v1/inboxes", {})
    wait_for(lambda: receiver.received)
    wait_for(instance.is_ready)
    wait_for(lambda: instance.in_database(STATES) == [("delivered",)])
    [[body]] = receiver.received.values()
    assert orjson.loads(body)["data"]["inbox_id"] == made["id"]
    assert next(killed, None) is None
