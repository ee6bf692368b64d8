"""Run an example against the AgentPost of this checkout, with keys of its own that are revoked at the end.

``make run`` shows its first key once and keeps no copy, so an example cannot read it. The operator of the machine can
have keys made, by manage.py beside the running server; that is what happens here.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORGANIZATION = os.environ.get("AGENTPOST_ORGANIZATION", "my-organization")  # what the first start makes
BASE_URL = os.environ.get("AGENTPOST_BASE_URL") or f"http://127.0.0.1:{os.environ.get('AGENTPOST_HTTP_PORT', '8000')}"
SMTP = os.environ.get("AGENTPOST_SMTP") or f"127.0.0.1:{os.environ.get('AGENTPOST_SMTP_PORT', '2525')}"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LIFE = timedelta(hours=1)  # of a key, should it outlive the run
PYTHON = os.environ.get("EXAMPLES_PYTHON") or sys.executable  # the example's; manage.py runs with the server's
PROPOSES = "inboxes:*,messages:read,threads:*,drafts:*,events:read"
# What each program is, and the scopes of the keys that it gets; a key for the whole organization has no environment.
EXAMPLES = {
    "support_triage": {
        "program": "triage.py",
        "environment": "example-support",
        "keys": {"AGENTPOST_API_KEY": PROPOSES, "AGENTPOST_REVIEWER_KEY": "drafts:read,drafts:approve"},
    },
    "signup_bot": {
        "program": "bot.py",
        "environment": "example-signup",
        "keys": {"AGENTPOST_API_KEY": "inboxes:*,messages:read"},
    },
    "customer_onboarding": {"program": "onboard.py", "environment": None, "keys": {"AGENTPOST_API_KEY": "*"}},
}


def main() -> int:
    """Run the example that the first argument names, with the other arguments."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in EXAMPLES:
        sys.exit(f"Name one of: {', '.join(EXAMPLES)}")
    check_server()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the keys are revoked then too
    example, made = EXAMPLES[name], []
    environment = create_environment(example["environment"]) if example["environment"] else None
    steward = create_key("Steward of an example", "api_keys:*", None)
    try:
        for variable, scopes in example["keys"].items():
            made.append((variable, create_key(f"Example {name}", scopes, environment)))
        keys = {variable: key["key"] for variable, key in made}
        program = [PYTHON, str(ROOT / "examples" / name / example["program"]), *arguments]
        return subprocess.call(
            program, env={**inherited(), "AGENTPOST_BASE_URL": BASE_URL, "AGENTPOST_SMTP": SMTP, **keys}
        )
    except KeyboardInterrupt:
        return 130
    finally:
        for key in (*(key for _, key in made), steward):
            revoke(key["id"], steward["key"])


def inherited() -> dict[str, str]:
    """Return the variables of this process, less the environment of another key."""
    return {name: value for name, value in os.environ.items() if name != "AGENTPOST_ENVIRONMENT"}


def check_server() -> None:
    """End with a sentence unless the server is of this machine, answers, and takes in mail."""
    if urllib.parse.urlsplit(BASE_URL).hostname not in LOOPBACK:
        sys.exit(f"{BASE_URL} is another machine, where keys of this one are not sent. Unset AGENTPOST_BASE_URL.")
    try:
        urllib.request.urlopen(f"{BASE_URL}/healthz", timeout=10).close()
    except (urllib.error.URLError, OSError):
        sys.exit(f"{BASE_URL} does not answer. Start AgentPost in another terminal: make run")
    host, _, port = SMTP.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (ValueError, OSError):
        sys.exit(f"No mail is taken in at {SMTP}. Set AGENTPOST_SMTP_PORT as for make run.")


def create_environment(slug: str) -> str:
    """Have the example's environment, made by the first run of it."""
    words = slug.replace("-", " ").capitalize()
    return manage("create_environment", "--organization", ORGANIZATION, "--name", words, "--slug", slug)["slug"]


def create_key(name: str, scopes: str, environment: "str | None") -> dict[str, str]:
    """Have a fresh key for an hour, for one environment or for the whole organization."""
    reach = ["--environment", environment] if environment else []
    reach += ["--expires-at", (datetime.now(UTC) + LIFE).isoformat()]
    named = f"{name} {secrets.token_hex(4)}"
    return manage("create_api_key", "--organization", ORGANIZATION, "--name", named, "--scopes", scopes, *reach)


def manage(*command: str) -> dict[str, str]:
    """Run a command of manage.py beside the server, and return what it made."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command, "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)  # it has said why
    return json.loads(done.stdout)


def revoke(key_id: str, secret: str) -> None:
    """Revoke a key. One that cannot be revoked now ends with its hour."""
    url, headers = f"{BASE_URL}/api/v1/api-keys/{key_id}", {"Authorization": f"Bearer {secret}"}
    with suppress(OSError):
        urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE"), timeout=30).close()


if __name__ == "__main__":
    sys.exit(main())
