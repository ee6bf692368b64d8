"""Reading mail: tables for people, the API's own JSON for programs."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from agentpost import AgentPost

from tests.clients.cli.conftest import Cli
from tests.clients.conftest import Place

EVER = ("--since", "2020-01-01T00:00:00Z")


@pytest.fixture
def mail(cli: Cli, place: Place, inbox: dict[str, Any]) -> dict[str, Any]:
    place.deliver(inbox["email"], "Your code", "Your verification code is 482 913.\n")
    found: dict[str, Any] = cli.json("messages", "wait", inbox["email"], *EVER)
    return found


def test_waiting_returns_the_mail_and_the_code_in_it(cli: Cli, mail: dict[str, Any], inbox: dict[str, Any]) -> None:
    assert (mail["message"]["subject"], mail["one_time_codes"], mail["timed_out"]) == ("Your code", ["482913"], False)
    assert cli.text("messages", "wait", inbox["id"], *EVER, "--code") == "482913\n"


def test_waiting_in_vain_ends_with_a_status_of_its_own(cli: Cli, inbox: dict[str, Any]) -> None:
    assert "timed_out" in cli.failure("messages", "wait", inbox["email"], "--timeout", "0", status=5)


def test_lists_are_tables_for_people(cli: Cli, mail: dict[str, Any]) -> None:
    head, row = cli.text("messages", "list").splitlines()
    assert head.split() == ["ID", "AT", "WITH", "STATUS", "SUBJECT"]
    assert row.startswith(f"{mail['message']['id']}  ")
    assert row.endswith("<-  Ann <ann@customer.example>  received  Your code")


def unfenced(told: Any) -> Any:
    """Return an answer without the text between lines that no two answers share."""
    if isinstance(told, list):
        return [unfenced(part) for part in told]
    if isinstance(told, dict):
        return {name: unfenced(part) for name, part in told.items() if name != "text_for_model"}
    return told


def test_what_is_printed_for_programs_is_what_the_api_answers(
    cli: Cli, place: Place, mail: dict[str, Any], inbox: dict[str, Any]
) -> None:
    def answered(path: str) -> Any:
        headers = {"Authorization": f"Bearer {place.api_key}"}
        return httpx2.get(f"{place.base_url}/api/v1{path}", headers=headers, timeout=30).json()

    message, thread = mail["message"]["id"], mail["message"]["thread_id"]
    assert cli.json("messages", "list") == answered("/messages")["data"]
    assert unfenced(cli.json("messages", "get", message)) == unfenced(answered(f"/messages/{message}"))
    assert unfenced(cli.json("threads", "get", thread)) == unfenced(answered(f"/threads/{thread}"))
    assert cli.json("inboxes", "get", inbox["email"]) == answered(f"/inboxes/{inbox['id']}")
    assert cli.json("environments", "get", place.environment["slug"]) == place.environment


def test_a_message_is_shown_with_its_head_and_its_text(cli: Cli, mail: dict[str, Any]) -> None:
    shown = cli.text("messages", "get", mail["message"]["id"])
    assert "from     Ann <ann@customer.example>\n" in shown
    assert shown.endswith("\nYour verification code is 482 913.\n")


def test_the_exact_bytes_go_into_a_file(cli: Cli, mail: dict[str, Any], tmp_path: Path) -> None:
    message, file = mail["message"]["id"], tmp_path / "mail.eml"
    cli.run("messages", "raw", message, "--output", str(file))
    assert file.read_bytes() == cli.run("messages", "raw", message).stdout
    assert len(file.read_bytes()) == cli.json("messages", "get", message)["size"]


def test_search_finds_it(cli: Cli, mail: dict[str, Any]) -> None:
    [found] = cli.json("search", "verification", "from:ann")
    assert found["message"]["id"] == mail["message"]["id"]
    assert "Your verification code is 482 913." in cli.text("search", "verification")
    assert cli.run("search", "nowhere").stderr == b"Nothing found.\n"


def test_a_list_stops_at_its_limit_and_goes_on_over_pages(cli: Cli, place: Place) -> None:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        for _ in range(102):
            client.inboxes.create()
    assert len(cli.json("inboxes", "list", "--limit", "3")) == 3
    assert len(cli.json("inboxes", "list", "--limit", "101")) == 101
    assert len(cli.json("inboxes", "list", "--limit", "0")) == 102


def test_an_inbox_is_named_by_id_or_address_or_not_at_all_if_it_is_alone(cli: Cli, inbox: dict[str, Any]) -> None:
    sent = ("send", "--to", "ann@customer.example", "--subject", "Hello", "--text", "Hello")
    for named in ([], ["--from", inbox["id"]], ["--from", inbox["email"].upper()]):
        assert cli.json(*sent, *named)["inbox_id"] == inbox["id"]
    cli.run("inboxes", "create")
    assert "several" in cli.failure(*sent, status=2)
    assert "nobody@example.com" in cli.failure(*sent, "--from", "nobody@example.com", status=2)


def test_deleting_an_inbox_asks_where_somebody_can_be_asked(cli: Cli, inbox: dict[str, Any]) -> None:
    assert "--yes" in cli.failure("inboxes", "delete", inbox["email"], status=2)
    assert cli.json("inboxes", "list")
    cli.run("inboxes", "delete", inbox["email"], "--yes")
    assert cli.json("inboxes", "list") == []


def test_environments_are_made_and_listed(cli: Cli, owner_key: str) -> None:
    owner = Cli(cli.home, {**cli.variables, "AGENTPOST_API_KEY": owner_key})
    made = owner.json("environments", "create", "Made by the command line", "--description", "For a test")
    assert made["delivery_mode"] == "capture"
    assert made["id"] in json.dumps(owner.json("environments", "list", "--limit", "0"))
    assert made["slug"] in owner.text("environments", "list", "--limit", "0")
