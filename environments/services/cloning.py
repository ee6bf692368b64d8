"""Copying one environment's configuration to another of the same organization: first a plan, then exactly that."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction

from environments.binding import inside, outside
from environments.callers import Actor
from environments.cloning import Copy, Described, Item
from environments.contributions import contributed
from environments.errors import Conflict, NotFound, PersonRequired
from environments.models import Environment
from environments.services.audit import record
from environments.services.environments import locked


@dataclass(frozen=True)
class Plan:
    """What copying would do, and the digest that stands for exactly this."""

    source: Environment
    target: Environment
    items: Sequence[Item]

    @property
    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of which environments and which items these are."""
        content = [self.source.pk, self.target.pk, [item.as_json() for item in self.items]]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def to_do(self) -> list[Item]:
        """Return the items that applying would carry out."""
        return [item for item in self.items if item.is_done]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as the command prints it."""
        return {
            "source": self.source.pk,
            "target": self.target.pk,
            "digest": self.digest,
            "items": [item.as_json() for item in self.items],
        }


def plan_clone(source: Environment, target: Environment) -> Plan:
    """Return what copying the source's configuration to the target would do; writes nothing.

    The caller has checked that the person administers both. They are looked into one after the other, each in a
    transaction bound to it. Raises NotFound where they are not two environments of one organization.
    """
    if source.organization_id != target.organization_id or source.pk == target.pk:
        raise NotFound
    copies = _copies()
    with outside(), inside(source):
        described = {copy.kind: copy.describe(source) for copy in copies}
    with outside(), inside(target):
        return Plan(source, target, _planned(copies, target, described))


def _copies() -> list[Copy]:
    return contributed("clones", "COPIES")


def _planned(copies: Sequence[Copy], target: Environment, described: Mapping[str, list[Described]]) -> list[Item]:
    return [item for copy in copies for item in copy.plan(target, described[copy.kind])]


def apply_clone(source: Environment, target: Environment, digest: str, *, actor: Actor) -> dict[str, str]:
    """Carry out the plan with this digest; return the secrets that it made, by name, to be shown once.

    Raises PersonRequired, and Conflict when either environment has changed since, so that the plan is another one.
    """
    if not actor.is_person:
        raise PersonRequired(fix="Do it in the console, or with manage.py clone_environment.")
    with transaction.atomic():
        target = locked(target)
        plan = plan_clone(source, target)
        if plan.digest != digest:
            raise Conflict(
                "Something has changed since this plan was made.", fix="Look at the new plan, then apply it."
            )
        secrets: dict[str, str] = {}
        with outside(), inside(target):
            for copy in _copies():
                items = [item for item in plan.to_do if item.kind == copy.kind]
                secrets |= copy.apply(target, items, actor) if items else {}
            _record(plan, actor)
    return secrets


def _record(plan: Plan, actor: Actor) -> None:
    """Write what was copied on the target's record, and from where on that of the organization alone.

    Whoever administers only the target need not learn which other environments there are.
    """
    target, organization_id = plan.target, plan.target.organization_id
    counted: dict[str, Any] = {"items": len(plan.to_do), "plan": plan.digest}
    record(organization_id, actor, "environment.cloned", target.pk, environment=target, after=counted)
    after = {"target": target.pk, **counted}
    record(organization_id, actor, "environment.cloned_from", plan.source.pk, after=after)
