"""A sign-up bot: take a fresh address, sign up with it, wait for the one-time code, and enter it."""

import json
import os
import sys
import urllib.request
from typing import Any

from agentpost import AgentPost
from service import SENDER, running_service

SMTP = os.environ.get("AGENTPOST_SMTP", "127.0.0.1:2525")


def main() -> None:
    """Sign up to the service that runs beside this program."""
    with AgentPost() as agent, running_service(SMTP) as service:
        inbox = agent.inboxes.create(display_name="Sign-up bot")
        print(f"1. A fresh address: {inbox.email}")
        try:
            account = sign_up(agent, inbox.id, inbox.email, service)
        finally:
            agent.inboxes.delete(inbox.id)
        print(f"4. Signed up as {account}. The address is gone again.")


def sign_up(agent: AgentPost, inbox_id: str, email: str, service: str) -> str:
    """Sign up with an address, and return the account."""
    since = agent.messages.wait(inbox_id, timeout=0).now  # before the mail is asked for, so that it cannot be missed
    post(f"{service}/sign-up", {"email": email})
    print(f"2. Signed up at {service}; waiting for the code.")
    found = agent.messages.wait(inbox_id, since=since, from_=SENDER, timeout=60)
    if found.message is None or not found.one_time_codes:
        sys.exit("The service sent no code within a minute.")
    code = choose(found.one_time_codes)
    print(f"3. The mail {found.message.subject!r} holds the code {code}.")
    return str(post(f"{service}/verify", {"email": email, "code": code})["account"])


def choose(codes: list[str]) -> str:
    """Return the code to enter: the likeliest comes first. A model of yours may look at the mail instead."""
    return codes[0]


def post(url: str, body: dict[str, str]) -> Any:
    """Post a form to the service, and return its answer."""
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
