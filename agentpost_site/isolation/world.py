"""Three tenants full of data: two environments of one organization, and one of another.

Every text of a place carries its canary; what the database must hold unique (addresses, slugs, client ids) does not,
since probes ask for it by name.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection, connections, models

from agentpost_site.isolation.discovery import environment_owned, our_models
from agentpost_site.isolation.furniture import furnish
from apikeys.models import ApiKey, ApiKeyEnvironment, KeyWindow, RateWindow, StreamTicket
from apikeys.scopes import RESOURCES
from apikeys.services import create_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.ids import decode, new_id
from environments.models import (
    Environment,
    EnvironmentMembership,
    EnvironmentOwned,
    Member,
    Organization,
    OrganizationOwned,
    User,
)
from environments.services.environments import create_environment, set_delivery_mode, update_environment
from environments.services.members import add_member, add_to_environment, invite
from environments.services.organizations import create_organization
from environments.telemetry.models import Beat
from mail.models import StrayIntake

EVERYTHING = ("*", "drafts:approve")
FIRST_NUMBER = 7_300_000_000  # of rows without a public id: no other text on a page looks like it


@dataclass(eq=False)
class Place:
    """One environment full of data, and who belongs there."""

    name: str
    organization: Organization
    environment: Environment
    canary: str = field(default_factory=lambda: f"canary{secrets.token_hex(8)}")
    unique: str = field(default_factory=lambda: f"u{secrets.token_hex(6)}")
    people: dict[str, User] = field(default_factory=dict)
    _ids: dict[type[models.Model], list[str]] = field(default_factory=dict)

    def ids(self, model: type[models.Model]) -> list[str]:
        """Return the public ids of the rows of a model that the place had when first asked, oldest first."""
        if model not in self._ids:
            with inside(self.environment):
                self._ids[model] = [str(pk) for pk in self.rows(model).order_by("pk").values_list("pk", flat=True)]
        return self._ids[model]

    def first(self, model: type[models.Model]) -> str | None:
        """Return the id of the place's first row of a model, or None when there is none."""
        return next(iter(self.ids(model)), None)

    def rows(self, model: type[models.Model]) -> models.QuerySet:
        """Return the rows of any model that belong to this place."""
        if issubclass(model, EnvironmentOwned):
            return model.everywhere.filter(environment=self.environment)
        if issubclass(model, OrganizationOwned):
            return self._of_the_organization(model)
        wanted: dict[str, Any] | None = {
            Organization: {"pk": self.organization.pk},
            User: {"pk__in": [user.pk for user in self.people.values()]},
            RateWindow: {"subject": decode("env", self.environment.pk)},
            Beat: {"host": self.environment.pk},  # it is nobody's either
            StrayIntake: {"helo": self.environment.pk},  # it is nobody's; the proof says whose it counts as
        }.get(model)
        rows = model._default_manager.all()  # noqa: SLF001 - whichever it is
        return rows.filter(**wanted) if wanted else rows.none()

    def _of_the_organization(self, model: type[OrganizationOwned]) -> models.QuerySet:
        """Return the organization's rows that are about this environment, where they are about any."""
        rows = model.everywhere.filter(organization=self.organization)
        if model is Environment:
            return rows.filter(pk=self.environment.pk)
        if model is Member:
            places = EnvironmentMembership.everywhere.filter(environment=self.environment)
            return rows.filter(pk__in=places.values("member"))
        if model in {ApiKey, KeyWindow}:
            reach = ApiKeyEnvironment.everywhere.filter(environment=self.environment)
            return rows.filter(**{"pk__in" if model is ApiKey else "key__in": reach.values("key")})
        names = {one.attname for one in model._meta.local_fields}
        return rows.filter(environment_id=self.environment.pk) if "environment_id" in names else rows


@dataclass(eq=False)
class World:
    """Ours, theirs in the same organization, and a stranger's."""

    ours: Place
    theirs: Place
    stranger: Place
    secrets: dict[str, str]

    @property
    def places(self) -> tuple[Place, Place, Place]:
        """Return all three."""
        return self.ours, self.theirs, self.stranger

    @cached_property
    def missing(self) -> dict[type[models.Model], str]:
        """Return an id for each model that no row has."""
        return {model: _missing(model) for model in our_models()}

    def empty_tables(self) -> list[str]:
        """Return which walled tables a place has no row in: there the proof would be empty."""
        return [
            f"{model._meta.label} has no row in {place.name}"
            for model in environment_owned()
            for place in self.places
            if not place.first(model)
        ]


def _missing(model: type[models.Model]) -> str:
    prefix = getattr(model._meta.pk, "prefix", "")
    return new_id(prefix) if prefix else str(FIRST_NUMBER + 10**9 + secrets.randbelow(10**6))


def of_the_same_moment(identifier: str) -> str:
    """Return an id that no row has, and that sorts among all rows as this one does."""
    return identifier[:-1] + ("1" if identifier[-1] == "0" else "0")


def build() -> World:
    """Create the three places in the database that is stood in, which is empty."""
    _number_from(FIRST_NUMBER)
    ours, theirs = _one_organization()
    stranger = _another_organization()
    for place in (ours, theirs, stranger):
        furnish(place.environment, place.canary, place.unique)
        _populate(place)
    dev = create_key(ours.organization.pk, "dev", actor=SYSTEM, scopes=EVERYTHING).secret
    boss = Actor("operator", name="The proof")
    theirs.environment = set_delivery_mode(theirs.environment, "live", actor=boss, reason="Dev keys must not see it.")
    keys = {"dev": dev, **_keys(ours, theirs, stranger)}
    forget_rates()
    RateWindow.objects.create(subject=decode("env", ours.environment.pk), minute=clock.now(), calls=1)
    process = {"kind": "proof", "pid": 1, "started": 1.0, "at": clock.now()}
    Beat.objects.create(id=f"proof@{ours.environment.pk}", host=ours.environment.pk, **process)
    StrayIntake.objects.create(recipient="nobody@stray.example", helo=ours.environment.pk, outcome="refused")
    return World(ours, theirs, stranger, keys)


def _number_from(first: int) -> None:
    with connections["owner"].cursor() as cursor:
        for model in our_models():
            if isinstance(model._meta.pk, models.BigAutoField):
                cursor.execute(f"ALTER TABLE {model._meta.db_table} ALTER COLUMN id RESTART WITH {first}")


def _one_organization() -> tuple[Place, Place]:
    organization, default, _ = create_organization("Acme", "owner@acme.example")
    other, _ = create_environment(organization, "Other", actor=SYSTEM, slug="other")
    return _named(Place("ours", organization, default)), _named(Place("theirs", organization, other))


def _another_organization() -> Place:
    organization, default, owner = create_organization("Globex", "owner@globex.example")
    create_environment(organization, "Other", actor=SYSTEM)
    place = _named(Place("stranger", organization, default))
    place.people["owner"] = owner.user
    return place


def _named(place: Place) -> Place:
    """Give the environment a name that tells, and a slug that no other organization has."""
    changes = {"name": place.canary, "description": place.canary, "slug": f"env-{place.unique}"}
    place.environment.client_id = f"environment-{place.unique}"
    place.environment.save(update_fields=["client_id"])
    place.environment = update_environment(place.environment, changes, actor=SYSTEM)
    return place


def _populate(place: Place) -> None:
    """Add people, an invitation and keys; one person is admin of this environment, and one a plain member."""
    for role in ("admin", "member"):
        email = f"{role}@{place.name}.example"
        member, _ = add_member(place.organization, email, "member", actor=SYSTEM)
        add_to_environment(place.environment, member, role, actor=SYSTEM)
        place.people[role] = member.user
        invite(place.organization.pk, f"guest-{role}@{place.name}.example", "member", actor=SYSTEM)
        made = create_key(
            place.organization.pk, f"{role} {place.canary}", actor=SYSTEM, environments=[place.environment]
        )
        KeyWindow.objects.in_organization(place.organization).create(
            organization=place.organization, key=made.key, period="hour", start=clock.now(), count=1, most=9
        )
        outlasting = clock.now() + timedelta(days=1)
        leave_ticket(place, outlasting, member=member)
        leave_ticket(place, outlasting, key=made.key, key_hash=bytes(made.key.secret_hash))


def leave_ticket(place: Place, expires_at: datetime, **holder: Any) -> None:
    """Leave a ticket that nobody knows, of a member or of a key."""
    StreamTicket.objects.in_organization(place.organization).create(
        organization=place.organization,
        environment=place.environment,
        **holder,
        digest=secrets.token_bytes(32),
        expires_at=expires_at,
    )


def _keys(ours: Place, theirs: Place, stranger: Place) -> dict[str, str]:
    """Return the secrets that probes ask with, by name."""
    mine, reading = [ours.environment], [f"{resource}:read" for resource in RESOURCES]
    wanted = {
        "narrow": (ours, EVERYTHING, mine),
        "stranger": (stranger, EVERYTHING, None),
        "theirs": (theirs, EVERYTHING, [theirs.environment]),
        "silent": (ours, [], mine),
        "reading": (ours, reading, mine),
    }
    return {
        name: create_key(place.organization.pk, name, actor=SYSTEM, scopes=scopes, environments=reach).secret
        for name, (place, scopes, reach) in wanted.items()
    }


def forget_rates() -> None:
    """Empty the counters of calls, which chores move into usage; then none is due."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM apikeys_ratewindow")
