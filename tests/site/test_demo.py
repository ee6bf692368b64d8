"""The demo, end to end, as `make demo` runs it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from agentpost_site.demo.receiver import Posted
from agentpost_site.demo.story import Unexpected, verify
from environments import clock
from webhooks.signing import new_secret, sign

ROOT = Path(__file__).parents[2]
NO_DATABASE = {"DJANGO_SETTINGS_MODULE": "agentpost_site.settings", "DATABASE_URL": "postgresql:///nowhere"}
BODY = b'{"type":"message.received"}'


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def demo(free_port: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo where no server answers, and without a database of its own to wait for."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env={**os.environ, **NO_DATABASE, "AGENTPOST_HTTP_PORT": str(free_port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)  # so that it stops what it started
        process.wait(timeout=60)


def test_the_demo_shows_every_step_against_a_server_of_its_own(demo: "subprocess.Popen[str]") -> None:
    told, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, told
    steps = [line for line in told.splitlines() if line[:1].isdigit()]
    assert [step.partition(".")[0] for step in steps] == ["1", "2", "3", "4", "5", "6", "7"]
    assert told.endswith("All is as it should be.\n")


def test_the_demo_fails_on_one_line_when_it_may_not_start_a_server(free_port: int) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "demo", "--running"],
        cwd=ROOT,
        env={**os.environ, **NO_DATABASE, "AGENTPOST_HTTP_PORT": str(free_port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [f"CommandError: No server answers at http://127.0.0.1:{free_port}."]


def test_the_demo_accepts_a_webhook_that_is_signed_twice() -> None:
    secret = new_secret()
    verify(Posted(sign([secret], "evt_1", BODY, clock.now()), BODY), secret)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [("webhook-signature", WebhookVerificationError), ("x-agentpost-signature", Unexpected)],
)
def test_the_demo_notices_either_signature_being_another_secrets(header: str, complaint: type[Exception]) -> None:
    secret, now = new_secret(), clock.now()
    headers = sign([secret], "evt_1", BODY, now)
    headers[header] = sign([new_secret()], "evt_1", BODY, now)[header]
    with pytest.raises(complaint):
        verify(Posted(headers, BODY), secret)
