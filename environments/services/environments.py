"""Environments: made, changed, paused, opened to the world by a person, and erased."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.db import IntegrityError, transaction

from environments import destinations
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.erasure import Certificate, erase_rows
from environments.errors import Conflict, Forbidden, NotFound, PersonRequired, field_error
from environments.models import AuditEntry, Environment, Organization
from environments.services import pauses
from environments.services.audit import record
from environments.services.limits import LIMITS, demand_person_to_loosen
from environments.services.organizations import slug_of
from environments.services.pauses import PAUSES
from environments.waking import wake_sender

POLICIES = ("authentication_policy", "content_policy")
MESSAGE_RETENTION = "message_retention_days"
RETENTION = ("event_retention_days", MESSAGE_RETENTION)
OUTLETS = ("delivery_mode", "allowlist", "redirect_address")
NOBODY = Actor("nobody")  # who changes an outlet without a reason
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

    ``fields`` may hold ``description``, ``metadata``, the policies for incoming mail and how many days events and mail
    are kept. Raises Conflict when the slug is taken, and PersonRequired for any mode but capture, which only
    ``set_delivery_mode`` gives.
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


def update_environment(
    environment: Environment, changes: dict[str, Any], *, actor: Actor, reason: str = ""
) -> Environment:
    """Change what an environment is called and how it works, pause it, or tighten the muzzle.

    ``pause_reason`` in ``changes`` says why something is paused; ``reason`` stands on record. A key may not lift a
    pause that a person or a brake set, nor raise a limit; and nobody lets mail out to more this way, but only back to
    capture or to fewer on the allowlist: ``set_delivery_mode`` asks a person for a reason. Raises PersonRequired,
    ValidationFailed, Conflict or NotFound.
    """
    changes = dict(changes)
    why = pauses.reason(actor, changes.pop("pause_reason", ""))
    with transaction.atomic():
        environment = locked(environment)
        before, paused = _shown(environment), pauses.paused_now(environment)
        demand_person_to_loosen(environment, changes, actor)
        for name, value in changes.items():
            _change(environment, name, value, actor, why)
        try:
            with transaction.atomic():
                environment.save()
        except IntegrityError as problem:
            raise _slug_taken(environment.slug) from problem
        after = _shown(environment)
        if after != before:
            pauses.tell_of_changes(environment, paused)
            _record(environment, actor, "environment.updated", before=before, after=after, reason=reason)
    return environment


def _change(environment: Environment, name: str, value: Any, actor: Actor, why: pauses.Reason) -> None:
    if name.removesuffix("_paused") in PAUSES:
        pauses.change_pause(environment, name.removesuffix("_paused"), actor, paused=value, why=why)
        return
    if name == "allowlist":
        value = destinations.allowlist(value)
    if name == "redirect_address":
        value = destinations.redirect_address(value)
    if name in OUTLETS and value != getattr(environment, name):
        _demand_person_to_let_out(environment, name, value, NOBODY)
    setattr(environment, name, value)


def set_delivery_mode(
    environment: Environment,
    mode: str,
    *,
    actor: Actor,
    reason: str,
    allowlist: Sequence[str] | None = None,
    redirect_address: str | None = None,
) -> Environment:
    """Change the delivery mode as an act of a person, with a reason, audited; and with it whom it lets mail out to.

    The caller has checked that the person is owner, admin, or admin of the environment. Left out, allowlist and
    redirect address stay. Raises PersonRequired, ValidationFailed without a reason or for a redirect without an
    address, or Forbidden for a locked environment.
    """
    if mode not in Environment.DeliveryMode.values:
        raise field_error("delivery_mode", f"Must be one of {', '.join(Environment.DeliveryMode.values)}.")
    wanted: dict[str, Any] = {"delivery_mode": mode}
    if allowlist is not None:
        wanted["allowlist"] = destinations.allowlist(allowlist)
    if redirect_address is not None:
        wanted["redirect_address"] = destinations.redirect_address(redirect_address)
    return _let_out(environment, wanted, actor, reason)


def _let_out(environment: Environment, wanted: dict[str, Any], actor: Actor, reason: str) -> Environment:
    """Change where mail may go, all of it or nothing; each thing that changed has its own line on record."""
    _demand_reason(reason)
    with transaction.atomic():
        environment = locked(environment)
        before = {name: getattr(environment, name) for name in wanted}
        changed = [name for name in wanted if wanted[name] != before[name]]
        for name in changed:
            _demand_person_to_let_out(environment, name, wanted[name], actor)
            setattr(environment, name, wanted[name])
        _demand_possible(environment)
        if changed:
            environment.save(update_fields=changed)
            wake_sender()
        for name in changed:
            details = {"before": {name: before[name]}, "after": {name: wanted[name]}, "reason": reason}
            _record(environment, actor, f"environment.{name}_changed", **details)
    return environment


def _demand_reason(reason: str) -> None:
    if not reason.strip():
        raise field_error("reason", "Say why; the reason is kept in the audit log.")


def _demand_person_to_let_out(environment: Environment, name: str, value: Any, actor: Actor) -> None:
    tightens = value == CAPTURE or (name == "allowlist" and set(value) <= set(environment.allowlist))
    if not (tightens or actor.is_person):
        raise PersonRequired


def _demand_possible(environment: Environment) -> None:
    if environment.is_live and environment.is_locked:
        raise Forbidden("This environment is locked; it can never go live.", fix="Use another environment.")
    if environment.delivery_mode == Environment.DeliveryMode.REDIRECT and not environment.redirect_address:
        raise field_error("redirect_address", "Name the address that all mail goes to in the mode redirect.")


def set_lock(environment: Environment, *, is_locked: bool, actor: Actor, reason: str) -> Environment:
    """Lock an environment, so that it can never go live, as an act of a person; only an operator unlocks it.

    Raises PersonRequired, Forbidden for unlocking by anybody else, Conflict for an environment that is live, and
    ValidationFailed without a reason.
    """
    _demand_reason(reason)
    if not actor.is_person:
        raise PersonRequired
    if not is_locked and actor.kind != "operator":
        raise Forbidden("Only an operator of this server unlocks an environment.", fix="Ask whoever runs the server.")
    with transaction.atomic():
        environment = locked(environment)
        if environment.is_locked == is_locked:
            return environment
        if environment.is_live:
            raise Conflict("This environment is live.", fix="Set its delivery mode back to capture, then lock it.")
        environment.is_locked = is_locked
        environment.save(update_fields=["is_locked"])
        _record(environment, actor, f"environment.{'locked' if is_locked else 'unlocked'}", reason=reason)
    return environment


def pause_by_system(
    environment: Environment, pause: str, *, code: str, explanation: str, **figures: Any
) -> Environment:
    """Set a pause as a brake of the system's: audited, told of, and lifted by a person only.

    ``code`` says which brake, ``figures`` what made it act. A key's pause becomes the brake's; any other stays as it
    is. Raises NotFound.
    """
    why = pauses.reason(SYSTEM, explanation, code=code, **figures)
    with transaction.atomic():
        environment = locked(environment)
        before, shown = pauses.paused_now(environment), _shown(environment)
        if before[pause] and not pauses.is_by_key(environment.pause_reasons.get(pause)):
            return environment
        pauses.change_pause(environment, pause, SYSTEM, paused=True, why=why)
        environment.save(update_fields=[f"{pause}_paused", "pause_reasons", "pauses_by_people"])
        pauses.tell_of_changes(environment, before)
        after = {**_shown(environment), "figures": figures}
        _record(environment, SYSTEM, "environment.braked", before=shown, after=after, reason=explanation)
    return environment


def delete_environment(environment: Environment, *, actor: Actor, force: bool = False, reason: str = "") -> Certificate:
    """Erase an environment with all that is in it, blobs too; return what says so, the audit entry with it.

    Raises Forbidden for the default environment, and Conflict for one that is not empty unless ``force``.
    """
    if environment.is_default:
        raise Forbidden("The default environment cannot be deleted.", fix="Delete another one, or rename this one.")
    with transaction.atomic():
        environment = locked(environment)
        with inside(environment):
            erased = erase_rows(environment, force=force)
        details = {"before": _shown(environment), "after": {"erased": erased}, "reason": reason}
        entry = _record(environment, actor, "environment.deleted", **details)
        certificate = Certificate(copy(environment), erased, entry)
        environment.delete()
    return certificate


def locked(environment: Environment) -> Environment:
    """Return the environment as it is now, locked until the transaction ends; raise NotFound when it was deleted."""
    rows = Environment.objects.in_organization(environment.organization_id)
    found = rows.select_for_update().filter(pk=environment.pk).first()
    if found is None:
        raise NotFound
    return found


def _record(environment: Environment, actor: Actor, action: str, **details: Any) -> AuditEntry:
    return record(environment.organization_id, actor, action, environment.pk, environment=environment, **details)


def _shown(environment: Environment) -> dict[str, Any]:
    paused = (f"{pause}_paused" for pause in PAUSES)
    names = (
        "name", "slug", "description", *OUTLETS, "metadata", *POLICIES, *RETENTION, *LIMITS, *paused,
        "pauses_by_people", "pause_reasons",
    )  # fmt: skip
    return {name: getattr(environment, name) for name in names}
