"""Domains: claimed below the shared one, or brought along."""

import secrets
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from environments import clock
from environments.callers import Actor
from environments.errors import Conflict, field_error
from environments.gates import ask
from environments.ids import decode
from environments.locks import lock
from environments.models import Environment
from environments.services.audit import record
from inboxes.models import Domain, Inbox
from inboxes.services import addresses
from inboxes.services.addresses import AddressNotAvailable
from webhooks.services.events import Happening, publish

Kind, Status = Domain.Kind, Domain.Status


def add_domain(
    environment: Environment, name: str, *, actor: Actor, client_id: str | None = None, is_trusted: bool = False
) -> tuple[Domain, bool]:
    """Claim a domain, pending until its DNS proves it; an operator may vouch for it with ``is_trusted``.

    Runs inside the environment. The same ``client_id``, or name, returns the domain that is there. Raises
    ValidationFailed for what is no domain, or one of the server's own.
    """
    name = name.strip().lower().rstrip(".")
    if not addresses.DOMAIN.fullmatch(name):
        raise field_error("domain", "Must be a domain name such as example.com.")
    if addresses.is_shared_or_below(name):
        raise field_error("domain", "The server's own domain needs no claim: create an inbox on a subdomain of it.")
    if existing := _claim(environment, name, client_id):
        return existing, False
    domain = Domain(environment=environment, name=name, client_id=client_id, ownership_token=secrets.token_urlsafe(24))
    try:
        with transaction.atomic():
            domain.save(force_insert=True)
            _record(domain, environment, actor, "domain.added", after={"domain": name})
    except IntegrityError:
        if existing := _claim(environment, name, client_id):  # made by another request meanwhile
            return existing, False
        raise
    if is_trusted:
        trust(domain, environment, actor=actor)
    return domain, True


def _claim(environment: Environment, name: str, client_id: str | None = None) -> Domain | None:
    rows = Domain.objects.in_environment(environment)
    return (rows.filter(client_id=client_id).first() if client_id else None) or rows.filter(name=name).first()


def trust(domain: Domain, environment: Environment, *, actor: Actor) -> Domain:
    """Take a domain for verified on an operator's word, and suspend the pending claims of others.

    Raises Conflict when another environment holds it verified, and NotFound when it has gone.
    """
    try:
        with transaction.atomic():
            lock(domain, Domain.objects.in_environment(environment))
            domain.is_trusted, domain.status, domain.verified_at = True, Status.VERIFIED, clock.now()
            domain.save(update_fields=["is_trusted", "status", "verified_at"])
            ask("suspend_other_claims", decode("dom", domain.pk))
            _record(domain, environment, actor, "domain.trusted")
            publish(environment.pk, [Happening("domain.verified", {"domain_id": domain.pk, "domain": domain.name})])
    except IntegrityError as problem:
        raise Conflict(
            f"{domain.name} is verified elsewhere on this server.", fix="Remove it there first."
        ) from problem
    return domain


def remove_domain(domain: Domain, environment: Environment, *, actor: Actor) -> None:
    """Give a domain up. Raises Conflict while inboxes live on it, and NotFound when it has gone already."""
    in_use = Conflict(f"Inboxes live on {domain.name}.", fix="Delete them first.")
    if Inbox.objects.in_environment(environment).filter(domain=domain).exists():
        raise in_use
    try:
        with transaction.atomic():
            lock(domain, Domain.objects.in_environment(environment))
            _record(domain, environment, actor, "domain.removed", before={"domain": domain.name})
            domain.delete()
    except IntegrityError as problem:  # an inbox came to live on it meanwhile
        raise in_use from problem


def claimed_subdomain(environment: Environment, name: str) -> Domain:
    """Return the environment's claim on a subdomain of the shared domain, made now when nobody has it.

    Raises AddressNotAvailable when somebody else has it, or nobody may.
    """
    if existing := _claim(environment, name):
        return existing
    label = addresses.subdomain_label(name)
    if label is None or label in addresses.RESERVED_LABELS:
        raise AddressNotAvailable
    domain = Domain(
        environment=environment, name=name, kind=Kind.SUBDOMAIN, status=Status.VERIFIED, verified_at=clock.now()
    )
    try:
        with transaction.atomic():
            domain.save(force_insert=True)
    except IntegrityError as problem:
        if existing := _claim(environment, name):  # made by another request meanwhile
            return existing
        raise AddressNotAvailable from problem
    return domain


def dns_records(domain: Domain) -> list[dict[str, Any]]:
    """Return the records that prove the domain and bring its mail here."""
    state = "verified" if domain.status == Status.VERIFIED else "pending"
    host = settings.AGENTPOST_SHARED_DOMAIN
    reason = None if state == "verified" else "Not seen in DNS yet."
    records = [
        ("TXT", f"_agentpost.{domain.name}", f"agentpost-verification={domain.ownership_token}", "ownership"),
        ("MX", domain.name, f"10 {host}.", "receiving"),
    ]
    return [
        {"type": kind, "name": name, "value": value, "purpose": purpose, "status": state, "reason": reason}
        for kind, name, value, purpose in records
    ]


def _record(domain: Domain, environment: Environment, actor: Actor, action: str, **details: Any) -> None:
    record(environment.organization_id, actor, action, domain.pk, environment=environment, **details)
