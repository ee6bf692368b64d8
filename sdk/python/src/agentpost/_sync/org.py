"""The organization: its members, and who is invited."""

from __future__ import annotations

from typing import Literal

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._sync.resource import Resource
from agentpost.bodies import InvitationBody, PageQuery
from agentpost.models import Invitation, Member, Organization
from agentpost.pages import Page


class Org(Resource):
    """``client.org``."""

    def get(self) -> Organization:
        """Return the organization of the key."""
        return self._get("/org", Organization)

    def update(self, *, name: str) -> Organization:
        """Give the organization another name."""
        return self._patch("/org", Organization, {"name": name})

    def list_members(self, **query: Unpack[PageQuery]) -> Page[Member]:
        """List the members of the organization."""
        return self._list("/org/members", Member, query)

    def get_member(self, member_id: str) -> Member:
        """Return a member."""
        return self._get(path_of("org", "members", member_id), Member)

    def update_member(self, member_id: str, *, role: Literal["admin", "member"]) -> Member:
        """Give a member another role in the organization."""
        return self._patch(path_of("org", "members", member_id), Member, {"role": role})

    def remove_member(self, member_id: str) -> None:
        """Take a member out of the organization."""
        self._delete(path_of("org", "members", member_id))

    def invite(self, **invitation: Unpack[InvitationBody]) -> Invitation:
        """Invite somebody by e-mail."""
        return self._post("/org/invitations", Invitation, invitation)

    def list_invitations(self, **query: Unpack[PageQuery]) -> Page[Invitation]:
        """List invitations, the newest first."""
        return self._list("/org/invitations", Invitation, query)

    def get_invitation(self, invitation_id: str) -> Invitation:
        """Return an invitation."""
        return self._get(path_of("org", "invitations", invitation_id), Invitation)

    def revoke_invitation(self, invitation_id: str) -> None:
        """Take an invitation back."""
        self._delete(path_of("org", "invitations", invitation_id))
