"""Mail through the SDK: sent, received, answered, sorted."""

from typing import Any

import pytest
from agentpost import AgentPost
from agentpost.models import Address, Inbox, Plan


def simulated(client: AgentPost, inbox: Inbox, **mail: Any) -> Any:
    given = {"from_": "ann@example.com", "subject": "Where is my order?", "text_body": "It is late."}
    return client.inboxes.simulate(inbox.id, **{**given, **mail})


def test_a_message_is_sent(client: AgentPost, inbox: Inbox) -> None:
    message = client.messages.send(inbox.id, to=["ann@example.com"], subject="Hello", text_body="Hi.")
    assert (message.direction, message.inbox_id, message.to_addresses[0].email) == (
        "outbound",
        inbox.id,
        "ann@example.com",
    )


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com",
        {"email": "ann@example.com"},
        Address(email="ann@example.com", name="Ann"),
        ["ann@example.com"],
    ],
)
def test_a_recipient_is_written_in_any_way(client: AgentPost, inbox: Inbox, to: Any) -> None:
    message = client.messages.send(inbox_id=inbox.id, to=to, subject="Hello", text_body="Hi.")
    assert [address.email for address in message.to_addresses] == ["ann@example.com"]


def test_a_dry_run_tells_and_sends_nothing(client: AgentPost, inbox: Inbox) -> None:
    plan = client.messages.send(inbox.id, to=["ann@example.com"], subject="Hello", text_body="Hi.", dry_run=True)
    assert isinstance(plan, Plan)
    assert not client.messages.list(inbox.id).data


def test_a_message_is_answered(client: AgentPost, inbox: Inbox) -> None:
    question = simulated(client, inbox)
    answer = client.messages.reply(question.id, text_body="It is on its way.")
    assert (answer.thread_id, answer.to_addresses[0].email) == (question.thread_id, "ann@example.com")
    assert client.messages.reply_all(question.id, text_body="And more.", if_not_replied=False).direction == "outbound"
    assert client.messages.forward(question.id, to=["boss@example.com"], original_attachments="eml").attachments
