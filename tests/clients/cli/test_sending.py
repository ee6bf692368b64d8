"""Sending: what became of a mail at each recipient, and why, in the command's own answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agentpost import AgentPost

from tests.clients.cli.conftest import Cli
from tests.clients.conftest import Place
from tests.mail.sink import Sink

SEND = ("send", "--to", "ann@customer.example", "--to", "bob@customer.example", "--subject", "Invoice 17")


def test_what_was_sent_is_told_with_the_reason_for_each_recipient(
    cli: Cli, inbox: dict[str, Any], outside: Sink
) -> None:
    first, head, ann, bob = cli.text(*SEND, "--text", "Here it is.").splitlines()
    assert first.endswith(" captured")
    assert head.split() == ["TO", "STATUS", "WHY"]
    assert "ann@customer.example" in ann
    assert "capture" in bob
    assert not [mail for mail in outside.taken if mail.sender == inbox["email"]]


def test_the_text_may_come_from_standard_input(cli: Cli, inbox: dict[str, Any]) -> None:
    sent = cli.json(*SEND, given="Grüße\n".encode())
    assert cli.json("messages", "get", sent["id"])["text_body"] == "Grüße\n"


def test_a_text_that_is_not_utf_8_is_refused(cli: Cli, inbox: dict[str, Any]) -> None:
    assert "UTF-8" in cli.failure(*SEND, given=b"\xff\xfe", status=2)


def test_a_file_of_html_that_is_not_utf_8_is_refused(cli: Cli, inbox: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"\xff\xfe")
    assert "page.html is not UTF-8" in cli.failure(*SEND, "--html", str(tmp_path / "page.html"), status=2)


def test_files_go_along(cli: Cli, inbox: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "invoice.txt").write_text("17 euros")
    sent = cli.json(*SEND, "--text", "Here.", "--attach", str(tmp_path / "invoice.txt"))
    [file] = cli.json("messages", "get", sent["id"])["attachments"]
    assert (file["filename"], file["size"]) == ("invoice.txt", 8)


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(cli: Cli, inbox: dict[str, Any]) -> None:
    told = cli.text(*SEND, "--text", "Here it is.", "--dry-run")
    assert told.startswith("Nothing was sent. In capture mode")
    assert "ann@customer.example" in told
    assert cli.json("messages", "list") == []


def test_the_same_idempotency_key_sends_once(cli: Cli, inbox: dict[str, Any]) -> None:
    again = [cli.json(*SEND, "--text", "Here.", "--idempotency-key", "invoice-17")["id"] for _ in range(2)]
    assert again[0] == again[1]


@pytest.fixture
def mail(cli: Cli, place: Place, inbox: dict[str, Any]) -> str:
    place.deliver(inbox["email"])
    found: str = cli.json("messages", "wait", "--since", "2020-01-01T00:00:00Z")["message"]["id"]
    return found


def test_a_message_is_answered_once(cli: Cli, mail: str) -> None:
    answer = cli.json("reply", mail, "--text", "Yes, I am here.")
    assert (answer["subject"], answer["to_addresses"][0]["email"]) == ("Re: Hello", "ann@customer.example")
    assert "already_replied" in cli.failure("reply", mail, "--text", "Again", status=1)


def test_an_answer_goes_to_everybody_and_without_the_quote_if_asked(cli: Cli, mail: str) -> None:
    answer = cli.json("reply", mail, "--text", "Yes.", "--all", "--no-quote")
    assert cli.json("messages", "get", answer["id"])["text_body"].strip() == "Yes."


def test_a_draft_waits_for_a_second_key(cli: Cli, place: Place, inbox: dict[str, Any], reviewer: Cli) -> None:
    draft = place_draft(place, inbox["id"])
    assert cli.json("drafts", "submit", draft)["state"] == "pending_approval"
    assert "missing_scope" in cli.failure("drafts", "approve", draft, status=3)
    assert draft in reviewer.text("drafts", "list", "--state", "pending_approval")
    assert reviewer.json("drafts", "get", draft)["text_body"] == "We are sorry."
    assert "We are sorry." in reviewer.text("drafts", "get", draft)
    assert reviewer.json("drafts", "approve", draft, "--version", "1")["state"] == "approved"
    assert cli.json("drafts", "send", draft)["state"] == "sent"


def test_a_draft_is_rejected_with_a_reason(cli: Cli, place: Place, inbox: dict[str, Any], reviewer: Cli) -> None:
    draft = place_draft(place, inbox["id"])
    cli.run("drafts", "submit", draft)
    assert "too late" in reviewer.text("drafts", "reject", draft, "--reason", "too late")
    assert "approval_required" in cli.failure("drafts", "send", draft, status=1)


def place_draft(place: Place, inbox_id: str) -> str:
    with AgentPost(api_key=place.api_key, base_url=place.base_url) as client:
        return client.drafts.create(
            inbox_id, to=["ann@customer.example"], subject="Sorry", text_body="We are sorry."
        ).id


@pytest.fixture
def reviewer(cli: Cli, place: Place, make_reviewer_key: Callable[[str], str]) -> Cli:
    """Return the program of somebody who may approve."""
    return Cli(cli.home, {**cli.variables, "AGENTPOST_API_KEY": make_reviewer_key(place.environment["id"])})


def test_with_several_inboxes_it_is_told_how_to_name_one(cli: Cli, inbox: dict[str, Any]) -> None:
    mail = ("send", "--to", "ann@example.com", "--subject", "Hello", "--text", "Hi.")
    cli.json("inboxes", "create", "sales")
    told = cli.failure(*mail, status=2)
    assert told == "agentpost: There are several inboxes. Name one by its id or address: --from."
    assert cli.json(*mail, "--inbox", inbox["email"])["inbox_id"] == inbox["id"]
    assert "Name one by its id or address: --inbox." in cli.failure("messages", "wait", status=2)
    assert "timed_out" in cli.failure("messages", "wait", "--inbox", inbox["email"], "--timeout", "0", status=5)


def test_an_id_that_is_empty_is_told_in_one_line(cli: Cli) -> None:
    assert "The id behind 'messages' is missing" in cli.failure("messages", "get", "", status=2)
