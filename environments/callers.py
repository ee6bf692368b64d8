"""Who asks, told in terms that this app understands: a key, a person, or the system itself."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from environments.models import Environment


@dataclass(frozen=True)
class Actor:
    """Who an audit entry names. ``kind`` is ``key``, ``member``, ``operator`` (a superuser) or ``system``."""

    kind: str
    id: str = ""
    name: str = ""
    address: str | None = None

    @property
    def is_person(self) -> bool:
        """Return whether a person acts, who alone may let more mail out."""
        return self.kind in {"member", "operator"}


SYSTEM = Actor("system", name="AgentPost")


@dataclass(frozen=True)
class Caller:
    """What one request may reach.

    ``environment_ids`` is None for the whole organization; ``may_reach_live`` is False for a ``dev`` key; a quota is
    None where there is no limit.
    """

    organization_id: str
    actor: Actor
    scopes: frozenset[str] = field(default_factory=frozenset)
    environment_ids: frozenset[str] | None = None
    may_reach_live: bool = True
    expires_at: datetime | None = None
    hourly_sending_quota: int | None = None
    daily_sending_quota: int | None = None

    def reaches(self, environment: Environment) -> bool:
        """Return whether the environment exists for this caller."""
        return (
            environment.organization_id == self.organization_id
            and (self.environment_ids is None or environment.pk in self.environment_ids)
            and (self.may_reach_live or not environment.is_live)
        )

    def reachable(self) -> QuerySet[Environment]:
        """Return the environments of the organization that exist for this caller."""
        rows = Environment.objects.in_organization(self.organization_id)
        if self.environment_ids is not None:
            rows = rows.filter(pk__in=self.environment_ids)
        if not self.may_reach_live:
            rows = rows.exclude(delivery_mode=Environment.DeliveryMode.LIVE)
        return rows
