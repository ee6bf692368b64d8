"""Drafts: mail that waits for a yes."""

from __future__ import annotations

from typing import Optional

from typing_extensions import Unpack

from agentpost._calls import path_of
from agentpost._inputs import Moment
from agentpost._optional import without_none
from agentpost._sync.resource import Resource
from agentpost.bodies import DraftBody, DraftChanges, DraftQuery, DraftVersionQuery
from agentpost.models import Draft, DraftVersion
from agentpost.pages import Page


class Drafts(Resource):
    """``client.drafts``.

    Name the ``version`` that you have read, and what you say counts for that one alone: else it is ConflictError.
    """

    def create(self, inbox_id: str, **mail: Unpack[DraftBody]) -> Draft:
        """Write a draft; with a ``client_id`` seen before, return that one."""
        return self._post(path_of("inboxes", inbox_id, "drafts"), Draft, mail)

    def list(self, inbox_id: Optional[str] = None, **query: Unpack[DraftQuery]) -> Page[Draft]:
        """List drafts, the newest first: of an inbox, or of the whole environment. ``include="body"`` adds bodies."""
        path = "/drafts" if inbox_id is None else path_of("inboxes", inbox_id, "drafts")
        return self._list(path, Draft, query)

    def get(self, draft_id: str) -> Draft:
        """Return a draft."""
        return self._get(path_of("drafts", draft_id), Draft)

    def update(self, draft_id: str, **changes: Unpack[DraftChanges]) -> Draft:
        """Change a draft, which takes back a yes."""
        return self._patch(path_of("drafts", draft_id), Draft, changes)

    def delete(self, draft_id: str) -> None:
        """Delete a draft."""
        self._delete(path_of("drafts", draft_id))

    def versions(self, draft_id: str, **query: Unpack[DraftVersionQuery]) -> Page[DraftVersion]:
        """List the versions of a draft, each with what differs."""
        return self._list(path_of("drafts", draft_id, "versions"), DraftVersion, query)

    def submit(self, draft_id: str, *, expires_at: Optional[Moment] = None, version: Optional[int] = None) -> Draft:
        """Ask for a yes, until ``expires_at``."""
        terms = without_none(expires_at=expires_at, version=version)
        return self._post(path_of("drafts", draft_id, "submit"), Draft, terms)

    def approve(self, draft_id: str, *, version: Optional[int] = None) -> Draft:
        """Say yes to a draft of somebody else."""
        return self._post(path_of("drafts", draft_id, "approve"), Draft, without_none(version=version))

    def reject(self, draft_id: str, *, reason: str, version: Optional[int] = None) -> Draft:
        """Say no to a draft of somebody else, and why."""
        return self._post(path_of("drafts", draft_id, "reject"), Draft, without_none(reason=reason, version=version))

    def send(self, draft_id: str, *, version: Optional[int] = None, idempotency_key: Optional[str] = None) -> Draft:
        """Send a draft. Trying again, here or by you under the same ``idempotency_key``, never sends twice."""
        return self._send(path_of("drafts", draft_id, "send"), Draft, without_none(version=version), idempotency_key)
