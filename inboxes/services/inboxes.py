"""Inboxes: one address each, on the shared domain, a subdomain of it, or a domain of the environment."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.errors import PersonRequired
from environments.locks import lock
from environments.models import Environment
from environments.services import pauses
from environments.services.audit import record
from environments.services.limits import QUOTAS, demand_person_to_loosen
from environments.waking import wake_sender
from inboxes.models import AddressHold, Domain, FilterRule, Inbox
from inboxes.services import addresses
from inboxes.services.addresses import AddressNotAvailable
from inboxes.services.domains import claimed_subdomain
from webhooks.services.events import Happening, publish

SEND = FilterRule.Direction.SEND
CHANGEABLE = ("display_name", "send_paused", "paused_by_person", "pause_reason", *QUOTAS, "metadata")


def create_inbox(
    environment: Environment,
    *,
    actor: Actor,
    email: str | None = None,
    username: str | None = None,
    domain: str | None = None,
    client_id: str | None = None,
    **fields: Any,
) -> tuple[Inbox, bool]:
    """Create an inbox, or return the one with the same ``client_id``; the second value is whether it is new.

    Give ``email``, or ``username`` with or without ``domain``, or nothing for a random name on the shared domain.
    ``fields`` may hold ``display_name``, ``metadata`` and quotas. Runs inside the environment. Raises
    AddressNotAvailable.
    """
    if client_id and (existing := _with_client_id(environment, client_id)):
        return existing, False
    inbox = Inbox(environment=environment, client_id=client_id, **fields)
    _place(inbox, environment, email, username, domain)
    try:
        with transaction.atomic():
            inbox.save(force_insert=True)
            _tell(inbox, environment, actor, "created")
    except IntegrityError as problem:
        if client_id and (existing := _with_client_id(environment, client_id)):
            return existing, False
        raise AddressNotAvailable from problem
    return inbox, True


def _with_client_id(environment: Environment, client_id: str) -> Inbox | None:
    return Inbox.objects.in_environment(environment).filter(client_id=client_id).first()


def _place(inbox: Inbox, environment: Environment, email: str | None, username: str | None, domain: str | None) -> None:
    """Give the inbox its address and domain; raise AddressNotAvailable."""
    shared = settings.AGENTPOST_SHARED_DOMAIN
    if email is None:
        domain = addresses.normalise(domain or shared)
        name = addresses.normalise(username or "inbox")
        if domain == shared:
            inbox.email = _random_address(name)
            return
        email = f"{name if username else addresses.random_suffix()}@{domain}"
    inbox.email = addresses.normalise(email)
    _, domain = addresses.split(inbox.email)
    if domain == shared:
        raise AddressNotAvailable
    inbox.domain = _domain(environment, domain)  # first, so that a held address costs strangers what any other does
    if addresses.is_held(inbox.email, environment):
        raise AddressNotAvailable


def _random_address(name: str) -> str:
    address = f"{name}-{addresses.random_suffix()}@{settings.AGENTPOST_SHARED_DOMAIN}"
    addresses.split(address)
    return address


def _domain(environment: Environment, name: str) -> Domain:
    if addresses.is_shared_or_below(name):
        return claimed_subdomain(environment, name)
    domain = Domain.objects.in_environment(environment).filter(name=name).first()
    if domain is None or domain.status == Domain.Status.SUSPENDED:
        raise AddressNotAvailable
    return domain


def update_inbox(inbox: Inbox, environment: Environment, changes: dict[str, Any], *, actor: Actor) -> Inbox:
    """Change display name, metadata, quotas or ``send_paused``; what changes nothing is not put on record.

    ``pause_reason`` in ``changes`` says why sending is paused. Raises PersonRequired when a key raises a quota, or
    lifts a pause that a person or a brake set, and NotFound when the inbox has gone.
    """
    changes = dict(changes)
    why = pauses.reason(actor, changes.pop("pause_reason", ""))
    with transaction.atomic():
        lock(inbox, Inbox.objects.in_environment(environment))
        before = _shown(inbox)
        demand_person_to_loosen(inbox, changes, actor)
        if "send_paused" in changes:
            _change_pause(inbox, actor, paused=changes["send_paused"], why=why)
        for name, value in changes.items():
            setattr(inbox, name, value)
        after = _shown(inbox)
        if after != before:
            inbox.save(update_fields=CHANGEABLE)
            _tell_of_pause(inbox, was_paused=before["send_paused"])
            details: dict[str, Any] = {"environment": environment, "before": before, "after": after}
            record(environment.organization_id, actor, "inbox.updated", inbox.pk, **details)
    return inbox


def _change_pause(inbox: Inbox, actor: Actor, *, paused: bool, why: pauses.Reason) -> None:
    if not paused and inbox.send_paused:
        pauses.demand_person_to_lift(actor, inbox.pause_reason, by_person=inbox.paused_by_person)
    inbox.paused_by_person = paused and (actor.is_person or inbox.paused_by_person)
    before = inbox.pause_reason if inbox.send_paused else None
    inbox.pause_reason = pauses.standing_reason(before, why, actor) if paused else None


def _tell_of_pause(inbox: Inbox, *, was_paused: bool) -> None:
    if inbox.send_paused == was_paused:
        return
    data = {"scope": "inbox", "inbox_id": inbox.pk, "pause": "outbound", "reason": inbox.pause_reason}
    what = "environment.paused" if inbox.send_paused else "environment.resumed"
    publish(inbox.environment_id, [Happening(what, data, inbox.pk)])
    if not inbox.send_paused:
        wake_sender()


def pause_sending(environment: Environment, inbox_id: str, *, code: str, explanation: str, **figures: Any) -> None:
    """Pause an inbox's sending as a brake of the system's: audited, told of, and lifted by a person only.

    ``code`` says which brake, ``figures`` what made it act. Nothing happens where the inbox has gone, or is paused by a
    person or a brake already.
    """
    why = pauses.reason(SYSTEM, explanation, code=code, **figures)
    with inside(environment):
        inbox = Inbox.objects.in_environment(environment).select_for_update(no_key=True).filter(pk=inbox_id).first()
        if inbox is None or (inbox.send_paused and not pauses.is_by_key(inbox.pause_reason)):
            return
        before = _shown(inbox)
        inbox.send_paused, inbox.pause_reason = True, why
        inbox.save(update_fields=["send_paused", "pause_reason"])
        _tell_of_pause(inbox, was_paused=before["send_paused"])
        details: dict[str, Any] = {"before": before, "after": _shown(inbox), "reason": explanation}
        record(environment.organization_id, SYSTEM, "inbox.braked", inbox.pk, environment=environment, **details)


def _shown(inbox: Inbox) -> dict[str, Any]:
    return {name: getattr(inbox, name) for name in CHANGEABLE}


def demand_person_to_delete(inbox: Inbox, environment: Environment, actor: Actor) -> None:
    """Raise PersonRequired where a key would rid itself of a pause, a quota or a person's rule along with the inbox."""
    if actor.is_person:
        return
    if inbox.send_paused:
        pauses.demand_person_to_lift(actor, inbox.pause_reason, by_person=inbox.paused_by_person)
    rules = FilterRule.objects.in_environment(environment).filter(inbox=inbox, set_by_person=True)
    if any(getattr(inbox, name) is not None for name in QUOTAS) or rules.filter(direction=SEND).exists():
        raise PersonRequired(
            "A quota, or a person's rule about outgoing mail, holds this inbox; only a person may delete it.",
            fix="Ask a person to delete it in the console.",
        )


def release_inbox(inbox: Inbox, environment: Environment, *, actor: Actor) -> None:
    """Delete an inbox's row, and with it its mail; hold its address for 30 days against other environments.

    ``mail.services.deletion.delete_inbox`` is the verb to call: it removes what lies in the object store as well.
    Raises NotFound when the inbox has gone already.
    """
    with transaction.atomic():
        lock(inbox, Inbox.objects.in_environment(environment))
        AddressHold.of(inbox.email, environment).save(force_insert=True)
        _tell(inbox, environment, actor, "deleted")
        inbox.delete()


def _tell(inbox: Inbox, environment: Environment, actor: Actor, what: str) -> None:
    """Record and publish that an inbox was created or deleted."""
    shown = {"email": inbox.email}
    details: dict[str, Any] = {"after" if what == "created" else "before": shown}
    record(environment.organization_id, actor, f"inbox.{what}", inbox.pk, environment=environment, **details)
    publish(environment.pk, [Happening(f"inbox.{what}", {"inbox_id": inbox.pk, **shown}, inbox.pk)])
