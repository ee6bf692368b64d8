"""The main job, told step by step: a stranger's mail reaches the right agent, and nobody else."""

import hashlib
import hmac
import json
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from http import HTTPStatus
from typing import Any

from standardwebhooks import Webhook

from agentpost_site.demo.agents import Agent, Answer, agents
from agentpost_site.demo.receiver import Posted, Receiver, receiving
from environments.doors import smtp_door
from environments.ids import new_id

STRANGER = "stranger@customer.example"
QUESTION = "Where is my order?"
PATIENCE = 30.0

Say = Callable[[str], None]


class Unexpected(Exception):
    """Something was not as it should be; the text says what was seen."""


def expect(*, that: bool, saw: object) -> None:
    """Raise Unexpected unless it is so."""
    if not that:
        raise Unexpected(str(saw))


def tell(url: str, say: Say) -> None:
    """Do the main job against the server at this URL, and say each step with what was seen.

    Raises Unexpected when a step is not as it should be, and OSError when the server cannot be reached.
    """
    with agents(url, "acme", "globex") as (acme, globex), receiving() as receiver:
        _introduce(say, acme, globex)
        endpoint = _listen(say, acme, receiver)
        try:
            sent = _write(say, acme)
            event = _be_told(say, receiver, endpoint["secret"])
            message = _read(say, acme, event["data"]["message_id"], sent)
            _look_from_outside(say, globex, message)
            _answer(say, acme, message)
        finally:
            acme.ask("DELETE", f"/webhook-endpoints/{endpoint['id']}")


def _introduce(say: Say, *both: Agent) -> None:
    say("1. Two agents, each in an environment of its own")
    for agent in both:
        environment = agent.environment
        say(f"   {environment.slug}: {environment.pk} ({environment.delivery_mode}), inbox {agent.inbox.email}")


def _listen(say: Say, agent: Agent, receiver: Receiver) -> dict[str, Any]:
    say(f"2. {agent.environment.slug}'s agent asks to be told of mail, by a webhook")
    endpoint = _made(agent, "/webhook-endpoints", {"url": receiver.url, "events": ["message.received"]})
    say(f"   POST /webhook-endpoints → 201 {endpoint['id']}, {receiver.url}")
    return endpoint


def _write(say: Say, agent: Agent) -> bytes:
    host, port = smtp_door()
    say(f"3. A stranger's mail client delivers over SMTP to {host}:{port}")
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = STRANGER, agent.inbox.email, QUESTION
    mail["Message-ID"] = make_msgid(domain="customer.example")
    mail.set_content("Hello, it has been two weeks now. Where is it?")
    with smtplib.SMTP(host, port, timeout=PATIENCE) as server:
        server.sendmail(STRANGER, agent.inbox.email, mail.as_bytes())
    say(f"   accepted: {QUESTION!r} from {STRANGER}")
    return mail.as_bytes()


def _be_told(say: Say, receiver: Receiver, secret: str) -> dict[str, Any]:
    say("4. The webhook arrives, signed twice")
    posted = receiver.next()
    verify(posted, secret)
    event = json.loads(posted.body)
    expect(that=event["type"] == "message.received" and event["data"]["subject"] == QUESTION, saw=event)
    say(f"   {event['type']} {event['id']} of {event['environment']['slug']}: {event['data']['message_id']}")
    say("   Standard Webhooks signature and x-agentpost-signature are both right")
    return event


def verify(posted: Posted, secret: str) -> None:
    """Check both signatures.

    Raises WebhookVerificationError of the standardwebhooks library, or Unexpected for the one of AgentPost's own form.
    """
    Webhook(secret).verify(posted.body, posted.headers)
    signed = posted.headers["x-agentpost-timestamp"].encode() + b"." + posted.body
    right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    expect(that=hmac.compare_digest(right, posted.headers["x-agentpost-signature"]), saw=posted.headers)


def _read(say: Say, agent: Agent, message_id: str, sent: bytes) -> dict[str, Any]:
    say("5. The agent reads it over the API")
    message = _found(agent, f"/messages/{message_id}")
    expect(that=message["from_address"]["email"] == STRANGER, saw=message)
    say(f"   GET /messages/{message_id} → {message['extracted_text']!r}")
    raw = _found(agent, f"/messages/{message_id}/raw")
    expect(that=raw == sent, saw=raw)
    say(f"   GET /messages/{message_id}/raw → the {len(raw)} bytes that were sent")
    thread = _found(agent, f"/threads/{message['thread_id']}")
    expect(that=[row["id"] for row in thread["messages"]["data"]] == [message_id], saw=thread)
    say(f"   GET /threads/{thread['id']} → {thread['message_count']} message, {thread['subject']!r}")
    return message


def _found(agent: Agent, path: str) -> Any:
    answer = agent.ask("GET", path)
    expect(that=answer.status == HTTPStatus.OK, saw=answer)
    return answer.body


def _made(agent: Agent, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = agent.ask("POST", path, body)
    expect(that=answer.status == HTTPStatus.CREATED, saw=answer)
    return answer.body


def _look_from_outside(say: Say, outsider: Agent, message: dict[str, Any]) -> None:
    say(f"6. {outsider.environment.slug}'s key looks for it")
    listed = _found(outsider, "/messages")
    expect(that=message["id"] not in {row["id"] for row in listed["data"]}, saw=listed)
    for path, theirs in (
        ("/messages/{}", message["id"]),
        ("/messages/{}/raw", message["id"]),
        ("/threads/{}", message["thread_id"]),
    ):
        missing = new_id(theirs.partition("_")[0])
        foreign, unknown = (outsider.ask("GET", path.format(which)) for which in (theirs, missing))
        same = foreign.status == HTTPStatus.NOT_FOUND and _without_id(foreign) == _without_id(unknown)
        expect(that=same, saw=f"{foreign}, and for what does not exist {unknown}")
        say(f"   GET {path.format(theirs)} → 404, just as for {missing}, which does not exist")


def _without_id(answer: Answer) -> tuple[int, dict[str, Any]]:
    """Return the answer without the number of its request."""
    return answer.status, {**answer.body["error"], "request_id": None}


def _answer(say: Say, agent: Agent, message: dict[str, Any]) -> None:
    say("7. The agent answers, in an environment from which nothing leaves")
    mail = {"to": [STRANGER], "subject": f"Re: {message['subject']}", "text_body": "It will be with you tomorrow."}
    kept = _found(agent, f"/messages/{_made(agent, f'/inboxes/{agent.inbox.pk}/messages', mail)['id']}")
    expect(that=(kept["direction"], kept["status"]) == ("outbound", "captured"), saw=kept)
    recipient = kept["to_addresses"][0]["email"]
    say(f"   POST /inboxes/{agent.inbox.pk}/messages → 201 {kept['id']}")
    say(f"   {kept['subject']!r} to {recipient}: {kept['status']}, kept as it would have been sent")
