"""Which tools a key is shown, and what a client is told of each."""

from typing import Any

import pytest

from agentpost_site.mcp.tool import Argument
from agentpost_site.mcp.tools import TOOLS
from apikeys.scopes import ALL
from tests.clients.conftest import Place
from tests.clients.mcp.conftest import Tools

MESSAGES = {"list_messages", "get_message", "search", "wait_for_mail", "get_attachment", "download_attachment"}
READS = {
    "inboxes:read": {"list_inboxes", "get_inbox"},
    "messages:read": MESSAGES,
    "threads:read": {"list_threads", "get_thread"},
    "drafts:read": {"list_drafts", "get_draft"},
    "labels:read": {"list_labels"},
    "events:read": {"list_events"},
}
SENDS = {"send_message", "reply", "reply_all", "forward"}
DRAFTS = {"create_draft", "update_draft", "submit_draft"}
PROPOSES = {"propose_message", "propose_reply"}
LABELS = {"add_labels", "remove_labels"}
SHOWN = [
    *((scope, names) for scope, names in READS.items()),
    ("inboxes:write", {"create_inbox"}),
    ("messages:send", SENDS),
    ("messages:write", SENDS | LABELS),
    ("threads:write", LABELS),
    ("drafts:write", DRAFTS | PROPOSES),
    ("drafts:write messages:send", DRAFTS | SENDS),
    ("webhooks:write audit:read", set()),
    ("*", {name for names in READS.values() for name in names} | {"create_inbox"} | SENDS | DRAFTS | LABELS),
]


@pytest.mark.parametrize(("scopes", "names"), SHOWN)
def test_a_key_is_shown_what_its_scopes_allow(scopes: str, names: set[str], make_place: Any) -> None:
    assert Tools(make_place(*scopes.split())).list().keys() == names | {"whoami"}


def test_no_row_of_the_table_names_a_scope_that_does_not_exist() -> None:
    named = {scope for tool in TOOLS.values() for step in tool.steps for scope in step.routes.values()}
    assert named - {""} <= ALL


@pytest.mark.parametrize("name", sorted(TOOLS.keys() - {"whoami"}))
def test_without_its_scope_a_tool_is_refused_by_the_api_itself(name: str, make_place: Any) -> None:
    tools = Tools(make_place("usage:read"))
    assert tools(name, **arguments_of(name)).code == "missing_scope"


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_with_its_scope_alone_a_tool_is_not_refused_for_another(name: str, make_place: Any) -> None:
    scopes = {next(iter(step.routes.values())) for step in TOOLS[name].steps} - {""}
    refused = Tools(make_place(*scopes) if scopes else make_place("usage:read"))(name, **arguments_of(name))
    assert not refused.is_error or refused.code in {"not_found", "validation_error"}


def arguments_of(name: str) -> dict[str, Any]:
    """Return arguments that are well formed and name nothing; of two ways to name a thing, the first."""
    needed = (*TOOLS[name].required, *(["message_id"] if name in LABELS else []))
    return {key: _value(TOOLS[name].takes[key]) for key in needed}


def _value(argument: Argument) -> Any:
    if argument.prefix:
        return f"{argument.prefix}_{'0' * 26}"
    return {"array": ["ann@shop.example"], "string": "anything"}[argument.schema["type"]]


HINTS = {
    (True, False, True, False): {"whoami"}.union(*READS.values()),
    (False, True, False, True): SENDS,
    (False, False, False, False): PROPOSES | {"create_draft", "create_inbox"},
    (False, True, True, False): {"update_draft", "remove_labels"},
    (False, False, True, False): {"submit_draft", "add_labels"},
}


@pytest.mark.parametrize("hints", HINTS)
def test_hints(hints: tuple[bool, ...]) -> None:
    names = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
    found = {tool.name for tool in TOOLS.values() if tuple(tool.hints.as_json()[name] for name in names) == hints}
    assert found == HINTS[hints]


def test_a_key_that_may_label_threads_only_is_not_asked_for_a_message(make_place: Any) -> None:
    taken = Tools(make_place("threads:write")).list()["add_labels"]["inputSchema"]["properties"]
    assert taken.keys() == {"thread_id", "labels"}


def test_a_key_of_one_environment_is_told_where_it_acts_and_not_asked(tools: Tools) -> None:
    slug = tools.place.environment["slug"]
    for tool in tools.list().values():
        assert (
            f"Acts in the environment {slug}, delivery mode capture: nothing leaves the server." in tool["description"]
        )
        assert "environment" not in tool["inputSchema"]["properties"]


def test_a_key_of_several_environments_may_name_one_for_each_call(owner_key: str, place: Place) -> None:
    everywhere = Tools(Place(place.base_url, place.smtp_port, owner_key, place.environment))
    assert all("environment" in tool["inputSchema"]["properties"] for tool in everywhere.list().values())
    made = everywhere("create_inbox", username="there", environment=place.environment["slug"])
    assert made.ours["environment_id"] == place.environment["id"]
    assert [one["id"] for one in Tools(place)("list_inboxes").ours["data"]] == [made.ours["id"]]


def test_a_client_that_has_named_its_environment_is_not_led_into_another(owner_key: str, make_place: Any) -> None:
    one, other = make_place(), make_place()
    named = Tools(Place(one.base_url, 0, owner_key, {}), **{"AgentPost-Environment": one.environment["slug"]})
    assert f"environment {one.environment['slug']}," in named.list()["send_message"]["description"]
    assert "environment" not in named.list()["send_message"]["inputSchema"]["properties"]
    assert named("list_inboxes", environment=other.environment["slug"]).code == "environment_conflict"
