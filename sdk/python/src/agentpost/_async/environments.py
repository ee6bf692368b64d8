"""Environments: the walls."""

from __future__ import annotations

from typing import Literal, Optional

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import Call, header, path_of
from agentpost._inputs import Moment, as_query
from agentpost._settings import ENVIRONMENT
from agentpost.bodies import EnvironmentBody, EnvironmentChanges, EnvironmentMemberBody, PageQuery
from agentpost.models import Deliverability, Environment, EnvironmentMember, Usage
from agentpost.pages import AsyncPage


class AsyncEnvironments(AsyncResource):
    """``client.environments``. An environment is named by its id or its slug."""

    async def create(self, **environment: Unpack[EnvironmentBody]) -> Environment:
        """Create an environment; with a ``client_id`` seen before, return that one."""
        return await self._post("/environments", Environment, environment)

    def list(self, **query: Unpack[PageQuery]) -> AsyncPage[Environment]:
        """List the environments that the key reaches."""
        return self._list("/environments", Environment, query)

    async def get(self, environment_id: str) -> Environment:
        """Return an environment."""
        return await self._get(path_of("environments", environment_id), Environment)

    async def update(self, environment_id: str, **changes: Unpack[EnvironmentChanges]) -> Environment:
        """Change an environment. A key may only tighten what mail can leave it."""
        return await self._patch(path_of("environments", environment_id), Environment, changes)

    async def delete(self, environment_id: str, *, force: bool = False) -> None:
        """Delete an environment that is empty; by ``force`` with everything in it."""
        await self._delete(path_of("environments", environment_id), {"force": "true"} if force else {})

    def list_members(self, environment_id: str, **query: Unpack[PageQuery]) -> AsyncPage[EnvironmentMember]:
        """List the members of an environment."""
        return self._list(path_of("environments", environment_id, "members"), EnvironmentMember, query)

    async def add_member(self, environment_id: str, **member: Unpack[EnvironmentMemberBody]) -> EnvironmentMember:
        """Add a member of the organization to an environment."""
        return await self._post(path_of("environments", environment_id, "members"), EnvironmentMember, member)

    async def update_member(
        self, environment_id: str, member_id: str, *, role: Literal["admin", "member"]
    ) -> EnvironmentMember:
        """Give a member another role in an environment."""
        path = path_of("environments", environment_id, "members", member_id)
        return await self._patch(path, EnvironmentMember, {"role": role})

    async def remove_member(self, environment_id: str, member_id: str) -> None:
        """Take a member out of an environment."""
        await self._delete(path_of("environments", environment_id, "members", member_id))

    async def usage(
        self,
        environment_id: str,
        *,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        interval: Optional[Literal["hour", "day", "month"]] = None,
    ) -> Usage:
        """Return what went on in an environment, by the hour, day or month."""
        query = as_query({"from_": from_, "to": to, "interval": interval})
        return await self._made(Call("GET", "/usage", query, headers=inside(environment_id)), Usage)

    async def deliverability(self, environment_id: str) -> Deliverability:
        """Return how well mail of an environment arrives."""
        return await self._made(Call("GET", "/deliverability", headers=inside(environment_id)), Deliverability)


def inside(environment_id: str) -> dict[str, str]:
    """Return the header of a call in this environment, whatever the client's own is. Raises ConfigurationError."""
    return header(ENVIRONMENT, environment_id)
