"""Asking over HTTP, and comparing: an answer about what is foreign must be the answer about what does not exist."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import orjson
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from agentpost_site.isolation.digests import PUBLIC_ID, Marks
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.ground import HOST
from agentpost_site.isolation.world import Place

DRAWN_PER_ANSWER = re.compile(
    r'"request_id":"[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|\breq_[0-9A-Z]{26}\b|nonce-[\w+/=-]+'
    r'|(?<="now":)"[^"]*"'
    r"|(?:(?<=MAIL )|(?<=TEXT )|(?<=that hold ))[0-9a-f]{32}\b"
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECRET = re.compile(
    r"\b(?:whsec|ap_sk_live|ap_sk_dev|ap_tkt)_[\w+/=-]+…?|agentpost-verification=[\w-]+|(?<=\?token=)[^\"&\s]+"
    r"|\bap-[a-z2-9]{8}-(?:rsa|ed25519)|\bp=[\w+/=]{40,}"  # selectors and keys of DKIM
)
MESSAGE_ID = re.compile(r"<[0-9a-hjkmnp-tv-z]{26}@")
SUFFIX = re.compile(r"\b([a-z]+)-[a-km-np-z2-9]{6}(?=[@\"])")
PASSING_HEADERS = {
    "Request-Id",
    "Date",
    "Expires",
    "Last-Modified",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Content-Length",
}
LONGEST_EXCERPT = 160


@dataclass(frozen=True)
class Request:
    """One request.

    ``asked`` are the strings in it that an answer may repeat, ``is_counted`` tells whether its queries matter, and
    ``is_undone`` whether what it wrote is taken back.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] | None = None
    asked: tuple[str, ...] = ()
    is_counted: bool = True
    is_undone: bool = False

    def with_query(self, name: str, value: str) -> "Request":
        """Return the same request with one more query parameter."""
        return replace(self, query=(*self.query, (name, value)))

    def with_header(self, name: str, value: str) -> "Request":
        """Return the same request with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def with_field(self, name: str, value: Any) -> "Request":
        """Return the same request with one more field in its body."""
        return replace(self, body={**(self.body or {}), name: value})

    def asking(self, *values: str) -> "Request":
        """Return the same request, told what its answer may repeat."""
        return replace(self, asked=(*self.asked, *values))


@dataclass(frozen=True)
class Answer:
    """What came back, without what is drawn anew for every answer, and how many queries it took."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str
    queries: int

    def differs_from(self, other: "Answer") -> str:
        """Return in what two answers differ, or an empty string."""
        for name in ("status", "headers", "text", "queries"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                foreign, missing = _excerpt(ours, theirs), _excerpt(theirs, ours)
                return f"{name}: {foreign} for what is foreign, {missing} for what is missing"
        return ""


def _excerpt(value: Any, other: Any) -> str:
    """Return the part of a value where it starts to differ from the other."""
    text, against = str(value), str(other)
    start = next((index for index, pair in enumerate(zip(text, against, strict=False)) if len(set(pair)) > 1), 0)
    return repr(text[max(0, start - 20) : start + LONGEST_EXCERPT])


@dataclass(eq=False)
class Caller:
    """Somebody who asks: a key or a session; where they belong, and whose data they must never see.

    A thorough one is made to ask even what only repeats, in a nested path, what the flat one showed. One that takes
    back leaves nothing behind of what it wrote.
    """

    name: str
    home: Place
    victims: Sequence[Place]
    client: Client
    is_of_the_organization: bool = False
    is_thorough: bool = False
    takes_back: bool = False
    marks: Marks = field(init=False)
    _known: dict[str, Answer] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.marks = Marks(self.home, self.victims, sees_colleagues=self.is_of_the_organization)

    def ask(self, request: Request) -> Answer:
        """Send a request and return its answer."""
        with undone() if self.takes_back or request.is_undone else nullcontext(), counting() as queries:
            response = self._send(request)
        return normalised(response, request, queries())

    def ask_once(self, request: Request) -> Answer:
        """Return the answer to a request about what is missing, which is the same every time."""
        key = repr(request)
        if key not in self._known:
            self._known[key] = self.ask(request)
        return self._known[key]

    def _send(self, request: Request) -> HttpResponse:
        options: dict[str, Any] = {"query_params": _several(request.query), "headers": dict(request.headers)}
        if request.form is not None:
            options["data"] = dict(request.form)
        elif request.body is not None:
            options.update(data=orjson.dumps(request.body), content_type="application/json")
        return getattr(self.client, request.method.lower())(request.path, **options)


def _several(query: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in query:
        found.setdefault(name, []).append(value)
    return found


def client_with(secret: str = "") -> Client:
    """Return a client that sends this key, or none."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client(SERVER_NAME=HOST, headers=headers, raise_request_exception=False)


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Count the queries of the block."""
    number = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal number
        number += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        yield lambda: number


def normalised(response: HttpResponse, request: Request, queries: int) -> Answer:
    """Return an answer in which only what must be alike is left."""
    headers = {name: _without(value, request.asked) for name, value in response.headers.items()}
    kept = {name: "" if name in PASSING_HEADERS else value for name, value in headers.items()}
    kept["Set-Cookie"] = ",".join(sorted(response.cookies))
    content = b"".join(response.streaming_content) if response.streaming else response.content
    text = DRAWN_PER_ANSWER.sub("", _without(content.decode("utf-8", "replace"), request.asked))
    if request.method in {"POST", "PATCH"} and response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        text = _without_new(text)
    return Answer(response.status_code, tuple(sorted(kept.items())), text, queries if request.is_counted else 0)


def _without(text: str, asked: Iterable[str]) -> str:
    for known in sorted(asked, key=len, reverse=True):
        text = text.replace(known, "<asked>")
    return text


def _without_new(text: str) -> str:
    """Leave out of an answer to a creation what is drawn anew each time: id, times, secrets, random addresses."""
    text = MESSAGE_ID.sub("<random@", text)
    text = MOMENT.sub("<moment>", SECRET.sub("<secret>", SUFFIX.sub(r"\1-<random>", text)))
    seen: dict[str, str] = {}
    return PUBLIC_ID.sub(lambda match: seen.setdefault(match[0], f"<{match[0][:3]} {len(seen)}>"), text)


def compare(area: Area, caller: Caller, what: str, foreign: Request, missing: Request) -> None:
    """Demand the same answer, in as many queries, and no trace of the victims; a difference must show twice."""
    found = caller.ask(foreign)
    difference = found.differs_from(caller.ask_once(missing)) or seen_by(caller, found, foreign)
    if difference:
        found = caller.ask(foreign)
        difference = found.differs_from(caller.ask(missing)) or seen_by(caller, found, foreign)
    area.demand(f"{caller.name}: {foreign.method} {foreign.path} {what}", difference)


def look(area: Area, caller: Caller, request: Request) -> Answer:
    """Demand an answer without a trace of the victims; return it."""
    answer = caller.ask(request)
    area.demand(f"{caller.name}: {request.method} {request.path}", seen_by(caller, answer, request))
    return answer


def seen_by(caller: Caller, answer: Answer, request: Request) -> str:
    """Return what of the victims an answer shows, or that it broke, or an empty string."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
        return f"status {answer.status}"
    text = f"{answer.text} {answer.headers}"
    mark = caller.marks.seen_in(text, request.asked)
    return f"shows {mark}, in {_around(text, mark)}" if mark else ""


def _around(text: str, mark: str) -> str:
    start = text.find(mark)
    return repr(text[max(0, start - 60) : start + len(mark) + 20])
