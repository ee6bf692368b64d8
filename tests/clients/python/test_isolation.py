"""A client of the environment next door is told of everything here that there is no such thing."""

import uuid
from typing import Any

import pytest
from agentpost import AgentPost, NotFoundError, UnprocessableError

MAIL: dict[str, Any] = {"to": ["ann@example.com"], "subject": "Hello", "text_body": "Hi."}


@pytest.fixture
def neighbour(make_place: Any, connect: Any) -> AgentPost:
    next_door = make_place()
    return connect(next_door.api_key, base_url=next_door.base_url)


@pytest.fixture
def ours(client: AgentPost, place: Any, question: Any) -> dict[str, str]:
    """Return the ids of things that are ours."""
    inbox_id = question.inbox_id
    upload = client.attachments.upload(b"Hello", filename="hello.txt")
    sent = client.messages.send(inbox_id, attachments=[upload], **MAIL)
    endpoint = client.webhook_endpoints.create(url="https://hooks.example.com/in", events=["*"])
    delivery = client.webhook_endpoints.test(endpoint.id)
    return {
        "environment": place.environment["id"],
        "inbox": inbox_id,
        "message": question.id,
        "thread": question.thread_id,
        "draft": client.drafts.create(inbox_id, **MAIL).id,
        "attachment": sent.attachments[0].id,
        "upload": upload.key,
        "domain": client.domains.create(domain=f"{uuid.uuid4().hex[:8]}.example.com").id,
        "endpoint": endpoint.id,
        "delivery": delivery.id,
        "rule": client.filter_rules.create(
            direction="receive", action="block", match_type="domain", value="x.example"
        ).id,
        "suppression": client.suppressions.create(email="bob@example.com").id,
        "event": client.events.list().data[0].id,
        "intake": client.intake.list().data[0].id,
    }


ACTS = [  # what the neighbour tries
    ("environment", lambda us, it: us.environments.get(it)),
    ("environment", lambda us, it: us.environments.update(it, name="Mine")),
    ("environment", lambda us, it: us.environments.usage(it)),
    ("environment", lambda us, it: us.environments.list_members(it)),
    ("environment", lambda us, it: us.inboxes.list(environment_id=it)),
    ("environment", lambda us, it: us.with_options(environment=it).realtime.stream().__enter__()),
    ("inbox", lambda us, it: us.inboxes.get(it)),
    ("inbox", lambda us, it: us.inboxes.delete(it)),
    ("inbox", lambda us, it: us.inboxes.simulate(it, from_="a@example.com")),
    ("inbox", lambda us, it: us.messages.send(it, **MAIL)),
    ("inbox", lambda us, it: us.messages.list(it)),
    ("inbox", lambda us, it: us.messages.wait(it, timeout=0)),
    ("inbox", lambda us, it: us.threads.list(it)),
    ("inbox", lambda us, it: us.drafts.create(it, **MAIL)),
    ("message", lambda us, it: us.messages.get(it)),
    ("message", lambda us, it: us.messages.raw(it)),
    ("message", lambda us, it: us.messages.reply(it, text_body="Hi.")),
    ("message", lambda us, it: us.messages.forward(it, to=["me@example.com"])),
    ("message", lambda us, it: us.messages.add_labels(it, ["mine"])),
    ("message", lambda us, it: us.messages.delete(it)),
    ("thread", lambda us, it: us.threads.get(it)),
    ("thread", lambda us, it: us.threads.remove_labels(it, ["mine"])),
    ("draft", lambda us, it: us.drafts.get(it)),
    ("draft", lambda us, it: us.drafts.send(it)),
    ("attachment", lambda us, it: us.attachments.download(it)),
    ("domain", lambda us, it: us.domains.get(it)),
    ("endpoint", lambda us, it: us.webhook_endpoints.get(it)),
    ("endpoint", lambda us, it: us.webhook_endpoints.rotate_secret(it)),
    ("delivery", lambda us, it: us.webhook_deliveries.get(it)),
    ("rule", lambda us, it: us.filter_rules.delete(it)),
    ("suppression", lambda us, it: us.suppressions.delete(it)),
    ("event", lambda us, it: us.events.get(it)),
    ("intake", lambda us, it: us.intake.get(it)),
]


def test_everything_of_ours_is_nothing_next_door(neighbour: AgentPost, ours: dict[str, str]) -> None:
    for kind, act in ACTS:
        with pytest.raises(NotFoundError):
            act(neighbour, ours[kind])


def test_a_list_next_door_holds_nothing_of_ours(neighbour: AgentPost, ours: dict[str, str]) -> None:
    names = "inboxes messages threads drafts domains webhook_endpoints filter_rules suppressions intake labels"
    assert {name: getattr(neighbour, name).list().data for name in names.split()} == {
        name: [] for name in names.split()
    }
    assert neighbour.messages.batch_get([ours["message"]]).not_found == [ours["message"]]
    assert neighbour.search("order").data == []
    assert ours["environment"] not in {event.env_id for event in neighbour.events.list()}


def test_our_inbox_cannot_be_listened_to_next_door(neighbour: AgentPost, ours: dict[str, str]) -> None:
    for unknown in (ours["inbox"], "inb_00000000000000000000000000"):
        with pytest.raises(UnprocessableError, match=f"There is no inbox {unknown}"):
            neighbour.realtime.stream(inbox_id=unknown).__enter__()


def test_what_was_uploaded_here_cannot_be_sent_next_door(neighbour: AgentPost, ours: dict[str, str]) -> None:
    theirs = neighbour.inboxes.create()
    for file in ({"key": ours["upload"]}, ours["attachment"]):
        with pytest.raises((NotFoundError, UnprocessableError)):
            neighbour.messages.send(theirs.id, attachments=[file], **MAIL)
