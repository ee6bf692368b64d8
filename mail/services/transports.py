"""An environment's own transport: set and removed by people, found by whoever sends."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from environments.callers import Actor
from environments.encryption import CannotOpen, seal, unseal
from environments.errors import NotFound, PersonRequired, ValidationFailed, field_error
from environments.gates import ask
from environments.ids import encode
from environments.models import Environment
from environments.services.audit import record
from mail.models import Transport
from mail.transports.configs import Config, WrongConfig, checked, config_of, of_relay_url, secrets_of
from mail.transports.targets import Reach, check_api_url

SMTP_KINDS = {"smtp", "direct"}
TOKEN_BYTES = 32
PLACES = ("host", "port", "security", "username", "region", "api_url", "access_key_id")


def transport_of(environment: Environment) -> Config | None:
    """Return how the environment's mail leaves: its own way, else the operator's relay, else None.

    Runs inside the environment. Raises CannotOpen when the server's secret key is not the one it was sealed with, and
    WrongConfig for a malformed AGENTPOST_RELAY_URL.
    """
    own = own_transport(environment)
    if own is None:
        return of_relay_url(settings.AGENTPOST_RELAY_URL)
    return config_of(own.kind, values_of(own), environment.pk)


def has_way_out(environment: Environment) -> bool | None:
    """Return whether mail has any way out; None where its settings cannot be read. Runs inside the environment."""
    try:
        return transport_of(environment) is not None
    except (CannotOpen, WrongConfig):
        return None


def own_transport(environment: Environment) -> Transport | None:
    """Return the environment's own transport. Runs inside the environment."""
    return Transport.objects.in_environment(environment).first()


def values_of(own: Transport) -> dict[str, Any]:
    """Return all that a transport was told, secrets included. Raises CannotOpen."""
    opened = unseal(bytes(own.sealed), environment_id=own.environment_id, purpose=Transport.PURPOSE)
    values: dict[str, Any] = orjson.loads(opened)
    return values


def shown_values(own: Transport) -> dict[str, Any]:
    """Return what everybody who reaches the environment may know of its transport. Raises CannotOpen."""
    return _without_secrets(own.kind, values_of(own))


def _without_secrets(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    hidden = secrets_of(kind)
    return {name: value for name, value in values.items() if name not in hidden}


def configure(
    environment: Environment, kind: str, config: Mapping[str, Any], *, actor: Actor, reason: str
) -> tuple[Transport, str | None]:
    """Set the environment's transport, as an act of a person; return it, and its webhook token if that is new.

    Secrets that are left out stay as they are, as long as the mail keeps going to the same place. Runs inside the
    environment. Raises PersonRequired, or ValidationFailed for a configuration that cannot be used.
    """
    _demand_person(actor, reason)
    with transaction.atomic():
        _lock(environment)
        own = own_transport(environment)
        before = values_of(own) if own else {}
        values = _checked(kind, _completed(own, before, kind, config))
        made = own or Transport(environment=environment)
        token = _give_token(made, kind, is_other=own is None or own.kind != kind)
        shown = _shown(own.kind, before) if own else None
        made.kind = kind
        made.sealed = seal(orjson.dumps(values), environment_id=environment.pk, purpose=Transport.PURPOSE)
        made.save()
        _record(made, environment, actor, "configured", reason, before=shown, after=_shown(kind, values))
    return made, token


def _completed(own: Transport | None, before: Mapping[str, Any], kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the secrets that were kept: none where they would be told to somebody else."""
    kept = {
        name: before[name]
        for name in (secrets_of(kind) if own and own.kind == kind else ())
        if name in before and not given.get(name)
    }
    if not kept:
        return dict(given)
    try:
        whole = _checked(kind, {**given, **kept})
    except ValidationFailed:  # they do not go together with the rest
        return dict(given)
    is_moved = any(whole.get(name) != before.get(name) for name in PLACES)
    return dict(given) if is_moved else {**given, **kept}


def _checked(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = checked(kind, config)
        check_api_url(found.get("api_url"), Reach.of(settings.AGENTPOST_PRIVATE_TARGETS))
    except WrongConfig as problem:
        raise field_error(problem.field, str(problem)) from problem
    except ValueError as problem:
        raise field_error("api_url", str(problem)) from problem
    return found


def _shown(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    hidden = sorted(secrets_of(kind) & values.keys())
    return {"kind": kind, **_without_secrets(kind, values), "secrets": hidden}


def _give_token(made: Transport, kind: str, *, is_other: bool) -> str | None:
    """Give a provider's transport the token of its webhooks, if it is a new one; take it from any other kind."""
    if kind in SMTP_KINDS:
        made.token_hash = None
        return None
    return _new_token(made) if is_other else None


def _new_token(made: Transport) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made.token_hash = _hashed(token)
    return token


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def rotate_token(environment: Environment, *, actor: Actor) -> str:
    """Return a new token for the provider's webhooks; the old one is worth nothing any more.

    Raises NotFound where there is no provider.
    """
    with transaction.atomic():
        _lock(environment)
        own = own_transport(environment)
        if own is None or own.kind in SMTP_KINDS:
            raise NotFound
        token = _new_token(own)
        own.save(update_fields=["token_hash"])
        _record(own, environment, actor, "webhook_token_rotated", "")
    return token


def webhook_url(token: str) -> str:
    """Return where the provider posts its webhooks."""
    return f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/provider-webhooks/{token}"


def find_by_token(token: str) -> Environment:
    """Return the environment whose provider holds this token, needing no binding. Raises NotFound."""
    found = ask("find_transport", _hashed(token))
    if not found:
        raise NotFound
    environment_id: UUID = found[0][0]
    environment = Environment.everywhere.filter(pk=encode("env", environment_id)).first()
    if environment is None:
        raise NotFound
    return environment


def remove(environment: Environment, *, actor: Actor, reason: str) -> None:
    """Let the environment's mail leave by the operator's relay again, if there is one. An act of a person.

    Raises PersonRequired, ValidationFailed without a reason, or NotFound where there is no transport of its own.
    """
    _demand_person(actor, reason)
    with transaction.atomic():
        _lock(environment)
        own = own_transport(environment)
        if own is None:
            raise NotFound
        before = _shown(own.kind, values_of(own))
        _record(own, environment, actor, "removed", reason, before=before)
        own.delete()


def _demand_person(actor: Actor, reason: str) -> None:
    if not actor.is_person:
        raise PersonRequired(fix="Do it in the console, or with manage.py set_transport.")
    if not reason.strip():
        raise field_error("reason", "Say why; the reason is kept in the audit log.")


def _lock(environment: Environment) -> None:
    """Let nobody else change the transport until the transaction ends."""
    rows = Environment.objects.in_organization(environment.organization_id)
    rows.select_for_update(no_key=True).filter(pk=environment.pk).first()


def _record(
    own: Transport, environment: Environment, actor: Actor, verb: str, reason: str, **change: dict[str, Any] | None
) -> None:
    record(
        environment.organization_id,
        actor,
        f"transport.{verb}",
        own.pk,
        environment=environment,
        reason=reason,
        **change,
    )
