"""Carrying out a tool: by asking the API, with the caller's own key."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson

from agentpost_site.front.protocol import App, Message, Receive
from agentpost_site.mcp.arguments import BASE, ApiCall, call_for, given_to
from agentpost_site.mcp.showing import Content, block, fenced, refusal_shown, shown
from agentpost_site.mcp.tool import Shape, Tool
from environments.answers import refusing
from environments.asking import Answer, Ask, Question
from environments.errors import Refusal, TooLarge, UnreadableBody
from mail.inspection import visible

LARGEST_FILE = 1024 * 1024  # octets that a model is given of an attachment
LARGE = 64 * 1024  # octets of a request or an answer; what is larger is worked on by a thread
PASSED_ON = ("authorization", "agentpost-environment")
ME = ApiCall("GET", f"{BASE}/me", "", b"")
OnThread = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the headers that the API is to see, and the address; ``receive`` tells when it goes away."""

    headers: Mapping[str, str]
    address: str
    receive: Receive


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a tool's call: content for the model, and the API's last answer."""

    content: Content
    is_error: bool
    answer: Answer


class Calls:
    """Carries out tools.

    ``wait`` is the application that long polls go to; ``on_thread`` does what would hold up the event loop.
    """

    def __init__(self, ask: Ask, wait: App, on_thread: OnThread = asyncio.to_thread) -> None:
        self._ask, self._wait, self._on_thread = ask, wait, on_thread

    async def ask(self, call: ApiCall, caller: Caller, **headers: str) -> Answer:
        """Put a call to the API, as this caller."""
        passed = {name: caller.headers[name] for name in PASSED_ON if name in caller.headers}
        question = Question(call.path, call.query, call.method, {**passed, **headers}, call.body, caller.address)
        return await self._ask(question)

    async def by_size(self, size: int, work: Callable[..., Any], *given: Any) -> Any:
        """Return what work on so many octets returns: done here, or on a thread when they are many."""
        return await self._on_thread(work, *given) if size > LARGE else work(*given)

    async def carry_out(self, tool: Tool, arguments: Mapping[str, Any], caller: Caller, size: int = 0) -> Outcome:
        """Call a tool with arguments of so many octets; what they or the API refuse is an outcome too.

        Raises UnreadableBody when the client goes away while it waits.
        """
        try:
            given, first = await self.by_size(size, _understood, tool, arguments)
        except Refusal as refusal:
            return await self._misunderstood(refusal, caller)
        answer = await self._answer(tool, given, first, caller)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return _refused(answer)
        if tool.shape is Shape.FILE:
            return await self._file(answer, caller)
        return Outcome(await self._content(tool, answer, given), is_error=False, answer=answer)

    async def _misunderstood(self, refusal: Refusal, caller: Caller) -> Outcome:
        """Return the refusal of arguments; whose they are is asked all the same, and counted."""
        me = await self.ask(ME, caller)
        if me.status != HTTPStatus.OK:
            return _refused(me)
        return _refused(replace(refusing(refusal), headers=me.headers))

    async def _answer(self, tool: Tool, given: Mapping[str, Any], first: ApiCall, caller: Caller) -> Answer:
        if tool.shape is Shape.ARRIVAL:
            return await self._arrival(first, caller)
        key = given.get("idempotency_key") or caller.headers.get("idempotency-key")
        headers = {"idempotency-key": key} if key and tool.is_sending else {}
        answer = await self.ask(first, caller, **headers)
        for step in tool.steps[1:]:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                break
            made = orjson.loads(answer.body)["id"]
            answer = await self.ask(call_for(step, given, tool, made), caller)
            if answer.status >= HTTPStatus.BAD_REQUEST:
                return _leaving(answer, made)
        return answer

    async def _arrival(self, call: ApiCall, caller: Caller) -> Answer:
        """Return the answer of a long poll, which holds no thread."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [
            (name.encode(), caller.headers[name].encode("latin-1")) for name in PASSED_ON if name in caller.headers
        ]
        scope = {"type": "http", "method": "GET", "path": call.path, "query_string": call.query.encode()}
        await self._wait({**scope, "headers": headers, "client": (caller.address, 0)}, caller.receive, send)
        if not sent:
            raise UnreadableBody
        start, body = sent
        kept = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], kept, body["body"])

    async def _file(self, described: Answer, caller: Caller) -> Outcome:
        """Return what is in an attachment, by the link that the API has signed."""
        attachment = orjson.loads(described.body)
        if attachment["size"] > LARGEST_FILE:
            refusal = TooLarge("This attachment is too large for a model.", fix="Download it over the API.")
            return _refused(replace(refusing(refusal), headers=described.headers))
        link = urlsplit(attachment["download_url"])
        path = f"{BASE}/attachments/{attachment['id']}/download"
        answer = await self._ask(Question(path, link.query, address=caller.address))
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return _refused(answer)
        content = await self._on_thread(_bytes_of, attachment, answer.body)
        return Outcome(content, is_error=False, answer=described)

    async def _content(self, tool: Tool, answer: Answer, given: Mapping[str, Any]) -> Content:
        def put_into_words() -> Content:
            return shown(tool, orjson.loads(answer.body), given)

        content: Content = await self.by_size(len(answer.body), put_into_words)
        return content


def _understood(tool: Tool, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], ApiCall]:
    given = given_to(tool, arguments)
    return given, call_for(tool.steps[0], given, tool)


def _leaving(refused: Answer, made: str) -> Answer:
    """Return the refusal of a later step with what an earlier one has made, which stays."""
    error = orjson.loads(refused.body)["error"]
    fix = f"{error['fix']} The draft is written: give its id to submit_draft, and propose nothing again."
    return replace(refused, body=orjson.dumps({"error": {**error, "fix": fix, "draft_id": made}}))


def _bytes_of(attachment: Mapping[str, Any], content: bytes) -> Content:
    ours = {"id": attachment["id"], "message_id": attachment["message_id"], "size": attachment["size"]}
    front = block(orjson.dumps(ours).decode())
    named = orjson.dumps({name: visible(attachment[name]) for name in ("filename", "content_type")}).decode()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text:
        return [front, block(fenced([], f"{named}\n\n{text}"))]
    blob = {"uri": f"attachment:{attachment['id']}", "mimeType": "application/octet-stream"}
    blob["blob"] = base64.b64encode(content).decode()
    return [front, block(fenced([], named)), {"type": "resource", "resource": blob}]


def _refused(answer: Answer) -> Outcome:
    return Outcome(refusal_shown(orjson.loads(answer.body)["error"]), is_error=True, answer=answer)
