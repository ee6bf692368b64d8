"""System checks: a model without its walls keeps the server from starting."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.db import models

from environments.fields import SameEnvironmentForeignKey, SameOrganizationForeignKey
from environments.ids import PrefixedIDField
from environments.managers import EnvironmentManager, OrganizationManager
from environments.models import EnvironmentOwned, OrganizationOwned
from environments.sealed import sealed_fields

OURS = ("environments", "apikeys", "webhooks", "inboxes", "mail")

PLATFORM = {  # models of ours that neither an environment nor an organization owns, each with its reason
    "environments.User": "a person may be a member of several organizations",
    "environments.Organization": "the root of ownership",
    "environments.Beat": "tells that a process lives, whichever environments it works for",
    "apikeys.RateWindow": "counts calls of keys and of environments before either is trusted",
    "inboxes.AddressHold": "outlives the environment that gave the address up",
    "mail.StrayIntake": "mail for addresses that nobody has, for operators to look at",
}
NAMES_AN_ENVIRONMENT = {  # models that carry an environment and are not owned by it, each with its reason
    "environments.EnvironmentMembership": "read to learn which environments a member reaches",
    "environments.AuditEntry": "outlives the environment it tells of",
    "apikeys.ApiKeyEnvironment": "read to learn which environments a key reaches",
    "apikeys.StreamTicket": "redeemed to learn which environment it opens a stream of",
    "inboxes.AddressHold": "outlives the environment that gave the address up",
}
UNIQUE_EVERYWHERE = {  # constraints that hold across environments, each with the one answer that tells nothing
    "one_verified_holder_per_domain": "AddressNotAvailable, or Conflict to an operator",
    "one_holder_per_shared_address": "the suffix is random; AddressNotAvailable",
}


@register()
def check_walls(**_: Any) -> list[CheckMessage]:
    """Return an error for every model of ours that a wall does not cover."""
    found: list[CheckMessage] = []
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            found += [*_ownership(model), *_references(model), *_purposes(model)]
        if issubclass(model, EnvironmentOwned):
            found += [*_managers(model, EnvironmentManager), *_shape(model)]
        elif issubclass(model, OrganizationOwned):
            found += _managers(model, OrganizationManager)
    return found


def _error(model: type[models.Model], number: int, problem: str, hint: str) -> Error:
    return Error(f"{model._meta.label} {problem}.", hint=hint, obj=model, id=f"environments.E{number:03}")


def _ownership(model: type[models.Model]) -> Iterator[Error]:
    label, columns = model._meta.label, {field.attname for field in model._meta.local_concrete_fields}
    owned = issubclass(model, EnvironmentOwned)
    if not owned and "environment_id" in columns and label not in NAMES_AN_ENVIRONMENT:
        yield _error(model, 1, "has an environment and no walls", "Derive it from EnvironmentOwned.")
    if not owned and not issubclass(model, OrganizationOwned) and label not in PLATFORM:
        yield _error(model, 2, "is owned by nobody", "Derive it from EnvironmentOwned or OrganizationOwned.")


def _managers(model: type[models.Model], guard: type[models.Manager]) -> Iterator[Error]:
    managers = {manager.name: type(manager) for manager in model._meta.managers}
    if managers != {"everywhere": models.Manager, "objects": guard}:
        yield _error(model, 3, "has other managers than its base", "Leave everywhere and objects as they are.")


def _references(model: type[models.Model]) -> Iterator[Error]:
    for field in model._meta.local_fields:
        target = field.related_model
        if not isinstance(target, type) or field.name in {"environment", "organization"}:
            continue
        if issubclass(target, EnvironmentOwned) and not _is_held(model, field, EnvironmentOwned):
            yield _error(model, 4, f"lets {field.name} leave the environment", "Use SameEnvironmentForeignKey.")
        if issubclass(target, OrganizationOwned) and not isinstance(field, SameOrganizationForeignKey):
            yield _error(model, 5, f"lets {field.name} leave the organization", "Use SameOrganizationForeignKey.")


def _is_held(model: type[models.Model], field: models.Field, owner: type[models.Model]) -> bool:
    inside = isinstance(field, SameEnvironmentForeignKey) and not isinstance(field, SameOrganizationForeignKey)
    return inside and issubclass(model, owner)


def _shape(model: type[EnvironmentOwned]) -> Iterator[Error]:
    if not isinstance(model._meta.pk, PrefixedIDField):
        yield _error(model, 6, "has no prefixed id", "Give it id = PrefixedIDField(prefix, primary_key=True).")
    if model._meta.local_many_to_many:
        yield _error(model, 7, "has a many-to-many field", "Write the table between as a model of its own.")
    for field in model._meta.local_fields:
        if field.remote_field and not field.remote_field.hidden:
            yield _error(model, 8, f"can be reached backwards through {field.name}", 'Give it related_name="+".')
        if field.unique and not field.primary_key:
            yield _error(model, 9, f"tells by {field.name} what others have", "Make it unique in the environment.")
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and not _stays_home(model, constraint):
            yield _error(model, 9, f"tells by {constraint.name} what others have", "Add environment to its fields.")


def _purposes(model: type[models.Model]) -> Iterator[Error]:
    for field in sealed_fields(model):
        if not field.purpose:
            yield _error(model, 10, f"does not say what {field.name} is sealed for", "Give it a purpose of its own.")


def _stays_home(model: type[models.Model], constraint: models.UniqueConstraint) -> bool:
    """Return whether two environments can never clash on a constraint."""
    fields = [model._meta.get_field(name) for name in constraint.fields]
    held = any(field.name == "environment" or isinstance(field, SameEnvironmentForeignKey) for field in fields)
    return held or constraint.name in UNIQUE_EVERYWHERE
