"""Environments: made, changed, paused, opened to the world by a person, and erased."""

from typing import Any

from django.db import IntegrityError, transaction

from environments.binding import inside
from environments.callers import Actor
from environments.erasure import erase_rows
from environments.errors import Conflict, Forbidden, NotFound, PersonRequired, field_error
from environments.models import Environment, Organization
from environments.services.audit import record
from environments.services.organizations import slug_of

PAUSES = ("outbound", "inbound", "webhooks")
POLICIES = ("authentication_policy", "content_policy")
CAPTURE = Environment.DeliveryMode.CAPTURE


def create_environment(
    organization: Organization | str,
    name: str,
    *,
    actor: Actor,
    slug: str | None = None,
    delivery_mode: str = CAPTURE,
    client_id: str | None = None,
    **fields: Any,
) -> tuple[Environment, bool]:
    """Create an environment, or return the one with the same ``client_id``; the second value is whether it is new.

    ``fields`` may hold ``description``, ``metadata`` and the policies for incoming mail. Raises Conflict when the slug
    is taken, and PersonRequired for any mode but capture, which only ``set_delivery_mode`` gives.
    """
    organization_id = organization if isinstance(organization, str) else organization.pk
    rows = Environment.objects.in_organization(organization_id)
    if client_id and (existing := rows.filter(client_id=client_id).first()):
        return existing, False
    if delivery_mode != CAPTURE:
        raise PersonRequired
    environment = Environment(
        organization_id=organization_id,
        name=name,
        slug=slug or slug_of(name, "name"),
        client_id=client_id,
        **fields,
    )
    return _saved(environment, actor)


def _saved(environment: Environment, actor: Actor) -> tuple[Environment, bool]:
    rows = Environment.objects.in_organization(environment.organization_id)
    try:
        with transaction.atomic():
            environment.save(force_insert=True)
            _record(environment, actor, "environment.created", after=_shown(environment))
    except IntegrityError as problem:
        existing = rows.filter(client_id=environment.client_id).first() if environment.client_id else None
        if existing:
            return existing, False
        raise _slug_taken(environment.slug) from problem
    return environment, True


def _slug_taken(slug: str) -> Conflict:
    return Conflict(f"The organization has an environment with the slug {slug} already.", fix="Choose another slug.")


def update_environment(environment: Environment, changes: dict[str, Any], *, actor: Actor) -> Environment:
    """Change name, slug, description, metadata, policies for incoming mail, pauses, or go back to capture.

    A key may not lift a pause that a person set, and nobody lets more mail out this way: ``set_delivery_mode`` asks a
    person for a reason. Raises PersonRequired, Conflict or NotFound.
    """
    with transaction.atomic():
        environment = _locked(environment)
        before = _shown(environment)
        for name, value in changes.items():
            _change(environment, name, value, actor)
        try:
            with transaction.atomic():
                environment.save()
        except IntegrityError as problem:
            raise _slug_taken(environment.slug) from problem
        after = _shown(environment)
        if after != before:
            _record(environment, actor, "environment.updated", before=before, after=after)
    return environment


def _change(environment: Environment, name: str, value: Any, actor: Actor) -> None:
    if name.removesuffix("_paused") in PAUSES:
        _change_pause(environment, name.removesuffix("_paused"), actor, paused=value)
        return
    if name == "delivery_mode" and value not in {CAPTURE, environment.delivery_mode}:
        raise PersonRequired
    setattr(environment, name, value)


def set_delivery_mode(environment: Environment, mode: str, *, actor: Actor, reason: str) -> Environment:
    """Change the delivery mode as an act of a person, with a reason, audited.

    The caller has checked that the person is owner, admin, or admin of the environment. Raises PersonRequired,
    ValidationFailed without a reason, or Forbidden for a locked environment.
    """
    if not reason.strip():
        raise field_error("reason", "Say why; the reason is kept in the audit log.")
    with transaction.atomic():
        environment = _locked(environment)
        before = environment.delivery_mode
        if before == mode:
            return environment
        _change_mode(environment, mode, actor)
        environment.save(update_fields=["delivery_mode"])
        _record(
            environment,
            actor,
            "environment.delivery_mode_changed",
            before={"delivery_mode": before},
            after={"delivery_mode": mode},
            reason=reason,
        )
    return environment


def _change_mode(environment: Environment, mode: str, actor: Actor) -> None:
    if mode not in Environment.DeliveryMode.values:
        raise field_error("delivery_mode", f"Must be one of {', '.join(Environment.DeliveryMode.values)}.")
    if mode == environment.delivery_mode:
        return
    if mode != CAPTURE and not actor.is_person:
        raise PersonRequired
    if mode == Environment.DeliveryMode.LIVE and environment.is_locked:
        raise Forbidden("This environment is locked; it can never go live.", fix="Use another environment.")
    environment.delivery_mode = mode


def _change_pause(environment: Environment, pause: str, actor: Actor, *, paused: bool) -> None:
    is_confirmed = paused and actor.is_person  # by a person, who from then on must be the one to lift it
    if getattr(environment, f"{pause}_paused") == paused and not is_confirmed:
        return
    by_people = set(environment.pauses_by_people)
    if not paused and pause in by_people and not actor.is_person:
        raise PersonRequired(
            "A person set this pause; only a person may lift it.", fix="Ask a person to lift it in the console."
        )
    by_people.discard(pause)
    if paused and actor.is_person:
        by_people.add(pause)
    environment.pauses_by_people = sorted(by_people)
    setattr(environment, f"{pause}_paused", paused)


def delete_environment(environment: Environment, *, actor: Actor, force: bool = False) -> dict[str, int]:
    """Erase an environment and return how many rows of each kind went with it.

    Raises Forbidden for the default environment, and Conflict for one that is not empty unless ``force``.
    """
    if environment.is_default:
        raise Forbidden("The default environment cannot be deleted.", fix="Delete another one, or rename this one.")
    with transaction.atomic():
        environment = _locked(environment)
        with inside(environment):
            erased = erase_rows(environment, force=force)
        _record(environment, actor, "environment.deleted", before=_shown(environment), after={"erased": erased})
        environment.delete()
    return erased


def _locked(environment: Environment) -> Environment:
    """Return the environment as it is now, locked; raise NotFound when it has just been deleted."""
    rows = Environment.objects.in_organization(environment.organization_id)
    found = rows.select_for_update().filter(pk=environment.pk).first()
    if found is None:
        raise NotFound
    return found


def _record(environment: Environment, actor: Actor, action: str, **details: Any) -> None:
    record(environment.organization_id, actor, action, environment.pk, environment=environment, **details)


def _shown(environment: Environment) -> dict[str, Any]:
    paused = (f"{pause}_paused" for pause in PAUSES)
    names = ("name", "slug", "description", "delivery_mode", "metadata", *POLICIES, *paused, "pauses_by_people")
    return {name: getattr(environment, name) for name in names}
