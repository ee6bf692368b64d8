"""Who comes to listen, and to what: the first is found by key or ticket, the second is asked of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from apikeys.authentication import bearer
from apikeys.streams import Listener, TicketRefused, caller_now, listener_of, redeem
from environments.answers import refusing
from environments.asking import Answer, Ask, Question
from environments.callers import Caller
from environments.errors import Unauthenticated, Unavailable
from webhooks.realtime.connections import Scope
from webhooks.realtime.reading import Place, Wanted
from webhooks.waking import DATABASE_TROUBLE, DatabaseThread

STREAM = "/api/v1/events/stream"
SECRETS = ("token", "ticket")  # in the query; they go no further than this module
PASSED_ON = {"agentpost-environment", "last-event-id"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for when it connects, without its secret."""

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    address: str

    @classmethod
    def of(cls, scope: Scope) -> tuple["Request", str]:
        """Return a request of ASGI, and the secret that came with it, or an empty string."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        secret = next((value for name, value in query if name in SECRETS), "")
        if "authorization" in headers:
            secret = _bearer(headers)
        return cls(
            path=scope["path"],
            query=tuple((name, value) for name, value in query if name not in SECRETS),
            headers={name: value for name, value in headers.items() if name in PASSED_ON},
            address=scope["client"][0] if scope.get("client") else "",
        ), secret

    def asking(self, *query: tuple[str, str], is_placed: bool = False) -> "Request":
        """Return this request with more in its query; one that names its environment is placed by nothing else."""
        if is_placed:
            return replace(self, query=query, headers={})
        return replace(self, query=(*self.query, *query))

    def question(self, caller: Caller | None) -> Question:
        """Return the request as one to the API, of this caller or of nobody."""
        return Question(
            path=self.path,
            query=urlencode(self.query),
            headers=self.headers,
            address=self.address,
            caller=caller,
        )


def _bearer(headers: Mapping[str, str]) -> str:
    try:
        return bearer({"Authorization": headers["authorization"]})
    except Unauthenticated:
        return ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the API lets a listener listen to."""

    place: Place
    wanted: Wanted
    after: str | None
    headers: tuple[tuple[str, str], ...] = ()

    def as_json(self, after: str | None) -> dict[str, Any]:
        """Return the subscription as its listener is told of it, begun behind the event ``after``."""
        return {
            "environment_ids": sorted(self.place.environment_ids),
            "event_types": sorted(self.wanted.types) or ["*"],
            "inbox_id": self.wanted.inbox_id,
            "after": after,
        }


class Refused(Exception):
    """The API's answer to somebody who may not listen."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)

    @property
    def error(self) -> Any:
        """Return what stands in the answer's ``error``."""
        try:
            return orjson.loads(self.answer.body)["error"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return orjson.loads(refusing(Unavailable()).body)["error"]


class Admission:
    """Finds out who listens and to what."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._thread = DatabaseThread("admission")

    async def listener(self, request: Request, secret: str) -> Listener:
        """Return who comes with this secret; raise Refused, in the words that the API has for it, or TicketRefused."""
        try:
            return await self._thread.run(listener_of, secret)
        except TicketRefused:
            raise
        except Unauthenticated as problem:
            raise Refused(await self._ask(replace(request, path=STREAM, query=()).question(None))) from problem
        except DATABASE_TROUBLE as trouble:
            raise Unavailable(headers={"Retry-After": "2"}) from trouble

    async def redeem(self, secret: str) -> None:
        """Use up a ticket, at the last moment before its stream begins. Raises TicketRefused."""
        try:
            await self._thread.run(redeem, secret)
        except DATABASE_TROUBLE as trouble:
            raise Unavailable(headers={"Retry-After": "2"}) from trouble

    async def caller(self, listener: Listener) -> Caller:
        """Return what a listener may reach at this moment. Raises Unauthenticated."""
        try:
            return await self._thread.run(caller_now, listener)
        except DATABASE_TROUBLE as trouble:
            raise Unavailable from trouble

    async def subscription(self, caller: Caller, *requests: Request) -> Subscription:
        """Return what these requests, one for each environment, may listen to together. Raises Refused."""
        answers = [await self._ask(request.question(caller)) for request in requests]
        for answer in answers:
            if answer.status != 200:  # noqa: PLR2004 - anything else is passed on
                raise Refused(answer)
        return _together(caller, answers)

    async def close(self) -> None:
        """Close the connection to the database."""
        await self._thread.close()


def _together(caller: Caller, answers: list[Answer]) -> Subscription:
    described = [orjson.loads(answer.body) for answer in answers]
    first = described[0]
    return Subscription(
        place=Place(caller.organization_id, frozenset(one["environment_id"] for one in described)),
        wanted=Wanted(frozenset(first["event_types"]), first["inbox_id"]),
        after=first["after"],
        headers=tuple((name, value) for name, value in answers[0].headers if name.lower() not in OF_THE_ANSWER),
    )


OF_THE_ANSWER = {"content-type", "content-length", "cache-control", "request-id"}
