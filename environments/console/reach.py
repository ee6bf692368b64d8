"""Who looks at a console page, which environments exist for them, and in which one the page stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from environments.callers import Actor
from environments.console.permissions import Kind, Role, may
from environments.ids import decode
from environments.models import Environment, EnvironmentMembership, Member, User

SESSION_KEY = "console_environment"
LISTED = 250  # in the switcher; the page of the organization shows the rest


@dataclass
class Console:
    """One look at the console, decided anew for every request from what the database says now."""

    user: User | None
    environment: Environment | None = None
    member: Member | None = None
    role: Role = Role.STRANGER
    address: str | None = None
    looks: set[tuple[str, str]] = field(default_factory=set)
    waiting: Mapping[str, int] | None = None  # what the navigation counts, once it has been asked for
    kept: dict[str, Any] = field(default_factory=dict)  # what parts of a page asked for, and share

    @property
    def here(self) -> Environment:
        """Return the environment of the page; the middleware lets no admin class be asked without one."""
        if self.environment is None:
            raise RuntimeError("This page stands in no environment.")
        return self.environment

    @property
    def person(self) -> User:
        """Return who looks; no page behind the sign-in is shown to nobody."""
        if self.user is None:
            raise RuntimeError("Nobody is signed in.")
        return self.user

    @property
    def is_operator(self) -> bool:
        """Return whether a superuser looks."""
        return self.user is not None and self.user.is_superuser

    @property
    def is_visiting(self) -> bool:
        """Return whether an operator looks into an environment in which they have no place of their own."""
        return self.role == Role.OPERATOR

    @property
    def actor(self) -> Actor:
        """Return whom an audit entry names."""
        if self.user is None or (not self.is_operator and self.member is None):
            return Actor("member", name=str(self.user or ""), address=self.address)
        if self.member is None or self.is_visiting:
            return Actor("operator", str(self.user.pk), self.user.email, self.address)
        return Actor("member", self.member.pk, self.user.email, self.address)

    def may(self, kind: Kind, verb: str) -> bool:
        """Return whether this person may do this here."""
        roles = {self.role, Role.OPERATOR} if self.is_operator else {self.role}
        return self.environment is not None and any(may(role, kind, verb) for role in roles)

    @cached_property
    def is_admitted(self) -> bool:
        """Return whether this person belongs in the console at all: an operator, or a member of any organization."""
        if self.user is None or not self.user.is_active:
            return False
        return self.environment is not None or is_admitted(self.user)

    @cached_property
    def listed(self) -> Sequence[Environment]:
        """Return what the switcher offers, by organization, the default environment first."""
        return list(reachable(self.user)[:LISTED]) if self.user else []


class ConsoleRequest(HttpRequest):
    """A request that has passed the console's middleware."""

    console: Console


def arrive(user: User | None, wanted: str | None, address: str | None) -> Console:
    """Return the look of this user (None when nobody is signed in) at the environment they chose, while they reach it.

    Without a choice, or with one that is out of reach, the page stands in the first environment that they do reach.
    """
    console = Console(user, address=address)
    if user is None:
        return console
    rows = _with_place(reachable(user), user)
    console.environment = (wanted and _named(rows, wanted)) or rows.first()
    if console.environment is not None:
        console.member, console.role = _place(user, console.environment)
    return console


def is_admitted(user: User) -> bool:
    """Return whether the user is an operator or has a place in any organization."""
    return user.is_superuser or Member.everywhere.filter(user=user).exists()


def reachable(user: User) -> QuerySet[Environment]:
    """Return the environments that exist for this user, over all organizations they are in."""
    rows = Environment.everywhere.select_related("organization")
    if not user.is_superuser:
        places = Member.everywhere.filter(user=user)
        ruled = places.filter(role__in=(Member.Role.OWNER, Member.Role.ADMIN)).values("organization")
        joined = EnvironmentMembership.everywhere.filter(member__in=places).values("environment")
        rows = rows.filter(Q(organization__in=ruled) | Q(pk__in=joined))
    return rows.order_by("organization__name", "organization", "-is_default", "name", "pk")


def find(user: User, name: str, organization_id: str | None = None) -> Environment | None:
    """Return the reachable environment with this id, or with this slug in the organization; None for any other."""
    return _named(reachable(user), name, organization_id)


def _named(rows: QuerySet[Environment], name: str, organization_id: str | None = None) -> Environment | None:
    if "\0" in name:  # PostgreSQL has no text for it
        return None
    try:
        decode("env", name)
    except ValueError:
        return rows.filter(slug=name, organization=organization_id).first() if organization_id else None
    return rows.filter(pk=name).first()


def _with_place(rows: QuerySet[Environment], user: User) -> QuerySet[Environment]:
    """Return environments, each with the user's place in its organization and in itself, in the same query."""
    members = Member.everywhere.filter(user=user, organization=OuterRef("organization"))
    joined = EnvironmentMembership.everywhere.filter(environment=OuterRef("pk"), member__user=user)
    return rows.annotate(
        member_id=Subquery(members.values("pk")[:1]),
        member_role=Subquery(members.values("role")[:1]),
        joined_role=Subquery(joined.values("role")[:1]),
    )


def _place(user: User, environment: Any) -> tuple[Member | None, Role]:
    """Return the user's place in the environment's organization, and their role in the environment.

    An operator who has a place of their own there has the role of that place.
    """
    member = None
    if environment.member_id:
        member = Member(
            pk=environment.member_id,
            organization=environment.organization,
            user=user,
            role=environment.member_role,
        )
    role = _role_of(member, environment.joined_role)
    return member, Role.OPERATOR if role == Role.STRANGER and user.is_superuser else role


def _role_of(member: Member | None, joined: str | None) -> Role:
    if member is None:
        return Role.STRANGER
    if member.reaches_every_environment:
        return Role.OWNER if member.role == Member.Role.OWNER else Role.ADMIN
    if joined is None:
        return Role.STRANGER
    is_admin = joined == EnvironmentMembership.Role.ADMIN
    return Role.ENVIRONMENT_ADMIN if is_admin else Role.ENVIRONMENT_MEMBER
