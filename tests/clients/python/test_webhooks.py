"""Webhooks that the server really posts, and those that it did not."""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
from agentpost import AgentPost, ConfigurationError, WebhookVerificationError, webhooks
from agentpost.models import Inbox, WebhookEndpoint

from tests.webhooks.receiver import Received, Receiver

STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
OWN = ("x-agentpost-timestamp", "x-agentpost-signature")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as listening:
        yield listening


@pytest.fixture
def endpoint(client: AgentPost, receiver: Receiver) -> WebhookEndpoint:
    return client.webhook_endpoints.create(url=receiver.url("/hook"), events=["message.received"])


@pytest.fixture
def posted(client: AgentPost, inbox: Inbox, receiver: Receiver, endpoint: WebhookEndpoint) -> Received:
    """Return a POST that the server made."""
    client.inboxes.simulate(inbox.id, from_="ann@example.com", subject="Hello", text_body="Hi.")
    return receiver.wait_for("/hook", 1)[0]


@pytest.mark.parametrize("names", [STANDARD, OWN, STANDARD + OWN])
def test_what_the_server_posts_is_verified_by_either_signature(
    names: tuple[str, ...], posted: Received, endpoint: WebhookEndpoint
) -> None:
    headers = {name: value for name, value in posted.headers.items() if name.lower() in names}
    event = webhooks.verify(posted.body, headers, endpoint.secret)
    assert (event.type, event.data["subject"]) == ("message.received", "Hello")


def test_a_client_verifies_too_and_text_will_do(client: AgentPost, posted: Received, endpoint: WebhookEndpoint) -> None:
    assert client.webhooks.verify(posted.body.decode(), posted.headers, endpoint.secret).id.startswith("evt_")


FORGED = {  # what takes the place of what
    "the body": lambda body, **_: {"payload": body + b" "},
    "the secret": lambda **_: {"secret": "whsec_" + "A" * 32},
    "the time": lambda headers, **_: {"headers": at(headers, int(time.time()) - 1)},
    "no headers": lambda **_: {"headers": {}},
    "a time that is none": lambda headers, **_: {"headers": at(headers, "soon")},
    "a time of 400 digits": lambda headers, **_: {"headers": at(headers, "9" * 400)},
    "a time of 5000 digits": lambda headers, **_: {"headers": at(headers, "9" * 5000)},
}


def at(headers: dict[str, str], moment: Any) -> dict[str, str]:
    return {name: str(moment) if name.lower().endswith("timestamp") else value for name, value in headers.items()}


@pytest.mark.parametrize("changed", FORGED)
def test_what_is_forged_is_refused(changed: str, posted: Received, endpoint: WebhookEndpoint) -> None:
    genuine = {"payload": posted.body, "headers": posted.headers, "secret": endpoint.secret}
    forged = FORGED[changed](body=posted.body, headers=posted.headers)
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(**{**genuine, **forged})


NO_SECRET = ["", " ", "whsec_", "whsec_  ", "whsec_==", "!!!", "whsec_!!!", "whsec_AAAA", None, [], ["", "whsec_"]]


@pytest.mark.parametrize("secret", NO_SECRET, ids=repr)
def test_a_post_is_not_verified_with_a_secret_that_everybody_knows(secret: Any) -> None:
    body, timestamp = b'{"id":"evt_1"}', str(int(time.time()))
    used = secret if isinstance(secret, str) else "whsec_"
    empty = hmac.digest(b"", f"msg_1.{timestamp}.".encode() + body, hashlib.sha256)
    own = hmac.new(used.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(empty).decode(),
        "x-agentpost-timestamp": timestamp,
        "x-agentpost-signature": own,
    }
    with pytest.raises(ConfigurationError, match="no webhook secret"):
        webhooks.verify(body, headers, secret)


def test_the_headers_of_http_server_will_do(posted: Received, endpoint: WebhookEndpoint) -> None:
    headers = Message()
    for name, value in posted.headers.items():
        headers[name] = value
    assert webhooks.verify(posted.body, headers, str(endpoint.secret)).type == "message.received"


def test_a_secret_that_is_empty_beside_one_that_is_not_lets_nothing_in(
    posted: Received, endpoint: WebhookEndpoint
) -> None:
    assert webhooks.verify(posted.body, posted.headers, ["whsec_", str(endpoint.secret)]).type == "message.received"
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(posted.body + b" ", posted.headers, ["whsec_", str(endpoint.secret)])


@pytest.mark.parametrize("seconds", [-301, 302])
def test_what_is_five_minutes_off_is_refused(
    seconds: int, posted: Received, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - seconds)
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(posted.body, posted.headers, endpoint.secret)


def test_while_a_secret_is_rotated_either_will_do(
    client: AgentPost, inbox: Inbox, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    rotated = client.webhook_endpoints.rotate_secret(endpoint.id)
    client.inboxes.simulate(inbox.id, from_="ann@example.com", subject=uuid.uuid4().hex, text_body="Hi.")
    posted = receiver.wait_for("/hook", 1)[0]
    for secret in (endpoint.secret, rotated.secret, [str(endpoint.secret), str(rotated.secret)]):
        assert webhooks.verify(posted.body, posted.headers, secret).type == "message.received"
