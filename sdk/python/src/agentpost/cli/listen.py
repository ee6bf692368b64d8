"""``agentpost listen``: webhooks on the developer's own machine, out of the event stream; nothing must reach it."""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, Optional
from urllib.parse import urlsplit

import typer

from agentpost.cli import terminal
from agentpost.cli.failures import Usage
from agentpost.cli.following import After, Events, Since, follow
from agentpost.cli.messages import InInbox
from agentpost.cli.profiles import Profiles
from agentpost.cli.session import Session, api_json, command
from agentpost.cli.signing import key_of, new_secret, signed

PATIENCE = 30.0  # seconds, as the server waits
OF_THE_SERVER = {"content-type": "application/json", "user-agent": "AgentPost-Webhooks/1"}


def add_to(program: typer.Typer) -> None:
    """Add the command to the program."""
    command(program, "listen")(listen)


def listen(
    session: Session,
    forward_to: Annotated[str, typer.Option("--forward-to", "-f", metavar="URL", help="Where to post events to.")],
    event: Events = None,
    inbox: InInbox = None,
    after: After = None,
    since: Since = None,
    secret: Annotated[
        Optional[str],
        typer.Option(envvar="AGENTPOST_WEBHOOK_SECRET", help="What to sign with; else this profile's own secret."),
    ] = None,
) -> None:
    """Post events to a program on this machine, as webhooks: the same body, headers and signatures. No retries."""
    url = _url(forward_to)
    used = secret or Profiles().listen_secret(session.credentials.profile, new_secret())
    key_of(used)
    log = follow(session, event, inbox, after, since)
    terminal.warn(f"Forwarding to {url}. Verify with the secret {used}")
    for happened in log:
        _report(session, _posted(url, used, api_json(happened)))


def _url(text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Usage(f"{text!r} is no URL to post to.", "Write it as http://localhost:3000/webhooks.")
    return url


def _posted(url: str, secret: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Post an event once, and return what came back."""
    import httpx2

    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()  # as the server writes it
    headers = {**OF_THE_SERVER, **signed(secret, event["id"], body, int(time.time()))}
    outcome: dict[str, Any] = {
        "event_id": event["id"],
        "type": event["type"],
        "ok": False,
        "status": None,
        "error": None,
    }
    began = time.monotonic()
    try:
        with httpx2.Client(timeout=PATIENCE, trust_env=False) as client:  # no proxy stands before this machine
            answer = client.post(url, content=body, headers=headers)
        outcome.update(ok=answer.is_success, status=answer.status_code)
    except httpx2.HTTPError as problem:
        outcome["error"] = str(problem) or type(problem).__name__
    return {**outcome, "duration_ms": round((time.monotonic() - began) * 1000)}


def _report(session: Session, outcome: Mapping[str, Any]) -> None:
    if session.as_json:
        terminal.write(terminal.as_json(outcome))
        return
    answer = terminal.one_line(outcome["error"] or outcome["status"])
    at = time.strftime("%H:%M:%S")
    head = f"{at}  {terminal.one_line(outcome['type']):24}  {terminal.one_line(outcome['event_id'])}"
    terminal.write(
        f"{head}  {terminal.painted(answer, 'green' if outcome['ok'] else 'red')}  {outcome['duration_ms']} ms"
    )
