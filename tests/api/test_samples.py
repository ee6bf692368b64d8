"""What a test of an endpoint shows is what a real event of the same type holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apikeys.services import revoke_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import decode
from environments.services.environments import update_environment
from inboxes.models import Domain, Inbox
from inboxes.services.domains import add_domain, trust
from inboxes.services.verification import verify
from mail.authentication import Authentication, Verdict
from mail.intake import Arrival, Recipient
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.deletion import delete_inbox
from mail.services.drafts import approval, writing
from mail.services.examine import examine_offline
from mail.services.receive import receive
from mail.services.send import send
from tests.names import Names
from tests.world import PERSON, World, build
from webhooks.models import EVENT_TYPES, Event
from webhooks.services.endpoints import create_endpoint, disable
from webhooks.services.samples import sample

pytestmark = pytest.mark.django_db

SIMULATED = "@simulator.agentpost.localhost"
FAILS = Authentication(dmarc=Verdict("fail", "neither SPF nor DKIM vouches for example.com", "example.com"))


def what_mail_tells(world: World, inbox: Inbox) -> None:
    world.deliver(inbox)
    to = Recipient(inbox.email, decode("env", inbox.environment_id), decode("inb", inbox.pk))
    given = Arrival(world.mail(to=inbox.email), "bob@example.com", (to,), "192.0.2.1", "mx", False, clock.now())
    receive([replace(given, examination=replace(examine_offline(given), authentication=FAILS))])
    with inside(world.development):
        for names in (["ann@example.com"], ["bounce", "complaint"], ["suppressed", "delivered"]):
            people = [Address(name if "@" in name else name + SIMULATED, "") for name in names]
            send(world.development, inbox, Outgoing(to=people, subject="Hello"), actor=SYSTEM)


def what_drafts_tell(world: World, inbox: Inbox) -> None:
    where, outgoing = world.development, Outgoing(to=[Address("bob@example.com", "")], subject="Hello")
    with inside(where):
        one, other = (writing.create_draft(where, inbox, outgoing, actor=SYSTEM)[0] for _ in range(2))
        for draft in (one, other):
            approval.submit(where, draft, actor=SYSTEM)
        approval.approve(where, one, actor=PERSON)
        approval.reject(where, other, "Not like this.", actor=PERSON)


def what_domains_tell(world: World, _: Inbox) -> None:
    where = world.development
    with inside(where):
        vouched, _new = add_domain(where, "acme.example", actor=SYSTEM)
        trust(vouched, where, actor=SYSTEM)
        lost, _new = add_domain(where, "lost.example", actor=SYSTEM)
        standing = {"status": "verified", "failed_checks": 99, "failing_since": clock.now() - timedelta(days=9)}
        Domain.objects.in_environment(where).filter(pk=lost.pk).update(**standing)
        lost.refresh_from_db()
        verify(lost, where, actor=SYSTEM)


def what_the_environment_tells(world: World, inbox: Inbox) -> None:
    where = world.development
    for paused in (True, False):
        update_environment(where, {"outbound_paused": paused}, actor=PERSON)
    revoke_key(world.new_key(["messages:read"], environments=[where]).key, actor=SYSTEM)
    update_environment(where, {"hourly_sending_quota": 1, "repetition_limit": None}, actor=PERSON)
    where.refresh_from_db()
    with inside(where):
        outgoing = Outgoing(to=[Address("bob@example.com", "")], subject="Hello")
        send(where, inbox, outgoing, actor=SYSTEM)
        endpoint, _ = create_endpoint(where, actor=SYSTEM, url="https://acme.example/hook", events=["*"])
        disable([endpoint], "The endpoint answered 410 Gone.")
        delete_inbox(where, inbox, actor=SYSTEM)


STORIES: dict[str, Callable[[World, Inbox], None]] = {
    "message": what_mail_tells,
    "draft": what_drafts_tell,
    "domain": what_domains_tell,
    "": what_the_environment_tells,
}


def shape(value: Any) -> Any:
    """Return the names and types of what an event tells, at every depth."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("family", STORIES)
def test_a_sample_has_the_shape_of_what_really_happens(dns: Names, family: str) -> None:
    world = build()
    inbox = world.inbox(username="support")
    STORIES[family](world, inbox)
    real: dict[str, set[str]] = {}
    for event in world.rows(Event):
        real.setdefault(event.type, set()).add(repr(shape(event.data | {"test": True})))
    expected = {name for name in EVENT_TYPES if name.startswith(family) and (family or is_of_no_story(name))}
    assert expected <= real.keys()
    for name in expected:
        assert repr(shape(sample(name, world.development))) in real[name]


def is_of_no_story(name: str) -> bool:
    return name.partition(".")[0] not in STORIES
