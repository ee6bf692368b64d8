"""The organization: its members, and who is invited."""

from __future__ import annotations

from typing import Literal

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import path_of
from agentpost.bodies import InvitationBody, PageQuery
from agentpost.models import Invitation, Member, Organization
from agentpost.pages import AsyncPage


class AsyncOrg(AsyncResource):
    """``client.org``."""

    async def get(self) -> Organization:
        """Return the organization of the key."""
        return await self._get("/org", Organization)

    async def update(self, *, name: str) -> Organization:
        """Give the organization another name."""
        return await self._patch("/org", Organization, {"name": name})

    def list_members(self, **query: Unpack[PageQuery]) -> AsyncPage[Member]:
        """List the members of the organization."""
        return self._list("/org/members", Member, query)

    async def get_member(self, member_id: str) -> Member:
        """Return a member."""
        return await self._get(path_of("org", "members", member_id), Member)

    async def update_member(self, member_id: str, *, role: Literal["admin", "member"]) -> Member:
        """Give a member another role in the organization."""
        return await self._patch(path_of("org", "members", member_id), Member, {"role": role})

    async def remove_member(self, member_id: str) -> None:
        """Take a member out of the organization."""
        await self._delete(path_of("org", "members", member_id))

    async def invite(self, **invitation: Unpack[InvitationBody]) -> Invitation:
        """Invite somebody by e-mail."""
        return await self._post("/org/invitations", Invitation, invitation)

    def list_invitations(self, **query: Unpack[PageQuery]) -> AsyncPage[Invitation]:
        """List invitations, the newest first."""
        return self._list("/org/invitations", Invitation, query)

    async def get_invitation(self, invitation_id: str) -> Invitation:
        """Return an invitation."""
        return await self._get(path_of("org", "invitations", invitation_id), Invitation)

    async def revoke_invitation(self, invitation_id: str) -> None:
        """Take an invitation back."""
        await self._delete(path_of("org", "invitations", invitation_id))
