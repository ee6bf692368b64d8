"""The program itself: how it ends, what it loads, and how shells complete it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from tests.clients.cli.conftest import SDK, Cli, program
from tests.clients.conftest import Place
from tests.site.instance import free_port

HOW_IT_ENDS = [  # what is typed, the status, and what the line on stderr says
    (["messages", "get", "msg_00000000000000000000000000"], 1, r"^agentpost: not_found: .+ \(req_\w+\)$"),
    (["inboxes", "create", "a@foreign.example"], 1, r"address_not_available: .+POST /domains"),
    (["nonsense"], 2, r"No such command .*Try agentpost --help\."),
    (["messages", "get"], 2, r"Missing argument .*Try agentpost messages get --help\."),
    (["messages", "list", "--limit", "-1"], 2, r"--limit"),
    (["send", "--to", "a@b.example", "--subject", "x", "--attach", "/nowhere"], 2, r"/nowhere"),
    (["messages", "get", " "], 2, r"The id behind 'messages' is missing"),
    (["environments", "get", "env_1", "--environment", "Gr\u00fc\u00dfe"], 2, r"AgentPost-Environment cannot be"),
    (["tail", "--after", "\u00e9"], 2, r"Last-Event-ID cannot be"),
    (["login", "--base-url", "localhost:8000", "--api-key", "ap_sk_dev_x"], 2, r"is no URL"),
]


@pytest.mark.parametrize(("typed", "status", "told"), HOW_IT_ENDS, ids=[" ".join(typed) for typed, *_ in HOW_IT_ENDS])
def test_what_cannot_be_done_ends_with_one_line_and_its_status(
    cli: Cli, typed: list[str], status: int, told: str
) -> None:
    assert re.search(told, cli.failure(*typed, status=status))


def test_a_key_that_is_not_valid_or_may_not_ends_with_3(cli: Cli, make_place: Any) -> None:
    wrong = Cli(cli.home, {**cli.variables, "AGENTPOST_API_KEY": "ap_sk_dev_wrong"})
    assert "unauthenticated" in wrong.failure("whoami", status=3)
    poor = Cli(cli.home, {**cli.variables, "AGENTPOST_API_KEY": make_place("inboxes:read").api_key})
    assert "missing_scope" in poor.failure("messages", "list", status=3)


def test_a_server_that_does_not_answer_ends_with_4(cli: Cli) -> None:
    away = Cli(cli.home, {**cli.variables, "AGENTPOST_BASE_URL": f"http://127.0.0.1:{free_port()}"})
    assert "doctor" in away.failure("whoami", status=4)


def test_a_reader_that_goes_away_is_no_error(cli: Cli, place: Place) -> None:
    for _ in range(3):
        cli.run("inboxes", "create")
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*program(), "inboxes", "list"], stdout=write, stderr=subprocess.PIPE, env=cli.environ, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}])
def test_nothing_is_coloured_where_nobody_looks(cli: Cli, variables: dict[str, str]) -> None:
    plain = Cli(cli.home, {**cli.variables, **variables})
    assert b"\x1b" not in plain.run("inboxes", "create").stdout + plain.run("inboxes", "list").stdout
    assert b"\x1b" not in plain.run("--help").stdout + plain.run("doctor").stdout


def test_help_is_there_before_anything_heavy_is_loaded() -> None:
    look = "import sys; from agentpost.cli import app; print(*sorted({'httpx2', 'rich', 'anyio'} & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", look],
        env={**os.environ, "PYTHONPATH": str(SDK / "src")},
        capture_output=True,
        check=True,
        text=True,
    )
    assert loaded.stdout.split() == []


def test_the_version_is_the_packages(cli: Cli) -> None:
    where = tomllib.loads((SDK / "pyproject.toml").read_text())["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{cli.text("--version").strip()}"\n' in (SDK / where).read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_each_shell_is_one(cli: Cli, shell: str) -> None:
    script = cli.run("completion", shell).stdout
    assert b"_AGENTPOST_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here to read it")
    assert subprocess.run([shell, "-n"], input=script, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("words", "offered"),
    [("agentpost mess", {"messages"}), ("agentpost drafts re", {"reject"}), ("agentpost tail --js", {"--json"})],
)
def test_commands_and_options_are_completed(cli: Cli, words: str, offered: set[str]) -> None:
    asked = {"_AGENTPOST_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert set(Cli(cli.home, {**cli.variables, **asked}).text().split()) == offered


@pytest.mark.parametrize("group", ["environments", "inboxes", "messages", "threads", "drafts", "webhooks"])
def test_every_command_says_what_it_does(cli: Cli, group: str) -> None:
    told = cli.text(group, "--help").partition("Commands:")[2]
    for line in told.strip().splitlines():
        name, _, about = line.strip().partition(" ")
        assert about.strip(), name
        assert "--json" in cli.text(group, name, "--help")


def test_webhooks_are_made_tried_and_taken_away(cli: Cli) -> None:
    made = cli.json("webhooks", "create", f"http://127.0.0.1:{free_port()}/hook", "--event", "message.*")
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in cli.text("webhooks", "list")
    assert (
        cli.json("webhooks", "trigger", made["id"], "--event", "message.received")["event_type"] == "message.received"
    )
    [delivery] = cli.json("webhooks", "deliveries", made["id"])
    assert cli.json("webhooks", "resend", delivery["id"])["id"] == delivery["id"]
    cli.run("webhooks", "delete", made["id"], "--yes")
    assert cli.json("webhooks", "list") == []
