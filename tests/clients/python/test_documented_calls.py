"""Calls with the names and in the shapes of the public documentation of AgentPost."""

import uuid
from typing import Any

import httpx2
import pytest
from agentpost import AgentPost
from agentpost.models import Inbox

ANN = [{"email": "ann@example.com", "name": "Ann"}]


@pytest.fixture
def word() -> str:
    """Return a word that nothing else is called."""
    return f"w{uuid.uuid4().hex[:10]}"


def test_inboxes(client: AgentPost, word: str) -> None:
    first = client.inboxes.create(username=word, display_name="Support", client_id=word)
    assert first.email.startswith(word)
    domain = first.email.partition("@")[2]
    exact = {"email": f"support@{word}.{domain}", "name": "Support", "client_id": f"{word}-exact"}
    assert client.inboxes.create(**exact).id == client.inboxes.create(**exact).id


def test_messages_and_threads(client: AgentPost, inbox: Inbox) -> None:
    message = client.messages.send(inbox_id=inbox.id, to=ANN, subject="Hello", text_body="Hi.", html_body="<p>Hi.</p>")
    client.messages.add_labels(message_id=message.id, labels=["urgent", "billing"])
    client.threads.add_labels(thread_id=message.thread_id, labels=["vip"])
    client.messages.remove_labels(message_id=message.id, labels=["urgent"])
    threads = client.threads.list(inbox_id=inbox.id, limit=10)
    assert [(thread.subject, thread.message_count, thread.labels) for thread in threads.data] == [("Hello", 1, ["vip"])]
    assert threads.data[0].last_message_at


def test_drafts(client: AgentPost, inbox: Inbox) -> None:
    draft = client.drafts.create(inbox_id=inbox.id, to=ANN, subject="Hello", text_body="Hi.")
    assert draft.id.startswith("drf_")


def test_attachments(client: AgentPost, inbox: Inbox) -> None:
    upload = client.attachments.get_upload_url(filename="report.txt", mime_type="text/plain", size=5)
    assert httpx2.put(upload.upload_url, content=b"Hello", headers={"Content-Type": "text/plain"}).is_success
    file = {"key": upload.key, "filename": "report.txt", "mime_type": "text/plain"}
    sent = client.messages.send(inbox_id=inbox.id, to=ANN, subject="Hello", text_body="Hi.", attachments=[file])
    assert client.attachments.download(sent.attachments[0].id) == b"Hello"


def test_filter_rules(client: AgentPost) -> None:
    client.filter_rules.create(direction="receive", action="block", match_type="domain", value="spam.example")
    client.filter_rules.create(direction="send", action="allow", match_type="domain", value="example.com")
    assert {rule.direction for rule in client.filter_rules.list()} == {"send", "receive"}


def test_environments_and_people(owner: AgentPost, word: str) -> None:
    assert owner.environments.create(name="Staging", slug=word).slug == word
    invitation = owner.org.invite(email=f"{word}@example.com", role="member")
    assert invitation.status == "pending"
    assert owner.org.list_invitations().data
    owner.org.revoke_invitation(invitation.id)


def test_a_client_of_an_environment(owner: AgentPost, owner_key: str, connect: Any, place: Any) -> None:
    dev_client = connect(api_key=owner_key, environment=place.environment["id"], base_url=place.base_url)
    assert dev_client.inboxes.create(name="Dev").environment_id == place.environment["id"]
    assert owner.me().reaches_organization


def test_realtime(client: AgentPost, inbox: Inbox) -> None:
    begun = client.events.list().data[-1].id
    client.inboxes.simulate(inbox.id, from_="ann@example.com", subject="Hello", text_body="Hi.")
    for event in client.realtime.stream(events=["message.received", "message.sent"], inbox_id=inbox.id, after=begun):
        assert (event.type, event.data["from_address"]) == ("message.received", "ann@example.com")
        assert ", ".join(event.data["to_addresses"]) == inbox.email
        break
