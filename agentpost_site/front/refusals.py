"""What the front answers by itself: refusals and faults, in the form that Django's answers have."""

from agentpost_site.front.protocol import Message, Scope, Send
from environments.answers import refusing
from environments.errors import Refusal

PROGRAMS = ("/api/", "/mcp")


async def refuse(scope: Scope, send: Send, refusal: Refusal, request_id: str | None = None) -> None:
    """Refuse a request or a WebSocket: in JSON where programs ask, and for WebSockets, in plain words elsewhere."""
    prefix = "websocket." if scope["type"] == "websocket" else ""
    if prefix and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    for message in _messages(scope, refusal, request_id):
        await send({**message, "type": prefix + message["type"]})


def _messages(scope: Scope, refusal: Refusal, request_id: str | None) -> list[Message]:
    answer = refusing(refusal, request_id)
    headers, body = dict(answer.headers), answer.body
    if not scope["path"].startswith(PROGRAMS) and scope["type"] != "websocket":
        headers["Content-Type"], body = "text/plain; charset=utf-8", refusal.message.encode()
    headers["Content-Length"] = str(len(body))
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": refusal.status, "headers": encoded}
    return [start, {"type": "http.response.body", "body": body}]
