"""Logging in: what is kept, where, and which of several words counts."""

import json
import os
import pty
import select
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.cli.conftest import PATIENCE, Cli, program
from tests.clients.conftest import Place


@pytest.fixture
def logged_in(stranger: Cli, place: Place) -> Cli:
    stranger.run("login", "--base-url", place.base_url, given=place.api_key.encode() + b"\n")
    return stranger


def test_a_key_that_is_piped_in_is_kept_where_only_its_owner_reads(logged_in: Cli, place: Place) -> None:
    assert stat.S_IMODE(logged_in.profiles.stat().st_mode) == 0o600
    assert stat.S_IMODE(logged_in.profiles.parent.stat().st_mode) == 0o700
    kept = json.loads(logged_in.profiles.read_text())["profiles"]["default"]
    assert kept == {"base_url": place.base_url, "api_key": place.api_key, "environment": None}


def test_a_file_that_others_could_read_is_closed_by_the_next_login(logged_in: Cli, place: Place) -> None:
    logged_in.profiles.chmod(0o644)
    logged_in.run("login", "--base-url", place.base_url, given=place.api_key.encode())
    assert stat.S_IMODE(logged_in.profiles.stat().st_mode) == 0o600


def test_whoami_tells_what_the_key_is_and_never_the_key(logged_in: Cli, place: Place) -> None:
    shown = logged_in.text("whoami")
    assert place.environment["slug"] in shown
    assert "messages:*" in shown
    told = logged_in.run("whoami", "--json").stdout.decode()
    assert json.loads(told)["base_url"] == place.base_url
    assert place.api_key not in shown + told + logged_in.text("profiles") + logged_in.text("doctor")


def test_a_key_that_the_server_does_not_know_is_not_kept(stranger: Cli, place: Place) -> None:
    wrong = place.api_key[:-1] + ("a" if place.api_key[-1] != "a" else "b")
    line = stranger.failure("login", "--base-url", place.base_url, given=wrong.encode(), status=3)
    assert "unauthenticated" in line
    assert wrong not in line
    assert not stranger.profiles.exists()


def test_without_a_key_on_standard_input_nothing_is_asked_of_the_server(stranger: Cli, place: Place) -> None:
    assert "no key" in stranger.failure("login", "--base-url", place.base_url, status=2)


def test_a_person_is_asked_for_both_and_the_key_is_not_shown(stranger: Cli, place: Place) -> None:
    seen = typed(stranger, ["login"], [(b"Base URL", place.base_url), (b"(not shown): ", place.api_key)])
    assert place.api_key.encode() not in seen
    assert place.api_key in stranger.profiles.read_text()


def typed(cli: Cli, arguments: list[str], answers: list[tuple[bytes, str]]) -> bytes:
    """Run a command on a terminal, answer its questions, and return all that the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = [*program(), *arguments]
        os.execve(command[0], command, {**cli.environ, "TERM": "xterm"})  # noqa: S606 - the program under test
    seen, waiting = b"", list(answers)
    for chunk in read(terminal):
        seen += chunk
        if waiting and waiting[0][0] in seen:
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
    return seen


def read(terminal: int) -> Iterator[bytes]:
    try:
        while select.select([terminal], [], [], PATIENCE)[0] and (chunk := os.read(terminal, 4096)):
            yield chunk
    except OSError:  # Linux says so when the program has ended
        os.close(terminal)


def test_profiles_stand_side_by_side(logged_in: Cli, make_place: Any) -> None:
    other = make_place(name="Other")
    logged_in.run("login", "--profile", "other", "--base-url", other.base_url, given=other.api_key.encode())

    def seen(**variables: str) -> str:
        return str(Cli(logged_in.home, variables).json("environments", "list")[0]["id"])

    assert seen() != seen(AGENTPOST_PROFILE="other") == other.environment["id"]
    assert logged_in.json("environments", "list", "--profile", "other")[0]["id"] == other.environment["id"]
    assert [row["profile"] for row in logged_in.json("profiles")] == ["default", "other"]


def test_a_profile_may_stand_before_the_command_and_the_one_behind_it_wins(logged_in: Cli, make_place: Any) -> None:
    other = make_place()
    before = ("--profile", "other")
    logged_in.run(*before, "login", "--base-url", other.base_url, given=other.api_key.encode())
    assert logged_in.json(*before, "whoami")["environments"][0]["id"] == other.environment["id"]
    behind = logged_in.json(*before, "whoami", "--profile", "default")
    assert behind["environments"][0]["id"] != other.environment["id"]


def test_a_key_in_the_variables_wins_over_the_profile_but_not_over_the_option(
    logged_in: Cli, place: Place, make_place: Any
) -> None:
    other = make_place(name="Other")
    both = Cli(logged_in.home, {"AGENTPOST_API_KEY": other.api_key, "AGENTPOST_BASE_URL": other.base_url})
    assert both.json("environments", "list")[0]["id"] == other.environment["id"]
    assert both.json("environments", "list", "--profile", "default")[0]["id"] == place.environment["id"]


def test_the_key_of_a_profile_goes_to_no_other_server(logged_in: Cli) -> None:
    elsewhere = Cli(logged_in.home, {"AGENTPOST_BASE_URL": "http://127.0.0.1:9"})
    assert "AGENTPOST_BASE_URL" in elsewhere.failure("whoami", status=3)


def test_logging_out_forgets_the_key(logged_in: Cli, place: Place) -> None:
    logged_in.run("logout")
    assert place.api_key not in logged_in.profiles.read_text()
    assert "login" in logged_in.failure("whoami", status=3)


def test_a_file_of_profiles_that_is_broken_is_named(logged_in: Cli) -> None:
    logged_in.profiles.write_text("{")
    assert str(logged_in.profiles) in logged_in.failure("whoami", status=3)


def test_a_profile_works_in_the_environment_that_it_was_told_to_use(
    stranger: Cli, owner_key: str, place: Place
) -> None:
    stranger.run("login", "--base-url", place.base_url, given=owner_key.encode())
    stranger.run("environments", "use", place.environment["id"])
    made = stranger.json("inboxes", "create")
    assert made["environment_id"] == place.environment["id"]
    assert stranger.json("inboxes", "list", "--environment", "production") == []


def test_an_environment_that_the_key_does_not_reach_cannot_be_used(logged_in: Cli) -> None:
    assert "not_found" in logged_in.failure("environments", "use", "production", status=1)
