"""Calls that are made again, and those that are not, over a network that loses answers."""

import itertools
from typing import Any

import pytest
from agentpost import AgentPost, APIConnectionError, APITimeoutError, ConflictError, RateLimitError, ServerError
from agentpost.models import Inbox

from tests.clients.proxy import LOST, Proxy, answer

GATEWAY = answer("502 Bad Gateway", "Content-Type: text/html", body=b"<h1>Bad Gateway</h1>")
MAIL: dict[str, Any] = {"to": ["ann@example.com"], "subject": "Hello", "text_body": "Hi."}


def outbound(client: AgentPost, inbox: Inbox) -> list[Any]:
    return list(client.messages.list(inbox.id, direction="outbound"))


@pytest.mark.parametrize("loss", [LOST, GATEWAY, answer("503 Service Unavailable"), answer("504 Gateway Timeout")])
def test_a_mail_whose_answer_is_lost_is_sent_once(
    loss: bytes, remote: AgentPost, network: Proxy, client: AgentPost, inbox: Inbox
) -> None:
    network.instead = [loss, loss]
    message = remote.messages.send(inbox.id, **MAIL)
    assert [sent.id for sent in outbound(client, inbox)] == [message.id]
    assert len({key_in(request) for request in network.requests if b"POST" in request}) == 1


def key_in(request: bytes) -> bytes:
    lines = request.lower().split(b"\r\n")
    return next(line for line in lines if line.startswith(b"idempotency-key:"))


SENDING = {  # what sends
    "reply": lambda client, question, **_: client.messages.reply(question.id, text_body="Soon."),
    "reply to all": lambda client, question, **_: client.messages.reply_all(question.id, text_body="Soon."),
    "forward": lambda client, question, **_: client.messages.forward(question.id, to=["boss@example.com"]),
    "batch": lambda client, inbox, **_: client.messages.send_batch(inbox.id, [MAIL]),
    "draft": lambda client, draft, **_: client.drafts.send(draft.id),
}


@pytest.mark.parametrize("how", SENDING)
def test_whatever_sends_is_sent_once(
    how: str, remote: AgentPost, network: Proxy, client: AgentPost, inbox: Inbox, question: Any
) -> None:
    draft = client.drafts.create(inbox.id, **MAIL)
    network.instead = [LOST]
    SENDING[how](client=remote, inbox=inbox, question=question, draft=draft)
    assert len(outbound(client, inbox)) == 1


def test_a_creation_whose_answer_is_lost_is_not_made_again(
    remote: AgentPost, network: Proxy, client: AgentPost
) -> None:
    network.instead = [LOST]
    with pytest.raises(APIConnectionError):
        remote.inboxes.create(username="once")
    assert len(list(client.inboxes.list())) == 1


def test_a_creation_with_a_client_id_is_made_again(remote: AgentPost, network: Proxy, client: AgentPost) -> None:
    network.instead = [LOST]
    made = remote.inboxes.create(username="once", client_id="once")
    assert [one.id for one in client.inboxes.list()] == [made.id]


def test_a_creation_that_was_refused_for_now_is_made_again(
    remote: AgentPost, network: Proxy, client: AgentPost
) -> None:
    network.refusals = [answer("429 Too Many Requests", "Retry-After: 1")]
    made = remote.inboxes.create(username="once")
    assert [one.id for one in client.inboxes.list()] == [made.id]


def test_a_deletion_whose_answer_is_lost_is_done(remote: AgentPost, network: Proxy, inbox: Inbox) -> None:
    network.instead = [LOST]
    remote.inboxes.delete(inbox.id)
    assert list(remote.inboxes.list()) == []


def test_reading_is_tried_as_often_as_the_client_may(remote: AgentPost, network: Proxy, inbox: Inbox) -> None:
    network.instead = [LOST, GATEWAY, LOST]
    assert remote.inboxes.get(inbox.id).id == inbox.id
    network.instead = [GATEWAY, GATEWAY]
    with pytest.raises(ServerError) as problem:
        remote.with_options(max_retries=1).inboxes.get(inbox.id)
    assert problem.value.status == 502


def test_a_server_that_asks_for_more_than_a_minute_is_told_of_and_not_waited_for(
    remote: AgentPost, network: Proxy, inbox: Inbox
) -> None:
    network.refusals = [answer("429 Too Many Requests", "Retry-After: 3600")]
    with pytest.raises(RateLimitError) as problem:
        remote.inboxes.get(inbox.id)
    assert problem.value.retry_after == 3600
    assert len(network.requests) == 1


def test_a_conflict_is_never_tried_again(remote: AgentPost, network: Proxy, inbox: Inbox) -> None:
    remote.messages.send(inbox.id, **MAIL, idempotency_key="same")
    with pytest.raises(ConflictError) as problem:
        remote.messages.send(inbox.id, **{**MAIL, "subject": "Other"}, idempotency_key="same")
    assert problem.value.code == "idempotency_mismatch"
    assert len(network.requests) == 2


def test_a_send_that_failed_tells_under_which_key_it_may_be_made_once_more(
    remote: AgentPost, network: Proxy, client: AgentPost, inbox: Inbox
) -> None:
    network.instead = [LOST]
    with pytest.raises(APIConnectionError) as problem:
        remote.with_options(max_retries=0).messages.send(inbox.id, **MAIL)
    assert problem.value.may_have_arrived
    again = remote.messages.send(inbox.id, **MAIL, idempotency_key=problem.value.idempotency_key)
    assert [sent.id for sent in outbound(client, inbox)] == [again.id]


def test_an_answer_that_is_late_is_a_time_out(place: Any, inbox: Inbox, connect: Any) -> None:
    client = connect(api_key=place.api_key, base_url=place.base_url, timeout=60, max_retries=0)
    with pytest.raises(APITimeoutError):
        client.with_options(timeout=0.0001).inboxes.get(inbox.id)
    assert client.inboxes.get(inbox.id).id == inbox.id


def test_a_server_that_is_not_there_is_a_connection_error_and_nothing_has_arrived() -> None:
    client = AgentPost(api_key="ap_sk_dev_x", base_url="http://127.0.0.1:9", max_retries=0)
    with pytest.raises(APIConnectionError) as problem:
        client.me()
    assert not problem.value.may_have_arrived


REPEATED = {  # what may be made again, although it is no GET
    "search": lambda client, **_: client.search("order"),
    "batch": lambda client, **_: client.messages.batch_get(["msg_1"]),
    "upload": lambda client, **_: client.attachments.upload(b"Hello", filename="hello.txt"),
    "ticket": lambda client, **_: client.events.create_ticket(),
    "tools": lambda client, **_: client.tools.list(),
    "change": lambda client, inbox: client.inboxes.update(inbox.id, name="Other"),
}


@pytest.mark.parametrize("what", REPEATED)
def test_a_call_that_does_no_more_the_second_time_is_made_again(
    what: str, remote: AgentPost, network: Proxy, inbox: Inbox
) -> None:
    network.instead = [LOST]
    REPEATED[what](client=remote, inbox=inbox)
    assert len(network.requests) >= 2


@pytest.mark.parametrize("retries", range(6))
def test_pauses_grow_and_end_at_eight_seconds(retries: int) -> None:
    from agentpost._calls import back_off

    longest = min(8.0, 0.5 * 2**retries)
    assert all(longest / 2 <= pause <= longest for pause in itertools.repeat(back_off(retries), 20))
