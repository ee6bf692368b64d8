"""Makes calls, and makes them again where that can do no harm."""

from __future__ import annotations

from typing import Any, Optional

import anyio
import httpx2

from agentpost._calls import IDEMPOTENCY_KEY, Call, Outcome, may_have_arrived, path_of, pause_before_retry
from agentpost._guard import check_environment
from agentpost._model import read_as
from agentpost._retry_after import seconds_until
from agentpost._settings import ENVIRONMENT, Settings
from agentpost.errors import (
    AgentPostError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    NotFoundError,
    PermissionDeniedError,
    error_of,
)
from agentpost.models import Environment, Me, MeEnvironment


class AsyncConnection:
    """A connection to one server under one key."""

    def __init__(self, settings: Settings, http: httpx2.AsyncClient, proven: Optional[set[Any]] = None) -> None:
        self.settings, self.http = settings, http
        self._proven = set() if proven is None else proven

    def with_settings(self, settings: Settings) -> AsyncConnection:
        """Return one to the same server, through the same sockets, with other settings."""
        return AsyncConnection(settings, self.http, self._proven)

    async def answer(self, call: Call) -> httpx2.Response:
        """Return what a call is answered.

        Raises APIError for a refusal, APIConnectionError when there is no answer, EnvironmentMismatchError when the key
        is not for the environment that is expected.
        """
        await self.prove()
        return await self._answer(call)

    async def prove(self) -> None:
        """Ask once what the key is, where an environment is expected, before anything else is asked."""
        expected, chosen = self.settings.expect_environment, self.settings.environment
        if expected is None or (expected, chosen) in self._proven:
            return
        me = read_as(Me, (await self._answer(Call("GET", "/me"))).content)
        if me.has_more_environments:
            for name in {expected, chosen or expected}:
                me.environments += await self._environments(name)
        check_environment(me, expected, chosen)
        self._proven.add((expected, chosen))

    async def _environments(self, name: str) -> list[MeEnvironment]:
        """Return the environment of this name, in a list that is empty where the key cannot see it."""
        try:
            answer = await self._answer(Call("GET", path_of("environments", name)))
        except (NotFoundError, PermissionDeniedError):
            return []
        return [MeEnvironment.model_validate(read_as(Environment, answer.content).model_dump())]

    async def _answer(self, call: Call) -> httpx2.Response:
        retries, was_received = 0, False
        while True:
            outcome = await self._outcome(call)
            pause = self._pause(call, outcome, retries)
            if pause is None:
                return settled(call, outcome, is_retry=was_received)
            was_received = was_received or may_have_arrived(outcome)
            retries += 1
            await anyio.sleep(pause)

    def _pause(self, call: Call, outcome: Outcome, retries: int) -> Optional[float]:
        if retries >= self.settings.max_retries:
            return None
        asked = seconds_until(outcome.headers.get("retry-after")) if isinstance(outcome, httpx2.Response) else None
        return pause_before_retry(call, outcome, retries, asked)

    async def _outcome(self, call: Call) -> Outcome:
        try:
            return await self.http.send(self.request_of(call))
        except httpx2.TransportError as problem:
            return problem

    def request_of(self, call: Call) -> httpx2.Request:
        """Return the request of a call. The key goes to the server of the settings, and nowhere else."""
        own = {} if call.is_signed_url else self.settings.headers
        return self.http.build_request(
            call.method,
            self.settings.url_of(call),
            params=dict(call.query) or None,
            json=call.body,
            content=call.content,
            headers={**own, **call.headers},
            timeout=self.settings.timeouts(call.read_timeout),
        )


def settled(call: Call, outcome: Outcome, *, is_retry: bool) -> httpx2.Response:
    """Return the answer that a call came to. Raises AgentPostError.

    A deletion whose answer was lost is told on a retry that there is nothing: it has been done.
    """
    problem, is_deletion = problem_of(outcome), call.method == "DELETE" and call.body is None
    if problem is None or (isinstance(problem, NotFoundError) and is_deletion and is_retry):
        assert isinstance(outcome, httpx2.Response)  # noqa: S101 - what else has no problem, or a status
        return outcome
    problem.idempotency_key = call.headers.get(IDEMPOTENCY_KEY)
    raise problem from (outcome if isinstance(outcome, Exception) else None)


def problem_of(outcome: Outcome) -> Optional[AgentPostError]:
    """Return what is wrong with an outcome, if anything is."""
    if isinstance(outcome, httpx2.Response):
        return None if outcome.is_success else _refusal(outcome)
    arrived, origin = may_have_arrived(outcome), origin_in(outcome.request)
    kind = APITimeoutError if isinstance(outcome, httpx2.TimeoutException) else APIConnectionError
    hint = "" if arrived else " Is AgentPost running there (make run), and is AGENTPOST_BASE_URL right?"
    why = str(outcome) or type(outcome).__name__
    return kind(f"{origin} does not answer: {why.rstrip('.')}.{hint}", may_have_arrived=arrived)


def _refusal(answer: httpx2.Response) -> APIError:
    problem = error_of(answer.status_code, answer.headers, answer.content, origin_in(answer.request))
    problem.environment = answer.request.headers.get(ENVIRONMENT)
    return problem


def origin_in(request: httpx2.Request) -> str:
    """Return whom a request went to; what else is in its URL may open something."""
    url = request.url
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
