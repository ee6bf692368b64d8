"""The frames of our WebSocket: JSON objects with a ``type``."""

from typing import Any

import orjson

from environments.errors import MalformedRequest, Refusal, ValidationFailed, field_error
from webhooks.realtime.admission import Request

LARGEST = 64 * 1024  # octets
MOST_ENVIRONMENTS, MOST_TYPES = 20, 50
FIELDS = {"type", "event_types", "inbox_id", "environment_ids", "after"}


class BreachOfProtocol(Refusal):
    """What ends a WebSocket: a code of RFC 6455 section 7.4.1 says what it was."""

    code = "protocol_error"
    message = "The frame is none that may be sent."
    fix = "See the documentation of realtime events."

    def __init__(self, close_code: int, message: str) -> None:
        super().__init__(message)
        self.close_code = close_code


def frame_in(message: dict[str, Any]) -> dict[str, Any]:
    """Return the frame in an ASGI message. Raises BreachOfProtocol for what is no text or too long, or a Refusal."""
    text = message.get("text")
    if text is None:
        raise BreachOfProtocol(1003, "Frames are text.")
    if len(text) > LARGEST or len(text.encode()) > LARGEST:
        raise BreachOfProtocol(1009, f"Frames have at most {LARGEST} octets.")
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise MalformedRequest(f"The frame is not valid JSON: {problem}.", fix="Send a JSON object.") from problem
    if not isinstance(frame, dict):
        raise MalformedRequest("The frame is not a JSON object.", fix="Send a JSON object.")
    return frame


def requests_of(frame: dict[str, Any], opening: Request) -> list[Request]:
    """Return what a ``subscribe`` frame asks of the API: one request for each environment. Raises ValidationFailed."""
    given = {name: value for name, value in frame.items() if value is not None}
    if unknown := sorted(given.keys() - FIELDS):
        raise field_error(unknown[0], "This frame has no such field.")
    types = _strings(given, "event_types", MOST_TYPES)
    environments = _strings(given, "environment_ids", MOST_ENVIRONMENTS)
    if "" in environments:
        raise field_error("environment_ids", "Must be ids or slugs.")
    inbox_id, _ = _string(given, "inbox_id"), _string(given, "after")
    shared = [("event_types", ",".join(types))] * bool(types) + [("inbox_id", inbox_id)] * bool(inbox_id)
    if not environments:
        return [opening.asking(*shared)]
    return [opening.asking(("environment_id", name), *shared, is_placed=True) for name in environments]


def _strings(frame: dict[str, Any], name: str, most: int) -> list[str]:
    value = frame.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise field_error(name, "Must be a list of strings.")
    if len(value) > most:
        raise field_error(name, f"At most {most}.")
    return list(dict.fromkeys(value))


def _string(frame: dict[str, Any], name: str) -> str:
    value = frame.get(name, "")
    if not isinstance(value, str):
        raise field_error(name, "Must be a string.")
    return value


def unknown_type() -> ValidationFailed:
    """Return the refusal of a frame whose type is none of ours."""
    return field_error("type", "Must be subscribe, unsubscribe or ping.")


def written(**frame: Any) -> dict[str, Any]:
    """Return the ASGI message that carries a frame."""
    return carrying(orjson.dumps(frame).decode())


def carrying(text: str) -> dict[str, Any]:
    """Return the ASGI message that carries this text."""
    return {"type": "websocket.send", "text": text}
