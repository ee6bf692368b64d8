"""The supervisor, with real processes under it."""

import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.management.commands import serve
from agentpost_site.supervisor import Log, port_is_free

ROOT = Path(__file__).parents[2]

SUPERVISE = """
import sys
from agentpost_site.supervisor import Child, Supervisor
with Supervisor(grace=1) as supervisor:
    for number, script in enumerate(sys.argv[1:]):
        supervisor.start(Child(f"child-{number}", [sys.executable, "-c", script], layer=number))
    supervisor.run()
"""
PATIENT = "import os, time; print('pid', os.getpid()); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {PATIENT!r}]); {PATIENT}"
UNTERMINATED = "import sys, time; sys.stdout.write('half a line'); sys.exit(3)"


class Supervised:
    """A supervisor in a process of its own, and the log it writes."""

    def __init__(self, log: Path, *scripts: str) -> None:
        self.log = log
        with log.open("wb") as stream:
            command = [sys.executable, "-c", SUPERVISE, *scripts]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream)

    def pids(self, name: str) -> list[int]:
        """Return the processes that ever said their number under that name."""
        said = [line for line in self.log.read_text().splitlines() if line.startswith(name) and "| pid " in line]
        return [int(line.rsplit(" ", 1)[1]) for line in said]

    def wait_for(self, name: str, count: int = 1) -> list[int]:
        wait_until(lambda: len(self.pids(name)) >= count, f"{count} of {name}")
        return self.pids(name)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def wait_until(question: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not question():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(*scripts: str) -> Supervised:
        started.append(Supervised(tmp_path / f"log-{len(started)}", *scripts))
        return started[-1]

    yield start
    for supervised in started:
        if supervised.process.poll() is None:
            supervised.stop(signal.SIGKILL)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_killed_child_is_started_again(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(PATIENT)
    [first] = supervised.wait_for("child-0")
    os.kill(first, signal.SIGKILL)
    second = supervised.wait_for("child-0", count=2)[1]
    assert second != first
    assert "child-0    | ended (killed by SIGKILL); starting again in 0.2 s" in supervised.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_child(supervise: Callable[..., Supervised], number: signal.Signals) -> None:
    supervised = supervise(PATIENT, PATIENT)
    pids = supervised.wait_for("child-0") + supervised.wait_for("child-1")
    assert supervised.stop(number) == 0
    assert [is_gone(pid) for pid in pids] == [True, True]


def test_the_highest_layer_is_stopped_first(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(PATIENT, STUBBORN, PATIENT)
    for number in range(3):
        supervised.wait_for(f"child-{number}")
    supervised.stop()
    assert [line for line in supervised.log.read_text().splitlines() if "stopped" in line] == [
        "child-2    | stopped (killed by SIGTERM)",
        "child-1    | stopped (killed by SIGKILL)",
        "child-0    | stopped (killed by SIGTERM)",
    ]


def test_a_dead_child_takes_along_what_it_started_itself(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(PARENT)
    parent, grandchild = supervised.wait_for("child-0", count=2)
    os.kill(supervised.process.pid, 0)
    direct = psutil.Process(supervised.process.pid).children()[0].pid
    os.kill(direct, signal.SIGKILL)
    wait_until(lambda: is_gone(parent) and is_gone(grandchild), "the whole group")


def test_children_end_when_the_supervisor_is_killed(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(PATIENT, PATIENT)
    pids = supervised.wait_for("child-0") + supervised.wait_for("child-1")
    supervised.stop(signal.SIGKILL)
    wait_until(lambda: all(map(is_gone, pids)), "the children")


def test_a_child_that_keeps_dying_is_started_less_and_less_often(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(UNTERMINATED)
    wait_until(lambda: "again in 0.8 s" in supervised.log.read_text(), "the third pause")
    assert supervised.log.read_text().splitlines()[:4] == [
        "child-0    | half a line",
        "child-0    | ended (status 3); starting again in 0.2 s",
        "child-0    | half a line",
        "child-0    | ended (status 3); starting again in 0.4 s",
    ]


def test_a_program_that_is_missing_is_reported_and_tried_again(tmp_path: Path) -> None:
    script = SUPERVISE.replace("[sys.executable,", "['/no/such/program',")
    with subprocess.Popen([sys.executable, "-c", script, ""], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
    assert line.startswith("child-0    | cannot start: ")
    assert line.endswith("trying again in 0.2 s\n")


def test_a_port_with_a_listener_is_taken_until_it_closes(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    assert not port_is_free(host, port)
    listener.close()
    assert port_is_free(host, port)


def test_a_listener_that_shares_its_port_takes_it_all_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener:
        assert not port_is_free(*listener.getsockname())


@pytest.mark.parametrize("name", ["HTTP", "SMTP", "LMTP"])
def test_serve_names_the_taken_port_and_the_setting_that_changes_it(
    name: str,
    listener: socket.socket,
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(serve, "PATIENCE_FOR_PORTS", 0)
    for other in ("HTTP", "SMTP", "LMTP"):
        setattr(settings, f"AGENTPOST_{other}_PORT", port if other == name else 0)
    with pytest.raises(SystemExit) as ended:
        serve.Command().handle()
    assert ended.value.code == f"Port {port} is taken; set AGENTPOST_{name}_PORT to another one."


def test_serve_says_that_it_runs_already_where_another_one_holds_the_data(
    listener: socket.socket, settings: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "PATIENCE_FOR_PORTS", 0)
    settings.AGENTPOST_HTTP_PORT = listener.getsockname()[1]  # type: ignore[attr-defined]
    settings.EMBEDDED_POSTGRES = EmbeddedPostgres(tmp_path)  # type: ignore[attr-defined]
    with (tmp_path / "postgres.supervisor.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match=f"^AgentPost runs already with the data in {tmp_path}: see http"):
            serve.Command().handle()


def test_serve_ends_with_that_one_line_and_status_1(listener: socket.socket) -> None:
    port = str(listener.getsockname()[1])
    result = subprocess.run(
        [sys.executable, ROOT / "manage.py", "serve"],
        env={**os.environ, "AGENTPOST_HTTP_PORT": port},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    line = f"Port {port} is taken; set AGENTPOST_HTTP_PORT to another one.\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"event":"hello"}\n', {"event": "hello"}),
        (b"not an object\n", {"process": "web", "event": "not an object"}),
        (b"\xff\n", {"process": "web", "event": "\ufffd"}),
    ],
)
def test_a_log_of_json_has_one_object_a_line_whoever_writes(line: bytes, told: dict[str, str]) -> None:
    stream = io.BytesIO()
    Log(stream, coloured=False, as_json=True).line("web", line)
    assert json.loads(stream.getvalue()) == told
