"""Django's WSGI application behind the event loop: a thread computes an answer, and never waits for a client."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote_to_bytes

from agentpost_site.front.bodies import Bodies, Body, Pace
from agentpost_site.front.protocol import Receive, Scope, Send
from agentpost_site.front.refusals import refuse
from environments.answers import InternalError
from environments.errors import Refusal
from environments.ids import new_id

logger = logging.getLogger(__name__)
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
AT_ONCE = 256 * 1024  # octets of an answer that the server is given in one piece; longer ones lie in a file
PIECE = 64 * 1024


@dataclass(slots=True)
class Answered:
    """A whole answer, computed; ``body`` stands at its beginning."""

    body: SpooledTemporaryFile[bytes] = field(default_factory=partial(SpooledTemporaryFile, AT_ONCE))
    size: int = 0
    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)

    def start_response(self, status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        """Be told status and headers, as PEP 3333 has it."""
        self.status, self.headers = int(status.split(" ", 1)[0]), headers

    def add(self, piece: bytes) -> None:
        """Append to the body; what is too long for memory is not copied there on its way to the file."""
        self.size += len(piece)
        if self.size > AT_ONCE:
            self.body.rollover()
        self.body.write(piece)


def answer(application: Application, environ: Environ) -> Answered:
    """Call a WSGI application, and return all that it answers."""
    answered = Answered()
    pieces = application(environ, answered.start_response)
    try:
        for piece in pieces:
            answered.add(piece)
    finally:
        getattr(pieces, "close", lambda: None)()
    answered.body.seek(0)
    return answered


class Bridge:
    """An ASGI application that is a WSGI application on threads."""

    def __init__(self, application: Application, threads: Executor) -> None:
        self._application, self._threads, self._bodies = application, threads, Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answered = await self._answer(scope, receive)
        except Refusal as refusal:
            await refuse(scope, send, refusal)
        except Exception:
            request_id = new_id("req")
            logger.exception("Unexpected fault in %s", request_id)
            await refuse(scope, send, InternalError(), request_id)
        else:
            with answered.body:
                await _send(answered, send, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answered:
        loop = asyncio.get_running_loop()
        async with self._bodies.read(scope, receive) as body:
            return await loop.run_in_executor(self._threads, answer, self._application, environ_of(scope, body))


async def _send(answered: Answered, send: Send, *, head: bool) -> None:
    """Send an answer; give up a client that takes it more slowly than bodies may come in."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers]
    if answered.size > AT_ONCE and not any(name.lower() == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(answered.size).encode()))
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    if answered.size <= AT_ONCE or head:
        await send({"type": "http.response.body", "body": answered.body.read(AT_ONCE)})
        return
    pace, sent = Pace(), 0
    try:
        async with asyncio.timeout_at(pace.deadline(0)) as deadline:
            while piece := answered.body.read(PIECE):
                sent += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": sent < answered.size})
                deadline.reschedule(pace.deadline(sent))
    except TimeoutError:
        logger.info("A client took only %d of %d octets in time", sent, answered.size)


def environ_of(scope: Scope, body: Body) -> Environ:
    """Return a request as PEP 3333 has it.

    Names with an underscore are left out: they would pass for those with a hyphen.
    """
    headers: Environ = {}
    for name, value in scope["headers"]:
        if b"_" not in name:
            _add(headers, "HTTP_" + name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1"))
    kind = headers.pop("HTTP_CONTENT_TYPE", "")
    headers.pop("HTTP_CONTENT_LENGTH", None)
    (server, port), (client, _) = scope["server"], scope["client"]
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(body.size),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body.file,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **headers,
    }


def _add(headers: Environ, name: str, value: str) -> None:
    """Add a header; what comes several times becomes one (RFC 9110 section 5.3, RFC 9113 section 8.2.3)."""
    if name in headers:
        value = headers[name] + ("; " if name == "HTTP_COOKIE" else ",") + value
    headers[name] = value
