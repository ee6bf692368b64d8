"""What the tools do, and never do: one exit, proposals, waits, other people's places."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import psutil
import pytest
from django.conf import settings

from agentpost_site.mcp.tools import TOOLS
from tests.clients.conftest import Place
from tests.clients.mcp.conftest import Tools
from tests.clients.mcp.test_scopes import LABELS, arguments_of
from tests.mail.sink import Mail, Sink
from tests.site.instance import Instance, wait_for

WAITS = 200


def manage(instance: Instance, *command: str) -> Any:
    """Return what a command of the operator of this instance answers."""
    made = subprocess.run(
        [sys.executable, "manage.py", *command, "--json"],
        cwd=settings.BASE_DIR,
        env=instance.environment,
        capture_output=True,
        check=True,
    )
    return json.loads(made.stdout)


@pytest.fixture(scope="module")
def open_place(instance: Instance) -> Tools:
    """Return a place from which mail to reached.example leaves over the relay."""
    environment = instance.call("POST", "/api/v1/environments", {"name": "Open"})
    mode = ("--mode", "allowlist", "--allow", "reached.example", "--reason", "Something has to leave")
    person = ("--by", instance.told("sign in as"))
    manage(instance, "set_delivery_mode", "--environment", f"my-organization/{environment['slug']}", *mode, *person)
    wanted = {"name": "Open", "scopes": ["*"], "environment_ids": [environment["id"]]}
    key = instance.call("POST", "/api/v1/api-keys", wanted)
    return Tools(Place(f"http://127.0.0.1:{instance.http_port}", instance.smtp_port, key["key"], environment))


@pytest.fixture
def left(open_place: Tools, outside: Sink) -> Callable[[], list[Mail]]:
    """Return a function that tells what has left since the test began, as soon as a mail sent now has."""
    before = len(outside.taken)

    def told() -> list[Mail]:
        last = f"{uuid.uuid4().hex}@reached.example"
        inbox = open_place.api("POST", "/inboxes", {})["id"]
        assert open_place("send_message", inbox_id=inbox, to=[last], text_body="Last").ours["status"] == "queued"
        wait_for(lambda: any(last in mail.recipients for mail in outside.taken))
        return [mail for mail in outside.taken[before:] if last not in mail.recipients]

    return told


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("send_message", {"to": ["ann@shop.example"]}),
        ("reply", {}),
        ("reply_all", {}),
        ("forward", {"to": ["ann@shop.example"]}),
    ],
)
def test_what_a_tool_sends_in_capture_is_stored_and_never_leaves(
    name: str, arguments: dict[str, Any], tools: Tools, received: dict[str, Any], left: Callable[[], list[Mail]]
) -> None:
    about = "inbox_id" if name == "send_message" else "message_id"
    target = {about: received["inbox_id"] if name == "send_message" else received["id"]}
    planned = tools(name, **target, **arguments, text_body="Hello", dry_run=True)
    assert planned.ours["delivery_mode"] == "capture"
    sent = tools(name, **target, **arguments, text_body="Hello", idempotency_key="once")
    assert sent.ours["status"] == "captured"
    again = tools(name, **target, **arguments, text_body="Hello", idempotency_key="once")
    assert again.ours["id"] == sent.ours["id"]
    assert len(tools("list_messages", direction="outbound").ours["data"]) == 1
    assert left() == []


def test_a_proposed_reply_waits_until_somebody_else_says_yes(
    instance: Instance, make_place: Any, left: Callable[[], list[Mail]]
) -> None:
    agent = Tools(make_place("drafts:write", "drafts:read", "messages:read", "inboxes:write"))
    inbox = agent("create_inbox", username="help").ours
    agent.deliver(inbox["email"])
    asked = agent("wait_for_mail", inbox_id=inbox["id"], since="2026-01-01T00:00:00Z", timeout=60).ours["message"]
    proposal = agent("propose_reply", inbox_id=inbox["id"], in_reply_to_message_id=asked["id"], text_body="Yes, it is.")
    assert proposal.ours["state"] == "pending_approval"
    assert '"to_addresses":[{"email":"bob@shop.example"' in proposal.inside.replace('"name":"Bob",', "")
    approved = reviewer(instance, agent.place).api("POST", f"/drafts/{proposal.ours['id']}/approve", {})
    assert approved["state"] == "approved"
    assert agent("get_draft", draft_id=proposal.ours["id"]).ours["state"] == "approved"
    assert left() == []


def reviewer(instance: Instance, place: Place) -> Tools:
    """Return somebody who may approve: a key that the operator made, and no other key."""
    environment = place.environment["id"]
    command = ["create_api_key", "--organization", "my-organization", "--name", f"Reviewer of {environment}"]
    made = manage(instance, *command, "--environment", environment, "--scopes", "drafts:approve")
    return Tools(replace(place, api_key=made["key"]))


def test_a_reviewers_reason_is_told_in_front(tools: Tools, inbox: dict[str, Any], instance: Instance) -> None:
    draft = tools("create_draft", inbox_id=inbox["id"], to=["ann@shop.example"], text_body="Hi").ours
    tools("submit_draft", draft_id=draft["id"])
    reviewer(instance, tools.place).api("POST", f"/drafts/{draft['id']}/reject", {"reason": "Too short: say when."})
    told = tools("get_draft", draft_id=draft["id"])
    assert (told.ours["state"], told.ours["rejection_reason"]) == ("rejected", "Too short: say when.")
    assert told.inside.endswith("\n\nHi")


IDS = {
    name: {key: argument.prefix for key, argument in tool.takes.items() if argument.prefix}
    for name, tool in TOOLS.items()
}


@pytest.fixture(scope="module")
def foreign() -> dict[str, str]:
    """Return ids of somebody else's place by prefix, once they are made."""
    return {}


@pytest.mark.parametrize("name", sorted(name for name, ids in IDS.items() if ids))
def test_what_is_foreign_is_answered_as_what_is_not_there(name: str, make_place: Any, foreign: dict[str, str]) -> None:
    foreign = foreign or make_foreign(Tools(make_place()), foreign)
    tools = Tools(make_place())
    own = {"inbox_id": tools.api("POST", "/inboxes", {})["id"]} if "inbox_id" in TOOLS[name].required else {}
    for key, prefix in IDS[name].items():
        base = {given: value for given, value in arguments_of(name).items() if name not in LABELS or given == "labels"}
        arguments = {**base, **own, "timeout": 0} if name == "wait_for_mail" else {**base, **own}
        theirs, missing = foreign[prefix], f"{prefix}_{'0' * 26}"
        answers = [tools(name, **arguments | {key: identifier}) for identifier in (theirs, missing)]
        assert answers[0].is_error == answers[1].is_error
        assert alike(answers[0].content, theirs) == alike(answers[1].content, missing)


def alike(content: list[dict[str, Any]], asked: str) -> Any:
    """Return content without the id that was asked for and what is drawn anew."""
    said = json.loads(json.dumps(content).replace(asked, "<asked>"))
    first = json.loads(said[0]["text"])
    first.get("error", {}).pop("request_id", None)
    return first if "error" in first else sorted(first)


def make_foreign(tools: Tools, foreign: dict[str, str]) -> dict[str, str]:
    inbox = tools.api("POST", "/inboxes", {})
    file = {"filename": "a.txt", "content": "YQ=="}
    mail = {"from": "bob@shop.example", "subject": "Hi", "text_body": "Hi", "attachments": [file]}
    message = tools.api("POST", f"/inboxes/{inbox['id']}/simulate", mail)
    draft = tools("create_draft", inbox_id=inbox["id"]).ours
    attachment = message["attachments"][0]["id"]
    ids = (inbox["id"], message["id"], message["thread_id"], draft["id"], attachment)
    foreign.update({identifier[:3]: identifier for identifier in ids})
    return foreign


def test_a_revoked_key_opens_no_tool_any_more(instance: Instance, make_place: Any) -> None:
    tools = Tools(make_place("messages:read"))
    identifier = tools("whoami").ours["api_key_id"]
    with instance.opened("DELETE", f"/api/v1/api-keys/{identifier}"):
        pass
    for method, params in [("tools/list", {}), ("tools/call", {"name": "whoami"}), ("initialize", {})]:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        status, headers, said = tools.post(body)
        assert (status, said["error"]["code"]) == (401, "unauthenticated")
        assert headers["www-authenticate"] == 'Bearer realm="api"'


def test_many_waits_hold_no_thread(instance: Instance, tools: Tools) -> None:
    inboxes = [tools.api("POST", "/inboxes", {}) for _ in range(10)]
    wanted = {"scopes": ["messages:read"], "environment_ids": [tools.place.environment["id"]]}
    keys = [
        instance.call("POST", "/api/v1/api-keys", {**wanted, "name": f"Waits {number}"})["key"] for number in range(8)
    ]
    asyncio.run(_wait_everywhere(instance, tools, keys, inboxes))


async def _wait_everywhere(instance: Instance, tools: Tools, keys: list[str], inboxes: list[dict[str, Any]]) -> None:
    everybody = psutil.Process(instance.process.pid).children(recursive=True)
    web = [process for process in everybody if "granian" in str(process.cmdline())]
    before = sum(process.num_threads() for process in web)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(tools.place.base_url, connector=connector) as session:
        pairs = [(keys[number % len(keys)], inboxes[number % len(inboxes)]["id"]) for number in range(WAITS)]
        calls = [asyncio.create_task(_wait(session, *pair)) for pair in pairs]
        whoami = await _called(session, keys[0], "whoami", {})  # answered while they wait
        assert '"api_key_id"' in whoami[0]["text"]
        assert sum(process.num_threads() for process in web) <= before + 16  # those of the pools that were not awake
        for inbox in inboxes:
            await asyncio.to_thread(tools.deliver, inbox["email"])
        assert [await call for call in calls] == ["482913"] * WAITS


async def _wait(session: aiohttp.ClientSession, key: str, inbox: str) -> str:
    arguments = {"inbox_id": inbox, "timeout": 120, "since": "2026-01-01T00:00:00Z"}
    said = await _called(session, key, "wait_for_mail", arguments)
    return str(said[1]["text"].partition('"one_time_codes":["')[2][:6] if len(said) > 1 else said[0]["text"])


async def _called(session: aiohttp.ClientSession, key: str, name: str, arguments: Any) -> list[dict[str, Any]]:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    headers = {"Authorization": f"Bearer {key}"}
    async with session.post("/mcp", json=body, headers=headers, timeout=aiohttp.ClientTimeout(200)) as answer:
        content: list[dict[str, Any]] = (await answer.json())["result"]["content"]
        return content
