"""``/mcp``: the tools over streamable HTTP, as an application of the event loop.

It keeps nothing between two requests. Whose key it is, what it may do and how often, is asked of the API each time.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from agentpost_site.front.bodies import Bodies, Body
from agentpost_site.front.protocol import App, Opening, Receive, Scope, Send
from agentpost_site.front.refusals import refuse
from agentpost_site.mcp import protocol
from agentpost_site.mcp.calls import ME, Caller, Calls
from agentpost_site.mcp.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, Message, ProtocolError
from agentpost_site.mcp.tools import TOOLS, listed
from apikeys.authentication import bearer
from apikeys.secrets import is_well_formed
from environments.asking import Answer, Ask
from environments.errors import (
    Forbidden,
    MalformedRequest,
    MethodNotAllowed,
    Refusal,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)
from environments.ids import new_id

ROUTE = "/mcp/?"
LARGEST = 4 * 1024 * 1024  # octets of a request
ROOM, SHARE = (
    256 * 1024 * 1024,
    64 * 1024 * 1024,
)  # octets of all requests, and of one organization, that are held at once
KEPT = ("request-id", "retry-after")  # headers of the API's answer that are this one's too, beside those of the rate


class CallerRefused(Exception):
    """The API's refusal of the caller itself."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def opening(waiting: Opening) -> Opening:
    """Return what opens the application; ``waiting`` opens the one that long polls go to."""

    @asynccontextmanager
    async def open_mcp(ask: Ask, wakes: Any) -> AsyncIterator[App]:
        async with waiting(ask, wakes) as wait:
            yield Service(Calls(ask, wait))

    return open_mcp


class Service:
    """The application."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._bodies = Bodies(ROOM, SHARE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller = Caller(_headers(scope), (scope.get("client") or ("",))[0], receive)
        try:
            _check(scope, caller.headers)
            await self._answer(await self._message(scope, caller), caller, send)
        except Refusal as refusal:
            await refuse(scope, send, refusal)
        except CallerRefused as refused:
            await _send(send, refused.answer.status, refused.answer.body, dict(refused.answer.headers))
        except ProtocolError as error:
            await _send(send, error.status, orjson.dumps(error.body()), {})

    async def _message(self, scope: Scope, caller: Caller) -> Message | None:
        """Return what is asked; who sends what is no request is counted all the same."""
        try:
            async with self._bodies.read(scope, caller.receive, LARGEST, partial(self._organization, caller)) as body:
                if body.size > LARGEST:
                    raise TooLarge
                message: Message | None = await self._calls.by_size(body.size, _read, body, caller.headers)
                return message
        except (MalformedRequest, ProtocolError):
            await self._known(caller)
            raise

    async def _organization(self, caller: Caller) -> str:
        known: dict[str, Any] = orjson.loads((await self._known(caller)).body)
        return str(known["organization"]["id"])

    async def _answer(self, message: Message | None, caller: Caller, send: Send) -> None:
        if message is None:
            known = await self._known(caller)
            await _send(send, HTTPStatus.ACCEPTED, b"", dict(known.headers))
        elif message.method == "tools/call":
            await self._call(message, caller, send)
        else:
            answer = await self._known(caller)
            said = _said(message, orjson.loads(answer.body), caller.headers.get("agentpost-environment"))
            await _send(send, HTTPStatus.OK, orjson.dumps(said), dict(answer.headers))

    async def _known(self, caller: Caller) -> Answer:
        """Return who calls; raise CallerRefused when the API does not know them, or has no more calls for them."""
        answer = await self._calls.ask(ME, caller)
        if answer.status != HTTPStatus.OK:
            raise CallerRefused(answer)
        return answer

    async def _call(self, message: Message, caller: Caller, send: Send) -> None:
        name, arguments = message.params.get("name"), message.params.get("arguments")
        tool = TOOLS.get(name) if isinstance(name, str) else None
        if tool is None or not isinstance(arguments, dict | None):
            await self._known(caller)
        if tool is None:
            raise message.refused(INVALID_PARAMS, f"Unknown tool: {str(name)[:100]}")
        if not isinstance(arguments, dict | None):
            raise message.refused(INVALID_PARAMS, "arguments must be an object.")
        outcome = await self._calls.carry_out(tool, arguments or {}, caller, message.size)
        if outcome.answer.status == HTTPStatus.UNAUTHORIZED:
            raise CallerRefused(outcome.answer)
        result = message.answered({"content": outcome.content, "isError": outcome.is_error})
        await _send(send, HTTPStatus.OK, orjson.dumps(result), dict(outcome.answer.headers))


def _read(body: Body, headers: Mapping[str, str]) -> Message | None:
    return protocol.read(body.file.read(), headers)


def _said(message: Message, key: Mapping[str, Any], environment: str | None) -> dict[str, Any]:
    """Return the answer to what needs no more than a valid key; raise ProtocolError for a method that is not there."""
    match message.method:
        case "tools/list":
            return message.answered_for_a_while({"tools": listed(key, environment)})
        case "server/discover" if message.is_modern:
            return message.answered_for_a_while(protocol.discovery())
        case "initialize" if not message.is_modern:
            return message.answered(protocol.handshake(message.params.get("protocolVersion")))
        case "ping" if not message.is_modern:
            return message.answered({})
    raise message.refused(METHOD_NOT_FOUND, f"Method not found: {message.method[:100]}")


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers in lower case; of those that come twice the first, as nothing here is a list."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def _check(scope: Scope, headers: Mapping[str, str]) -> None:
    """Raise the refusal of a request that is not for this place, or has no key that anybody could have been given.

    Not for this place is that of a page in a browser which found us under its own name.
    """
    if scope["method"] != "POST":
        raise MethodNotAllowed(headers={"Allow": "POST"})
    hosts = [headers.get("host", "")]
    if "origin" in headers:
        hosts.append(_host_of(headers["origin"]))
    if not all(_is_ours(host) for host in hosts):
        raise Forbidden("This server does not go by that name.", fix="Use its own host, and no Origin but its own.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType
    if not is_well_formed(bearer({"Authorization": headers.get("authorization", "")})):
        raise Unauthenticated


def _host_of(origin: str) -> str:
    """Return host and port of an origin, nothing for what is none (RFC 6454 section 6.2)."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc if origin == f"{parts.scheme}://{parts.netloc}" else ""


def _is_ours(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


async def _send(send: Send, status: int, body: bytes, answered: Mapping[str, str]) -> None:
    named = {name.lower(): value for name, value in answered.items()}
    kept = {name: value for name, value in named.items() if name in KEPT or name.startswith("ratelimit-")}
    headers = {"request-id": new_id("req"), **kept, "content-length": str(len(body))}
    if body:
        headers["content-type"] = "application/json"
    if status == HTTPStatus.UNAUTHORIZED and "www-authenticate" in named:
        headers["www-authenticate"] = named["www-authenticate"]
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
