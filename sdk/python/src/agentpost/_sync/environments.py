"""Environments: the walls."""

from __future__ import annotations

from typing import Literal, Optional

from typing_extensions import Unpack

from agentpost._calls import Call, header, path_of
from agentpost._inputs import Moment, as_query
from agentpost._settings import ENVIRONMENT
from agentpost._sync.resource import Resource
from agentpost.bodies import EnvironmentBody, EnvironmentChanges, EnvironmentMemberBody, PageQuery
from agentpost.models import Deliverability, Environment, EnvironmentMember, Usage
from agentpost.pages import Page


class Environments(Resource):
    """``client.environments``. An environment is named by its id or its slug."""

    def create(self, **environment: Unpack[EnvironmentBody]) -> Environment:
        """Create an environment; with a ``client_id`` seen before, return that one."""
        return self._post("/environments", Environment, environment)

    def list(self, **query: Unpack[PageQuery]) -> Page[Environment]:
        """List the environments that the key reaches."""
        return self._list("/environments", Environment, query)

    def get(self, environment_id: str) -> Environment:
        """Return an environment."""
        return self._get(path_of("environments", environment_id), Environment)

    def update(self, environment_id: str, **changes: Unpack[EnvironmentChanges]) -> Environment:
        """Change an environment. A key may only tighten what mail can leave it."""
        return self._patch(path_of("environments", environment_id), Environment, changes)

    def delete(self, environment_id: str, *, force: bool = False) -> None:
        """Delete an environment that is empty; by ``force`` with everything in it."""
        self._delete(path_of("environments", environment_id), {"force": "true"} if force else {})

    def list_members(self, environment_id: str, **query: Unpack[PageQuery]) -> Page[EnvironmentMember]:
        """List the members of an environment."""
        return self._list(path_of("environments", environment_id, "members"), EnvironmentMember, query)

    def add_member(self, environment_id: str, **member: Unpack[EnvironmentMemberBody]) -> EnvironmentMember:
        """Add a member of the organization to an environment."""
        return self._post(path_of("environments", environment_id, "members"), EnvironmentMember, member)

    def update_member(
        self, environment_id: str, member_id: str, *, role: Literal["admin", "member"]
    ) -> EnvironmentMember:
        """Give a member another role in an environment."""
        path = path_of("environments", environment_id, "members", member_id)
        return self._patch(path, EnvironmentMember, {"role": role})

    def remove_member(self, environment_id: str, member_id: str) -> None:
        """Take a member out of an environment."""
        self._delete(path_of("environments", environment_id, "members", member_id))

    def usage(
        self,
        environment_id: str,
        *,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        interval: Optional[Literal["hour", "day", "month"]] = None,
    ) -> Usage:
        """Return what went on in an environment, by the hour, day or month."""
        query = as_query({"from_": from_, "to": to, "interval": interval})
        return self._made(Call("GET", "/usage", query, headers=inside(environment_id)), Usage)

    def deliverability(self, environment_id: str) -> Deliverability:
        """Return how well mail of an environment arrives."""
        return self._made(Call("GET", "/deliverability", headers=inside(environment_id)), Deliverability)


def inside(environment_id: str) -> dict[str, str]:
    """Return the header of a call in this environment, whatever the client's own is. Raises ConfigurationError."""
    return header(ENVIRONMENT, environment_id)
