"""The tools of agents, each called about what is foreign and about what does not exist.

They are called as ``/mcp`` calls them, but for the event loop: each question to the API is asked at once.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import orjson
from django.db import models
from django.http import HttpResponse

from agentpost_site.front.protocol import Receive, Scope, Send
from agentpost_site.front.routes import ROUTES
from agentpost_site.isolation.exchange import Caller, Request, compare, look, undone
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import Place, World, of_the_same_moment
from agentpost_site.mcp import calls, service
from agentpost_site.mcp.calls import ME, Calls
from agentpost_site.mcp.tool import Shape, Tool
from agentpost_site.mcp.tools import TOOLS, listed
from environments.asking import Answer, Question
from environments.models import Environment
from inboxes.models import Inbox
from mail import waiting
from mail.models import Attachment, Draft, Message, Thread
from webhooks.models import Event

NAMED: dict[str, type[models.Model]] = {"inb": Inbox, "msg": Message, "thr": Thread, "drf": Draft, "att": Attachment}
REFERENCES: dict[str, tuple[type[models.Model], Callable[[str], Any]]] = {  # arguments that name rows in their own way
    "attachments": (Attachment, lambda identifier: [{"attachment_id": identifier}]),
}
EVENTS_AFTER = ("list_events", "after")
MOMENTS = {("wait_for_mail", "after")}  # an id that says no more than when: what came after it is found
EXAMPLES: dict[str, Any] = {
    "labels": ["probed"],
    "query": "probed",
    "timeout": 0,
    "to": ["nobody@probed.example"],
}
NAME_NOTHING = {
    "after", "bcc", "before", "cc", "client_id", "cursor", "direction", "display_name", "domain", "dry_run",
    "expires_at", "from", "from_character", "has_attachments", "html_body", "idempotency_key", "if_not_replied",
    "label", "limit", "original_attachments", "quote", "reply_all", "send_at", "since", "state", "status", "subject",
    "text_body", "types", "username", "version", "with_quoted",
}  # fmt: skip
PROBED_BY = {  # the routes of the event loop, and what asks about them
    waiting.ROUTE: "the API's operations: the view behind it decides",
    "/ws": "streams",
    "/api/v1/(environments/[^/]+/)?events/stream": "the API's operations, and streams",
    service.ROUTE: "this module",
}
LIST = "tools/list"


class Agent(Caller):
    """A caller who calls tools: a request's path is the name of one, its body are the arguments."""

    def _send(self, request: Request) -> HttpResponse:
        caller = calls.Caller(dict(request.headers), "", _gone)
        if request.path == LIST:
            answer = _finished(self._ask(Question(ME.path)))
            return HttpResponse(orjson.dumps(listed(orjson.loads(answer.body), None)), status=answer.status)
        carrying = Calls(self._ask, self._look_once, _at_once)
        outcome = _finished(carrying.carry_out(TOOLS[request.path], request.body, caller))
        said = orjson.dumps({"content": outcome.content, "isError": outcome.is_error})
        return HttpResponse(said, status=outcome.answer.status, headers=dict(outcome.answer.headers))

    async def _ask(self, question: Question, /) -> Answer:
        kind = "application/json" if question.body else ""
        asked = self.client.generic(
            question.method,
            question.path,
            question.body,
            kind,
            headers=dict(question.headers),
            QUERY_STRING=question.query,
        )
        return Answer(asked.status_code, list(asked.headers.items()), asked.content)

    async def _look_once(self, scope: Scope, _: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        answer = await self._ask(Question(scope["path"], scope["query_string"].decode(), headers=headers))
        told = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        await send({"type": "http.response.body", "body": answer.body})


async def _gone() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def _at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


def _finished(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine in which nothing waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("A tool waits for something that the proof does not answer.")


def agents(callers: Sequence[Caller]) -> list[Agent]:
    """Return the same callers as agents, who leave nothing behind of what they wrote."""
    return [
        Agent(
            f"agent with the {caller.name}",
            caller.home,
            caller.victims,
            caller.client,
            is_of_the_organization=caller.is_of_the_organization,
            is_thorough=caller.is_thorough,
            takes_back=True,
        )
        for caller in callers
    ]


def probe_routes() -> Area:
    """Demand that something asks about each route that does not lead to Django."""
    area = Area("Routes of the event loop")
    for route in ROUTES:
        area.demand(route.pattern)
        if route.pattern not in PROBED_BY:
            area.miss(f"{route.kind} {route.pattern}")
    return area


def probe_tools(everybody: Sequence[Agent], world: World, *, controls: bool = True) -> list[Area]:
    """Call every tool about foreign rows with every key; return the area, and that of the controls."""
    area, control = Area("Tools: foreign ids"), Area("Tools: own rows are found")
    for tool in TOOLS.values():
        for name in sorted(tool.takes.keys() - _known(tool)):
            area.miss(f"{tool.name}: argument {name}")
        for agent in everybody:
            for victim in agent.victims:
                _name_rows(area, agent, tool, victim, world)
                _name_environments(area, agent, tool, victim, world)
        if controls:
            _control(control, everybody, tool)
    for agent in everybody:
        look(area, agent, Request("GET", LIST))
    return [area, control] if controls else [area]


def _known(tool: Tool) -> set[str]:
    return {*_ids(tool), *REFERENCES, *EXAMPLES, *NAME_NOTHING}


def _ids(tool: Tool) -> dict[str, type[models.Model]]:
    """Return the arguments that are ids, and what each names."""
    found = {name: NAMED[taken.prefix] for name, taken in tool.takes.items() if taken.prefix in NAMED}
    return {**found, "after": Event} if (tool.name, "after") == EVENTS_AFTER else found


def _own(agent: Agent, tool: Tool) -> dict[str, Any]:
    """Return what the tool cannot do without, about the agent's own rows."""
    ids = _ids(tool)
    required = {name: agent.home.first(ids[name]) if name in ids else EXAMPLES.get(name) for name in tool.required}
    return required | ({"timeout": 0} if "timeout" in tool.takes else {})


def _request(tool: Tool, arguments: dict[str, Any], *asked: str) -> Request:
    tells_new = not tool.hints.read_only or tool.shape is Shape.ARRIVAL  # ids of what it made, or the moment
    return Request("POST" if tells_new else "GET", tool.name, body=arguments, asked=asked)


def _name_rows(area: Area, agent: Agent, tool: Tool, victim: Place, world: World) -> None:
    """Name a victim's rows: in the environment that they lead to, and in the agent's own."""
    own, ways = _own(agent, tool), {name: (model, str) for name, model in _ids(tool).items()}
    ways |= {name: REFERENCES[name] for name in REFERENCES.keys() & tool.takes.keys()}
    at_home = own | {"environment": agent.home.environment.pk}
    for name, (model, held) in ways.items():
        identifiers = victim.ids(model)[: None if agent.is_thorough else 1]
        for base, named in [*((own, one) for one in identifiers), *((at_home, one) for one in identifiers[:1])]:
            missing = of_the_same_moment(named) if (tool.name, name) in MOMENTS else world.missing[model]
            theirs, none = (_request(tool, base | {name: held(one)}, one) for one in (named, missing))
            compare(area, agent, f"({name} of {victim.name})", theirs, none)


def _name_environments(area: Area, agent: Agent, tool: Tool, victim: Place, world: World) -> None:
    own, missing = _own(agent, tool), world.missing[Environment]
    for name in (victim.environment.pk, victim.environment.slug):
        theirs, none = (_request(tool, own | {"environment": one}, one) for one in (name, missing))
        compare(area, agent, f"(environment names {victim.name})", theirs, none)
        theirs, none = (_request(tool, own, one).with_header("agentpost-environment", one) for one in (name, missing))
        compare(area, agent, f"(header names {victim.name})", theirs, none)


def _control(area: Area, everybody: Sequence[Agent], tool: Tool) -> None:
    """Demand that the tool does something for somebody: else the comparison proves nothing."""
    area.demand(tool.name)
    if not any(_succeeds(agent, tool, arguments) for agent in everybody for arguments in _choices(agent, tool)):
        area.miss(f"{tool.name}: nobody gets an answer about a row of their own")


def _choices(agent: Agent, tool: Tool) -> Iterator[dict[str, Any]]:
    own = _own(agent, tool)
    yield own
    for name, model in _ids(tool).items():
        for identifier in agent.home.ids(model):
            yield own | {name: identifier}


def _succeeds(agent: Agent, tool: Tool, arguments: dict[str, Any]) -> bool:
    with undone():
        return agent.ask(_request(tool, arguments)).text.endswith('"isError":false}')
