"""What a tool is: a name and a text for a model, and the calls of the API that carry it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

Schema = dict[str, Any]


class Shape(Enum):
    """How an answer is put before a model."""

    PLAIN = "plain"  # what is ours as JSON, then what others wrote as JSON in one fence
    MESSAGE = "message"  # a message with its text, in a fence of its own
    THREAD = "thread"  # a fence for each message
    ARRIVAL = "arrival"  # a message that was waited for, with codes and links
    DRAFT = "draft"  # a draft with its text, in a fence of its own
    FILE = "file"  # the bytes of an attachment


@dataclass(frozen=True, slots=True)
class Argument:
    """What a tool takes under a name: the JSON schema that clients see; of an id, also the prefix that it begins with.

    ``argument | {…}`` is the same one with more in its schema.
    """

    schema: Schema
    prefix: str = ""

    def __or__(self, more: Schema) -> "Argument":
        return replace(self, schema=self.schema | more)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the API.

    ``routes`` are paths below ``/api/v1`` with the scope that each needs, none for an empty string. Taken is the first
    one whose ids are all given; ``{made}`` stands for the id in the answer to the step before. ``query`` and ``body``
    name the arguments that go there, ``always`` is put in the query.
    """

    method: str
    routes: Mapping[str, str]
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    always: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a client may tell its user before a call."""

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = False

    def as_json(self) -> dict[str, bool]:
        """Return the annotations of a tool."""
        return {
            "readOnlyHint": self.read_only,
            "destructiveHint": self.destructive,
            "idempotentHint": self.idempotent,
            "openWorldHint": self.open_world,
        }


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    ``takes`` are its arguments by name. ``unless`` is a scope with which a key does not need it. ``ours`` names fields
    of the answer that are ours here, though others may write them elsewhere.
    """

    name: str
    title: str
    description: str
    steps: tuple[Step, ...]
    hints: Hints
    takes: Mapping[str, Argument] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    shape: Shape = Shape.PLAIN
    unless: str = ""
    ours: frozenset[str] = frozenset()

    @property
    def is_sending(self) -> bool:
        """Tell whether its call takes an ``Idempotency-Key``."""
        return "idempotency_key" in self.takes


def identifier(prefix: str, what: str) -> Argument:
    """Return an argument that is an id."""
    return Argument({"type": "string", "pattern": f"^{prefix}_[0-9A-Za-z]{{26}}$", "description": what}, prefix)


def text(what: str, **more: Any) -> Argument:
    """Return an argument that is a string."""
    return Argument({"type": "string", "description": what, **more})


def whole(what: str, least: int, most: int, **more: Any) -> Argument:
    """Return an argument that is an integer."""
    return Argument({"type": "integer", "minimum": least, "maximum": most, "description": what, **more})


def yes_or_no(what: str, **more: Any) -> Argument:
    """Return an argument that is a boolean."""
    return Argument({"type": "boolean", "description": what, **more})


def texts(what: str, **more: Any) -> Argument:
    """Return an argument that is a list of strings."""
    return Argument({"type": "array", "items": {"type": "string"}, "description": what, **more})


MOMENT = "ISO 8601, as in 2026-03-08T14:30:00Z"
INBOX = identifier("inb", "Id of an inbox; list_inboxes tells them.")
MESSAGE = identifier("msg", "Id of a message.")
DRAFT = identifier("drf", "Id of a draft.")
LIMIT = whole("How many at most.", 1, 100, default=20)
CURSOR = text("next_cursor of the page before, to go on from there.", maxLength=1000)
PAGE = {"limit": LIMIT, "cursor": CURSOR}
READS = Hints(read_only=True, idempotent=True)
