"""Onboard two customers, each behind a wall of their own, and prove that neither sees the other's mail.

Each gets an environment, a key that reaches nothing else, an inbox, and a webhook with a secret of its own.
"""

import argparse
import os
import smtplib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid

from agentpost import AgentPost, NotFoundError, webhooks
from agentpost.models import Environment, Inbox, Message
from receiver import Receiver, receiving

SMTP = os.environ.get("AGENTPOST_SMTP", "127.0.0.1:2525")
SCOPES = ["inboxes:read", "messages:read", "messages:send", "threads:read", "events:read"]
NOBODYS = "msg_00000000000000000000000000"


@dataclass(frozen=True)
class Customer:
    """What one customer has."""

    name: str
    environment: Environment
    inbox: Inbox
    key: str
    webhook_secret: str
    since: datetime
    """When it was onboarded, by the server's clock: an earlier run may have kept its mail."""

    def client(self) -> AgentPost:
        """Return a client with the customer's key, as the customer's agent has it."""
        return AgentPost(api_key=self.key)


def main() -> None:
    """Onboard, receive, and try to look over the wall."""
    options = arguments()
    with (
        AgentPost() as ours,
        receiving() as receiver,
        onboarded(ours, "Acme", receiver, options.keep) as acme,
        onboarded(ours, "Northwind", receiver, options.keep) as northwind,
    ):
        for customer in (acme, northwind):
            mail_comes_in(customer)
            print(f"   {customer.name} is told by webhook: {told(customer, receiver)}")
        prove(acme, northwind)
        prove(northwind, acme)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave the environments there, to look at in the console")
    return parser.parse_args()


@contextmanager
def onboarded(ours: AgentPost, name: str, receiver: Receiver, keep: bool) -> Iterator[Customer]:
    """Give a customer all that it needs, and take it away at the end."""
    slug = f"example-{name.lower()}"
    environment = ours.environments.create(name=f"Example {name}", slug=slug, client_id=slug)
    key = ours.api_keys.create(
        name=f"Example key of {name}",
        scopes=SCOPES,
        environment_ids=[environment.id],
        expires_at=ours.me().expires_at,  # no key may outlive the one that makes it
    )
    inbox = ours.inboxes.create(
        username="hello", display_name=name, client_id="example-onboarding", environment_id=environment.id
    )
    endpoint = ours.webhook_endpoints.create(
        url=f"{receiver.url}/{environment.slug}", events=["message.received"], environment_id=environment.id
    )
    since = ours.with_options(environment=environment.id).messages.wait(inbox.id, timeout=0).now
    print(f"1. {name}: {environment.slug}, {inbox.email}, key {key.id} for {len(key.environment_ids)} environment.")
    try:
        yield Customer(name, environment, inbox, key.key, endpoint.secret, since)
    finally:
        ours.api_keys.delete(key.id)
        ours.webhook_endpoints.delete(endpoint.id)  # its receiver ends with this program
        if not keep:
            ours.environments.delete(environment.id, force=True)


def told(customer: Customer, receiver: Receiver) -> str:
    """Return the subject that the customer's webhook told of, once its signature has been verified."""
    posted = receiver.next(f"/{customer.environment.slug}")
    event = webhooks.verify(posted.body, posted.headers, customer.webhook_secret)
    return str(event.data["subject"])


def prove(looking: Customer, other: Customer) -> None:
    """Show that a customer's key sees its own mail, and of the other's not even that it is there."""
    with looking.client() as mine, other.client() as theirs:
        own = [message.subject for message in mail_of(mine, looking)]
        secret = mail_of(theirs, other)[0]
        there, nowhere = refusal(mine, secret.id), refusal(mine, NOBODYS)
    if own != [subject_for(looking)] or there != nowhere:
        sys.exit(f"{looking.name} sees what it must not: {own}, {there}")
    print(f"2. {looking.name} sees {own}. Asked for the mail of {other.name}: {there[0]}, as for one that never was.")


def mail_of(client: AgentPost, customer: Customer) -> list[Message]:
    """Return all that a customer's key sees of the mail of this run."""
    return list(client.messages.list(after=customer.since))


def refusal(client: AgentPost, message_id: str) -> tuple[str, str]:
    """Return how a message is refused."""
    try:
        client.messages.get(message_id)
    except NotFoundError as refused:
        return refused.code, refused.message
    sys.exit(f"{message_id} was shown, and must not be.")


def subject_for(customer: Customer) -> str:
    """Return the subject of the customer's mail."""
    return f"For {customer.name} only"


def mail_comes_in(customer: Customer) -> None:
    """Send a mail to the customer's inbox, as any mail server would."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@elsewhere.example", customer.inbox.email, subject_for(customer)
    mail["Message-ID"] = make_msgid(domain="elsewhere.example")
    mail.set_content("Nobody else may read this.")
    host, port = SMTP.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.send_message(mail)


if __name__ == "__main__":
    main()
