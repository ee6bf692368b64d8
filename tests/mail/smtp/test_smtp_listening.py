"""Ports, the end of a process, and the mail clients of others."""

from __future__ import annotations

import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mail.smtp
from mail.smtp import Listeners

if TYPE_CHECKING:
    from tests.mail.smtp.conftest import Loop, Memory, Peer


SWAKS = shutil.which("swaks")

PROCESS = """
import sys, uuid
from mail.smtp import Recipient, SmtpOptions, serve

serve(
    SmtpOptions(hostname="mx.acme.example", hosts=("127.0.0.1",), port=int(sys.argv[1])),
    lambda address: Recipient(address, uuid.uuid4(), uuid.uuid4()),
    lambda arrival: None,
    lambda arrivals: [None] * len(arrivals),
)
"""


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_is_listened_on(listen: Callable[..., Listeners], connect: Callable[..., Peer], memory: Memory) -> None:
    front = listen(hosts=("127.0.0.1", "::1"))
    assert [address[0] for address in front.smtp] == ["127.0.0.1", "::1"]
    connect(front.smtp[1]).greet().begin().say("x", ".").hear()
    assert memory.stored[0].peer == "::1"


def test_several_processes_share_a_port(listen: Callable[..., Listeners]) -> None:
    first = listen()
    assert listen(port=first.smtp[0][1]).smtp == first.smtp


def test_a_port_of_somebody_else_is_an_error(listen: Callable[..., Listeners]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="address already in use"):
        listen(port=other.getsockname()[1])


def test_a_stop_lets_mails_in_progress_end_and_sends_the_others_away(
    loop: Loop,
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
    memory: Memory,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    front = listen()
    memory.gate.clear()
    idle = connect(front.smtp[0]).greet()
    within = connect(front.smtp[0]).greet().begin()
    storing = connect(front.smtp[0]).greet().begin().say("x", ".", "NOOP")
    eventually(lambda: memory.batches)
    stop = loop.begin(front.stop())
    assert [idle.hear()[:9], idle.hear()] == ["421 4.3.2", ""]
    with pytest.raises(ConnectionRefusedError):
        connect(front.smtp[0])
    within.say("y", ".")
    memory.gate.set()
    for peer in (within, storing):
        assert [peer.hear()[:9], peer.hear()[:9], peer.hear()] == ["250 2.0.0", "421 4.3.2", ""]
    stop.result(10)
    assert sorted(arrival.raw for arrival in memory.stored) == [b"x\r\n", b"y\r\n"]


def test_a_stop_does_not_wait_for_ever(
    loop: Loop,
    listen: Callable[..., Listeners],
    connect: Callable[..., Peer],
) -> None:
    front = listen(stop_timeout=0.1)
    peer = connect(front.smtp[0]).greet().begin()
    loop.run(front.stop())
    assert peer.hear() == ""


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a process that serves, on a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    root = Path(mail.smtp.__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", PROCESS, str(port)], cwd=root)
    yield process, port
    process.kill()
    process.wait()


def test_a_process_told_to_end_takes_the_mail_in_progress_first(
    process: tuple[subprocess.Popen[bytes], int],
    connect: Callable[..., Peer],
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    running, port = process
    peers: list[Peer] = []

    def is_there() -> bool:
        try:
            peers.append(connect(("127.0.0.1", port)))
        except ConnectionRefusedError:
            return False
        return True

    eventually(is_there)
    within = peers[0].greet().begin()
    idle = connect(("127.0.0.1", port)).greet()
    running.send_signal(signal.SIGTERM)
    assert idle.hear().startswith("421 4.3.2")
    assert within.say("x", ".").hear() == "250 2.0.0 Stored"
    assert running.wait(10) == 0


def test_smtplib_delivers(front: Listeners, memory: Memory) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "käthe@globex.example", "agent@acme.example", "Grüße"
    message.set_content("ä\n.\n..\n" * 1000)
    with smtplib.SMTP(*front.smtp[0]) as client:
        client.send_message(message)
    assert memory.stored[0].raw.count(b"\r\n.\r\n") == 1000


@pytest.mark.skipif(SWAKS is None, reason="swaks is not installed")
@pytest.mark.parametrize("protocol", ["SMTP", "ESMTP", "LMTP"])
@pytest.mark.parametrize("options", [[], ["--pipeline"]], ids=str)
def test_swaks_delivers(
    listen: Callable[..., Listeners],
    memory: Memory,
    protocol: str,
    options: list[str],
) -> None:
    front = listen(lmtp_port=0)
    host, port = (front.lmtp if protocol == "LMTP" else front.smtp)[0]
    arguments: list[Any] = ["--server", host, "--port", str(port), "--protocol", protocol, "--to", "agent@acme.example"]
    done = subprocess.run([SWAKS, *arguments, *options], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    assert [recipient.address for recipient in memory.stored[0].recipients] == ["agent@acme.example"]
