"""What a stranger writes is shown, and never obeyed by the terminal."""

import json
import re
from typing import Any

import pytest
from agentpost.cli import terminal

from tests.clients.cli.conftest import Cli
from tests.clients.conftest import Place

OBEYED = re.compile(b"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
TITLE = "\x1b]0;pwned\x07"
HOSTILE = f"{TITLE}\x1b[2J\x1b[31mred\x9b1m \u202egnp.exe\u2066 \u200b [bold]not markup[/bold] :smile:"
TEXT = f"First line\r\n{HOSTILE}\r\nlast line\r\n"


@pytest.fixture
def hostile(cli: Cli, place: Place, inbox: dict[str, Any]) -> str:
    """Return the id of a mail that tries to write to the terminal with every field that a sender fills in."""
    safe = HOSTILE.replace("\r", "").replace("\n", "")
    encoded = f"=?utf-8?q?{''.join(f'={byte:02X}' for byte in safe.encode())}?="
    raw = (
        f"From: {encoded} <evil@customer.example>\r\nTo: {inbox['email']}\r\nSubject: {encoded}\r\n"
        f"Message-ID: <1.{inbox['id']}@customer.example>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{TEXT}"
    )
    place.deliver(inbox["email"], sender="evil@customer.example", raw=raw.encode())
    found: str = cli.json("messages", "wait", inbox["email"], "--since", "2020-01-01T00:00:00Z")["message"]["id"]
    return found


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["table", "json"])
@pytest.mark.parametrize(
    "command",
    [
        ["messages", "list"],
        ["messages", "get", "{id}"],
        ["threads", "list"],
        ["search", "line"],
        ["messages", "wait", "--since", "2020-01-01T00:00:00Z"],
        ["reply", "{id}", "--text", "Hello", "--dry-run"],
    ],
    ids=" ".join,
)
def test_no_command_lets_a_strangers_words_reach_the_terminal_as_they_are(
    cli: Cli, hostile: str, command: list[str], as_json: list[str]
) -> None:
    done = cli.run(*(part.format(id=hostile) for part in command), *as_json)
    assert not OBEYED.search(done.stdout + done.stderr)


def test_the_words_are_there_to_be_read_with_their_controls_spelt_out(cli: Cli, hostile: str) -> None:
    shown = cli.text("messages", "get", hostile)
    assert "[bold]not markup[/bold] :smile:" in shown
    assert "<U+001B>" in shown
    assert "First line\n" in shown


def test_a_program_that_reads_the_exact_bytes_gets_them(cli: Cli, hostile: str) -> None:
    assert TITLE.encode() in cli.run("messages", "raw", hostile).stdout


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31m", "<U+001B>[31m"),
        ("a\nb\tc", "a b c"),
        ("\u202eexe.gnp", "<U+202E>exe.gnp"),
        ("\U000e0041", "<U+E0041>"),
        ("\ud800", "<U+D800>"),
        ("می‌خواهم 👨‍👩‍👧 Grüße 日本", "می‌خواهم 👨‍👩‍👧 Grüße 日本"),
    ],
)
def test_one_line_names_what_a_terminal_would_obey_and_leaves_scripts_alone(written: str, shown: str) -> None:
    assert terminal.one_line(written) == shown


def test_json_says_the_same_with_its_controls_escaped() -> None:
    told = terminal.as_json({"subject": HOSTILE + "\U000e0041"}, indent=2)
    assert json.loads(told) == {"subject": HOSTILE + "\U000e0041"}
    assert not OBEYED.search(told.encode())
