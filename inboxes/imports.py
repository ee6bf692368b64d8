"""What becomes of addresses when an archive was taken in: domains prove themselves anew, with fresh keys."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from environments import clock
from environments.services.audit import record
from environments.services.importing import Import, Step
from environments.services.unpacking import ArchiveRefused
from inboxes.models import Domain, Inbox
from inboxes.services import addresses, signing_keys

Kind, State = Domain.Kind, Domain.Status
INBOXES = "rows/inboxes.inbox.jsonl"


def claim_domains(done: Import) -> None:
    """Claim each domain as if it were new; a subdomain of this server's shared domain is had, if nobody has it."""
    rows = Domain.objects.in_environment(done.environment)
    for domain in list(rows.order_by("pk")):
        if not addresses.DOMAIN.fullmatch(domain.name):
            raise ArchiveRefused(f"{domain.name[:253]!r} is no domain.")
        here = rows.filter(pk=domain.pk)
        if addresses.is_shared_or_below(domain.name):
            _claim_subdomain(done, domain.name, here)
        else:
            here.update(kind=Kind.CUSTOM, ownership_token=secrets.token_urlsafe(24))
            done.remarks.append(f"{domain.name} is unverified: publish its records, which are new ones.")
        signing_keys.make_keys(done.environment, domain)


def _claim_subdomain(done: Import, name: str, here: QuerySet[Domain]) -> None:
    label = addresses.subdomain_label(name)
    emails = Inbox.objects.in_environment(done.environment).filter(domain__name=name).values_list("email", flat=True)
    has_held = any(addresses.is_held(email, done.environment) for email in emails)
    if label is not None and label not in addresses.RESERVED_LABELS and not has_held:
        try:
            with transaction.atomic():
                here.update(kind=Kind.SUBDOMAIN, status=State.VERIFIED, verified_at=clock.now())
        except IntegrityError:
            pass  # somebody has it
        else:
            return
    here.update(kind=Kind.SUBDOMAIN, status=State.SUSPENDED)
    done.remarks.append(f"{name} is not to be had here: its inboxes keep their mail, and get none.")


def demand_addresses_of_domains(done: Import) -> None:
    """Refuse an inbox whose address is not at its domain: its mail would be somebody else's."""
    rows = Inbox.objects.in_environment(done.environment).filter(domain__isnull=False)
    for email, name in rows.values_list("email", "domain__name").iterator():
        if email.rpartition("@")[2] != name:
            raise ArchiveRefused(f"The inbox {email} is not at its domain, {name}.")


def tell_of_moved_inboxes(done: Import) -> None:
    """Say which inboxes of the shared domain have another address now, and put on record which each has."""
    rows = Inbox.objects.in_environment(done.environment).filter(domain__isnull=True)
    now = dict(rows.values_list("pk", "email"))
    for _, _, row in done.archive.rows(INBOXES):
        email = now.get(done.renaming.of(row["id"]))
        if email and email != row["email"]:
            here = done.environment
            details: dict[str, Any] = {"environment": here, "after": {"email": email}}
            record(here.organization_id, done.actor, "inbox.created", done.renaming.of(row["id"]), **details)
            done.remarks.append(f"{row['email']} is {email} here.")


STEPS: Sequence[Step] = (claim_domains, demand_addresses_of_domains, tell_of_moved_inboxes)
