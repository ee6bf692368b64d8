"""Domains: claimed below the shared one, or brought along."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
from inboxes.models import Domain, Inbox, SigningKey
from inboxes.records import spf
from inboxes.records.values import Purpose, Record, Seen, Status
from inboxes.records.wanted import Server, signing, wanted
from inboxes.records.zone import zone_file
from inboxes.services import addresses, signing_keys
from inboxes.services.addresses import AddressNotAvailable
from webhooks.services.events import Happening, publish

Kind, State = Domain.Kind, Domain.Status
MOST_DOMAINS = 100


class TooManyDomains(Conflict):
    """The environment has as many domains as it may have."""

    code = "too_many_domains"
    message = f"This environment has {MOST_DOMAINS} domains, the most there may be."
    fix = "Remove one that is needed no more, or use another environment."


def add_domain(
    environment: Environment, name: str, *, actor: Actor, client_id: str | None = None, is_trusted: bool = False
) -> tuple[Domain, bool]:
    """Claim a domain, pending until its DNS proves it; an operator may vouch for it with ``is_trusted``.

    Runs inside the environment. The same ``client_id``, or name, returns the domain that is there. Raises
    ValidationFailed for what is no domain, or one of the server's own, and TooManyDomains.
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
            _demand_room(environment)
            domain.save(force_insert=True)
            signing_keys.make_keys(environment, domain)
            _record(domain, environment, actor, "domain.added", after={"domain": name})
    except IntegrityError:
        if existing := _claim(environment, name, client_id):  # made by another request meanwhile
            return existing, False
        raise
    if is_trusted:
        trust(domain, environment, actor=actor)
    return domain, True


def _demand_room(environment: Environment) -> None:
    """Let no other call add one until the transaction ends, and raise TooManyDomains when there are enough."""
    places = Environment.objects.in_organization(environment.organization_id)
    places.select_for_update(no_key=True).get(pk=environment.pk)
    if Domain.objects.in_environment(environment).count() >= MOST_DOMAINS:
        raise TooManyDomains


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
            domain.is_trusted, domain.status, domain.verified_at = True, State.VERIFIED, clock.now()
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


def choose_catch_all(domain: Domain, environment: Environment, inbox: Inbox | None, *, actor: Actor) -> Domain:
    """Let this inbox of the domain take what no other one does; with None, such mail is refused.

    Raises ValidationFailed for an inbox of another domain, and NotFound when the domain has gone.
    """
    if inbox is not None and inbox.domain_id != domain.pk:
        raise field_error("inbox", f"Must be an inbox at {domain.name}.")
    with transaction.atomic():
        lock(domain, Domain.objects.in_environment(environment))
        before = {"catch_all": domain.catch_all_id}
        domain.catch_all = inbox
        after = {"catch_all": domain.catch_all_id}
        if after != before:
            domain.save(update_fields=["catch_all"])
            _record(domain, environment, actor, "domain.catch_all_chosen", before=before, after=after)
    return domain


def claimed_subdomain(environment: Environment, name: str) -> Domain:
    """Return the environment's claim on a subdomain of the shared domain, made now when nobody has it.

    Raises AddressNotAvailable when somebody else has it, or nobody may, and TooManyDomains.
    """
    if existing := _claim(environment, name):
        return existing
    label = addresses.subdomain_label(name)
    if label is None or label in addresses.RESERVED_LABELS:
        raise AddressNotAvailable
    domain = Domain(
        environment=environment, name=name, kind=Kind.SUBDOMAIN, status=State.VERIFIED, verified_at=clock.now()
    )
    try:
        with transaction.atomic():
            _demand_room(environment)
            domain.save(force_insert=True)
            signing_keys.make_keys(environment, domain)
    except IntegrityError as problem:
        if existing := _claim(environment, name):  # made by another request meanwhile
            return existing
        raise AddressNotAvailable from problem
    return domain


def records_of(domain: Domain, keys: Iterable[SigningKey]) -> list[Record]:
    """Return the records that the domain needs; ``keys`` are its keys that belong into DNS.

    A subdomain of the shared domain needs those of its keys only: the shared domain's wildcards cover the rest.
    """
    published = [signing_keys.public_half(key) for key in keys]
    if domain.kind == Kind.SUBDOMAIN:
        return list(signing(domain.name, published))
    return wanted(domain.name, domain.ownership_token, published, this_server())


def this_server() -> Server:
    """Return what DNS says of this server."""
    return Server(settings.AGENTPOST_MAIL_HOST, tuple(settings.AGENTPOST_SPF_MECHANISMS))


def dns_records(domain: Domain, keys: Sequence[SigningKey]) -> list[dict[str, Any]]:
    """Return the records as the API shows them, each with its status and what was found, as of the last check."""
    states = {key.selector: key for key in keys}
    return [_shown(record, Seen.of(domain.checks.get(record.key)), states) for record in records_of(domain, keys)]


def zone(domain: Domain, keys: Sequence[SigningKey]) -> str:
    """Return the domain's records as a zone file."""
    records = records_of(domain, keys)
    shown = [replace(record, value=_value(record, Seen.of(domain.checks.get(record.key)))) for record in records]
    return zone_file(domain.name, shown)


def _shown(record: Record, seen: Seen, keys: Mapping[str, SigningKey]) -> dict[str, Any]:
    reason, key = seen.reason, keys.get(record.selector)
    if key and key.state == SigningKey.State.RETIRING and key.retires_at:
        reason = f"Retired by a newer key. Leave it in DNS until {key.retires_at:%Y-%m-%d}: mail on its way needs it."
    return {
        "type": record.type,
        "name": record.name,
        "value": _value(record, seen),
        "purpose": record.purpose,
        "required": record.is_required and not (key and key.state == SigningKey.State.RETIRING),
        "status": seen.status,
        "reason": reason or None,
        "found": list(seen.found),
        "selector": record.selector or None,
        "key_state": key.state if key else None,
    }


def _value(record: Record, seen: Seen) -> str:
    """Return what to publish: of SPF, what is published already with this server put into it."""
    is_spf = record.purpose in {Purpose.SPF, Purpose.RETURN_PATH_SPF}
    is_whole = bool(seen.found) and all(spf.is_record(value) and not value.endswith("…") for value in seen.found)
    return (
        spf.merged(seen.found, record.value) if is_spf and is_whole and seen.status is Status.FAILED else record.value
    )


def rotate_keys(domain: Domain, environment: Environment, *, actor: Actor) -> Domain:
    """Make a fresh key of each algorithm that has none waiting. It signs once DNS shows it; then the old one retires.

    Safe to repeat: while all keys wait for DNS, nothing is made. Raises NotFound when the domain has gone.
    """
    with transaction.atomic():
        lock(domain, Domain.objects.in_environment(environment))
        made = signing_keys.make_keys(environment, domain)
        if made:
            _record(
                domain, environment, actor, "domain.keys_rotated", after={"selectors": [key.selector for key in made]}
            )
    return domain


def _record(domain: Domain, environment: Environment, actor: Actor, action: str, **details: Any) -> None:
    record(environment.organization_id, actor, action, domain.pk, environment=environment, **details)
