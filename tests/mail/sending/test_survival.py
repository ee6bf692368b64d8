"""The sender is killed at every step of a hand-over; what was acknowledged is not sent again, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings

from tests.mail.sending.conftest import Post
from tests.mail.sink import HANG, Slow

PATIENCE = 30.0


@contextmanager
def running() -> Iterator[subprocess.Popen[bytes]]:
    """Run the process as a user does, on the database of the test."""
    default, blobs = settings.DATABASES["default"], settings.STORAGES["default"]["OPTIONS"]["location"]
    environment = {
        **os.environ,
        "DATABASE_URL": settings.EMBEDDED_POSTGRES.url(default["USER"], default["NAME"]),
        "AGENTPOST_DATA_DIR": str(blobs.parent),
        "AGENTPOST_SECRET_KEY": settings.SECRET_KEY,
        "AGENTPOST_RELAY_URL": settings.AGENTPOST_RELAY_URL,
    }
    command = [sys.executable, "manage.py", "send_mail", "--skip-checks"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(question: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def heard(post: Post, verb: str) -> Callable[[], bool]:
    return lambda: any(line.upper().startswith(verb) for line in post.sink.heard)


STEPS = [  # where the sink hangs when the sender is killed, how to see that it came so far, copies in the end
    ("banner", HANG, lambda post: lambda: post.sink.connections, 1),
    ("mail", HANG, lambda post: heard(post, "MAIL"), 1),
    ("rcpt", HANG, lambda post: heard(post, "RCPT"), 1),
    ("data", HANG, lambda post: heard(post, "DATA"), 1),
    ("end", Slow(PATIENCE), lambda post: lambda: post.sink.taken, 2),  # taken, and not told: nobody can know
]


@pytest.mark.parametrize(("stage", "action", "seen", "copies"), STEPS, ids=[step[0] for step in STEPS])
def test_a_killed_sender_loses_nothing(
    post: Post, stage: str, action: object, seen: Callable[[Post], Callable[[], Any]], copies: int
) -> None:
    post.sink.once(stage, action)
    message = post.send()
    with running() as process:
        eventually(seen(post))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert post.run() == 0  # its lease has not ended
    post.make_due()
    post.run()
    assert post.read(message)["status"] == "sent"
    assert post.sink.copies(message["message_id_header"]) == copies
    assert sum(mail.acknowledged for mail in post.sink.taken) == 1


def test_what_was_acknowledged_is_not_sent_again_after_a_kill(post: Post) -> None:
    messages = [post.send(subject=str(number)) for number in range(20)]
    with running() as process:
        eventually(lambda: sum(post.read(message)["status"] == "sent" for message in messages) >= 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    recorded = [message for message in messages if post.read(message)["status"] == "sent"]
    for _ in range(3):
        post.make_due()
        post.run()
    assert all(post.read(message)["status"] == "sent" for message in messages)
    assert all(post.sink.copies(message["message_id_header"]) >= 1 for message in messages)
    assert all(post.sink.copies(message["message_id_header"]) == 1 for message in recorded)


def test_the_command_sends_what_is_committed_and_stops_when_told(post: Post) -> None:
    with running() as process:
        message = post.send()
        eventually(lambda: post.read(message)["status"] == "sent")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
