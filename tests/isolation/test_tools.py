"""The proof knows the tools of agents: it turns red when one tells of others, or is new and has no probe."""

from dataclasses import replace
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from agentpost_site.front.routes import Route
from agentpost_site.isolation import api, database, tools
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import World
from agentpost_site.mcp.calls import Calls
from agentpost_site.mcp.reading import READING
from agentpost_site.mcp.tool import identifier, text
from agentpost_site.mcp.tools import TOOLS
from environments.asking import Answer
from mail.api.waiting import WaitQuery
from mail.models import Message

GET_MESSAGE = TOOLS["get_message"]


def red(*areas: Area) -> list[Any]:
    return [found for area in areas for found in (*area.leaks, *area.uncovered)]


def probed(world: World) -> list[Any]:
    agents = tools.agents(api.callers(world))
    return red(*tools.probe_tools(agents, world))


@pytest.fixture
def one_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one tool, so that a mutation need not be tried on all."""
    monkeypatch.setattr(tools, "TOOLS", {"get_message": GET_MESSAGE})


def test_the_tools_hold_and_each_does_something(world: World) -> None:
    assert "\n".join(str(one) for one in probed(world)) == ""


def test_every_route_of_the_event_loop_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert red(tools.probe_routes()) == []
    monkeypatch.setattr(tools, "ROUTES", [*tools.ROUTES, Route("http", "/spy", None)])
    assert red(tools.probe_routes()) == ["http /spy"]


@pytest.mark.usefixtures("one_tool")
def test_a_tool_that_keeps_an_answer_for_the_next_caller_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[Any, Answer] = {}
    original = Calls.ask

    async def careless(self: Calls, call: Any, caller: Any, **headers: str) -> Answer:
        return kept.setdefault(call, await original(self, call, caller, **headers))

    victim = replace(api.callers(world)[2], victims=[])
    monkeypatch.setattr(Calls, "ask", careless)
    [agent] = tools.agents([victim])
    for theirs in world.stranger.ids(tools.Message):
        agent.ask(tools._request(GET_MESSAGE, {"message_id": theirs}))
    assert [leak for leak in probed(world) if "message_id of stranger" in str(leak)]


@pytest.mark.usefixtures("one_tool", "careless_viewset")
def test_a_tool_over_a_view_that_reads_everywhere_leaks_once_wall_two_is_down(world: World) -> None:
    with database.without_wall_two():
        assert probed(world)


def test_a_wait_that_asks_whose_the_message_is_after_which_to_look_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_somebody(_: WaitQuery, given: str) -> str:
        if not Message.everywhere.filter(pk=given).exists():
            raise ValidationError("There is no such message.")
        return given

    monkeypatch.setattr(WaitQuery, "validate_after", of_somebody)
    monkeypatch.setattr(tools, "TOOLS", {"wait_for_mail": TOOLS["wait_for_mail"]})
    asked = api.callers(world), world, "api/v1/inboxes/<str:inbox_id>/messages/wait"
    with database.without_wall_two():
        assert [leak for leak in probed(world) if "after of stranger" in str(leak)]
        assert [leak for leak in red(*api.probe_operations(*asked)) if "after of stranger" in str(leak)]


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ({"takes": {**GET_MESSAGE.takes, "spy": text("Spy.")}}, "get_message: argument spy"),
        ({"takes": {**GET_MESSAGE.takes, "spy_id": identifier("spy", "Spy.")}}, "get_message: argument spy_id"),
        ({"required": ("message_id", "spy")}, "get_message: nobody gets an answer about a row of their own"),
    ],
)
def test_a_new_tool_that_no_probe_understands_is_uncovered(
    change: dict[str, Any], gap: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "TOOLS", {"get_message": replace(GET_MESSAGE, **change)})
    assert gap in probed(world)


def test_no_tool_is_out_of_the_tables_sight() -> None:
    assert {tool.name for tool in READING} < TOOLS.keys()
