"""People: members, their places in environments, and invitations."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac
from procrastinate.contrib.django import app

from environments import clock
from environments.callers import Actor
from environments.encryption import server_secrets
from environments.errors import Conflict, Forbidden, NotFound, PersonRequired, field_error
from environments.locks import lock
from environments.models import (
    Environment,
    EnvironmentMembership,
    Invitation,
    Member,
    Organization,
    User,
)
from environments.services.audit import record
from environments.services.organizations import checked_address, user_for

INVITATION_LIFE = timedelta(days=7)
MAIL_INVITATION = "environments.tasks.mail_invitation"
Role = Member.Role


class NotValid(NotFound):
    """An invitation that is unknown, used or revoked."""

    message = "This invitation is not valid any more."
    fix = "Ask for a new one."


class HasRunOut(NotValid):
    """An invitation that was not accepted in time."""

    message = "This invitation has run out."
    fix = "Ask whoever invited you to send it again."


def add_member(organization: Organization, email: str, role: str, *, actor: Actor) -> tuple[Member, bool]:
    """Give the user with this address a place, or return the one they have; the second value is whether it is new."""
    _refuse_owner(role)
    user = user_for(email)
    existing = Member.objects.in_organization(organization).filter(user=user).first()
    if existing:
        return existing, False
    with transaction.atomic():
        member = Member(organization=organization, user=user, role=role)
        member.save(force_insert=True)
        record(organization, actor, "member.added", member.pk, after={"email": user.email, "role": role})
    return member, True


def _refuse_owner(role: str) -> None:
    if role == Role.OWNER:
        raise field_error("role", "An organization has exactly one owner; ownership is transferred by the owner.")
    if role not in Role.values:
        raise field_error("role", f"Must be one of {Role.ADMIN}, {Role.MEMBER}.")


def change_role(member: Member, role: str, *, actor: Actor) -> Member:
    """Change a member's role. ``owner`` transfers ownership, which only the owner may: they become an admin.

    Raises Forbidden, ValidationFailed, or NotFound when the member has gone.
    """
    if role not in Role.values:
        raise field_error("role", f"Must be one of {', '.join(Role.values)}.")
    with transaction.atomic():
        _lock(member)
        before = member.role
        if role == before:
            return member
        if Role.OWNER in {role, before}:
            _give_up_ownership(member, role, actor)
        member.role = role
        member.save(update_fields=["role"])
        record(
            member.organization_id,
            actor,
            "member.role_changed",
            member.pk,
            before={"role": before},
            after={"role": role},
        )
    return member


def _lock(member: Member) -> None:
    """Read the member anew; changes of one organization's people follow one another. Raises NotFound."""
    Organization.objects.select_for_update(no_key=True).get(pk=member.organization_id)
    lock(member, Member.objects.in_organization(member.organization_id))


def _give_up_ownership(member: Member, role: str, actor: Actor) -> None:
    owner = Member.objects.in_organization(member.organization_id).get(role=Role.OWNER)
    if role != Role.OWNER or owner.pk != actor.id:
        raise Forbidden("Only the owner may transfer ownership.", fix="Ask the owner to make another member the owner.")
    owner.role = Role.ADMIN
    owner.save(update_fields=["role"])


def remove_member(member: Member, *, actor: Actor) -> None:
    """Take a member's place in the organization and in all its environments.

    Raises Forbidden for the owner, and NotFound when the member has gone already.
    """
    with transaction.atomic():
        _lock(member)
        if member.role == Role.OWNER:
            raise Forbidden("The owner cannot be removed.", fix="Transfer ownership first.")
        record(member.organization_id, actor, "member.removed", member.pk, before={"role": member.role})
        member.delete()


def add_to_environment(
    environment: Environment, member: Member, role: str, *, actor: Actor
) -> tuple[EnvironmentMembership, bool]:
    """Give a member a place in an environment, or return the one they have. Raises ValidationFailed for a bad role."""
    _check_environment_role(role)
    existing = memberships(environment).filter(member=member).first()
    if existing:
        return existing, False
    with transaction.atomic():
        membership = EnvironmentMembership(
            organization_id=environment.organization_id, environment=environment, member=member, role=role
        )
        membership.save(force_insert=True)
        _record_membership(membership, actor, "environment_member.added", after={"role": role})
    return membership, True


def change_environment_role(membership: EnvironmentMembership, role: str, *, actor: Actor) -> EnvironmentMembership:
    """Change a member's role in one environment. Raises ValidationFailed, or NotFound when the place has gone."""
    _check_environment_role(role)
    with transaction.atomic():
        lock(membership, EnvironmentMembership.objects.in_organization(membership.organization_id))
        before, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        _record_membership(
            membership, actor, "environment_member.role_changed", before={"role": before}, after={"role": role}
        )
    return membership


def remove_from_environment(membership: EnvironmentMembership, *, actor: Actor) -> None:
    """Take a member's place in one environment. Raises NotFound when it has gone already."""
    with transaction.atomic():
        lock(membership, EnvironmentMembership.objects.in_organization(membership.organization_id))
        _record_membership(membership, actor, "environment_member.removed", before={"role": membership.role})
        membership.delete()


def set_places(member: Member, wanted: Mapping[str, str], *, actor: Actor) -> int:
    """Give the member these roles by environment id, and none where the role is empty; return how many changed.

    Environments that are not named stay as they are. Raises NotFound for one that is not of the organization, or when
    the member has gone, and ValidationFailed for a bad role.
    """
    with transaction.atomic():
        _lock(member)
        rows = EnvironmentMembership.objects.in_organization(member.organization_id).filter(member=member)
        places = {place.environment_id: place for place in rows}
        environments = Environment.objects.in_organization(member.organization_id).in_bulk(list(wanted))
        changes = {pk: role for pk, role in wanted.items() if role != (places[pk].role if pk in places else "")}
        for pk, role in sorted(changes.items()):
            if pk not in environments:
                raise NotFound
            _set_place(environments[pk], member, places.get(pk), role, actor)
    return len(changes)


def _set_place(
    environment: Environment, member: Member, place: EnvironmentMembership | None, role: str, actor: Actor
) -> None:
    if place is None:
        add_to_environment(environment, member, role, actor=actor)
    elif role:
        change_environment_role(place, role, actor=actor)
    else:
        remove_from_environment(place, actor=actor)


def memberships(environment: Environment) -> "EnvironmentMembership.QuerySet":  # type: ignore[name-defined]
    """Return the places in one environment."""
    rows = EnvironmentMembership.objects.in_organization(environment.organization_id)
    return rows.filter(environment=environment).select_related("member__user")


def _check_environment_role(role: str) -> None:
    if role not in EnvironmentMembership.Role.values:
        raise field_error("role", f"Must be one of {', '.join(EnvironmentMembership.Role.values)}.")


def _record_membership(membership: EnvironmentMembership, actor: Actor, action: str, **details: Any) -> None:
    record(
        membership.organization_id,
        actor,
        action,
        membership.member_id,
        environment=membership.environment_id,
        **details,
    )


def invite(organization_id: str, email: str, role: str, *, actor: Actor) -> tuple[Invitation, str]:
    """Offer a place to an address, and mail it the link; return the invitation and the token that accepts it.

    The token is shown once, to a person. Raises Conflict when the address has a pending invitation or is a member
    already, and ValidationFailed for one that nobody may have.
    """
    _refuse_owner(role)
    email = checked_address(email)
    if Member.objects.in_organization(organization_id).filter(user__email=email).exists():
        raise Conflict("This address is a member already.", fix="Change the member's role instead.")
    invitation = Invitation(
        organization_id=organization_id,
        email=email,
        role=role,
        invited_by=actor.id or actor.name,
        expires_at=clock.now() + INVITATION_LIFE,
    )
    token = token_of(invitation)
    invitation.token_hash = _hash(token)
    try:
        with transaction.atomic():
            _expire_old(organization_id)
            invitation.save(force_insert=True)
            _mail(invitation)
            record(organization_id, actor, "invitation.created", invitation.pk, after={"email": email, "role": role})
    except IntegrityError as problem:
        raise Conflict("This address has a pending invitation.", fix="Revoke it first, to invite again.") from problem
    return invitation, token


def _expire_old(organization_id: str) -> None:
    """Mark what has run out, so that an address can be invited again."""
    pending = Invitation.objects.in_organization(organization_id).filter(status=Invitation.Status.PENDING)
    pending.filter(expires_at__lte=clock.now()).update(status=Invitation.Status.EXPIRED, updated_at=clock.now())


def token_of(invitation: Invitation, secret: str | None = None) -> str:
    """Return the token that accepts an invitation.

    It follows from the row and the server's secret, so that neither the database nor the queue holds it; a row whose
    time is another has another token.
    """
    named = f"{invitation.pk} {invitation.email} {invitation.expires_at.isoformat()}"
    digest = salted_hmac("environments.invitation", named, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def invitation_link(token: str) -> str:
    """Return the link of an invitation; it begins with AGENTPOST_PUBLIC_URL, whatever host a request names."""
    return f"{settings.AGENTPOST_PUBLIC_URL}{reverse('admin:invitation', args=[token])}"


def _mail(invitation: Invitation) -> None:
    """Have the link mailed, once the open transaction has committed; it is made when it is mailed."""
    app.configure_task(MAIL_INVITATION).defer(organization_id=invitation.organization_id, invitation_id=invitation.pk)


def mailable_link(organization_id: str, invitation_id: str) -> tuple[Invitation, str] | None:
    """Return a pending invitation and its link; None for one that is pending no more."""
    rows = Invitation.objects.in_organization(organization_id).select_related("organization")
    invitation = rows.filter(pk=invitation_id).first()
    if invitation is None or invitation.status_now != Invitation.Status.PENDING:
        return None
    tokens = (token_of(invitation, secret) for secret in server_secrets())
    good = next((token for token in tokens if _hash(token) == bytes(invitation.token_hash)), None)
    return (invitation, invitation_link(good)) if good else None


def renew_token(invitation: Invitation, *, actor: Actor, by_mail: bool = False) -> str:
    """Make a new token for a pending invitation, valid for a week, and return it; an older one ends.

    ``by_mail`` has the new link mailed to the address as well.

    Raises PersonRequired for a key, which could make itself a person with it, and NotFound when it is not pending.
    """
    if not actor.is_person:
        raise PersonRequired
    with transaction.atomic():
        rows = Invitation.objects.in_organization(invitation.organization_id).select_for_update()
        pending = rows.filter(pk=invitation.pk, status=Invitation.Status.PENDING).first()
        if pending is None:
            raise NotFound("This invitation is not pending any more.", fix="Invite the address again.")
        pending.expires_at = clock.now() + INVITATION_LIFE
        token = token_of(pending)
        pending.token_hash = _hash(token)
        pending.save(update_fields=["token_hash", "expires_at"])
        if by_mail:
            _mail(pending)
        record(pending.organization_id, actor, f"invitation.{'mailed' if by_mail else 'link_made'}", pending.pk)
    return token


def revoke_invitation(invitation: Invitation, *, actor: Actor) -> Invitation:
    """Take back a pending invitation; one that is no longer pending stays what it is."""
    with transaction.atomic():
        lock(invitation, Invitation.objects.in_organization(invitation.organization_id))
        if invitation.status != Invitation.Status.PENDING:
            return invitation
        invitation.status = Invitation.Status.REVOKED
        invitation.save(update_fields=["status"])
        record(invitation.organization_id, actor, "invitation.revoked", invitation.pk)
    return invitation


def pending_invitation(token: str) -> Invitation:
    """Return the invitation behind a token; raise NotFound for one that is unknown, used, revoked or run out."""
    found = Invitation.everywhere.select_related("organization").filter(token_hash=_hash(token)).first()
    status = found.status_now if found else None
    if status == Invitation.Status.EXPIRED:
        raise HasRunOut
    if found is None or status != Invitation.Status.PENDING:
        raise NotValid
    return found


def accept_invitation(token: str, user: User) -> Member:
    """Give the user the place that was offered; the address must be theirs. Raises NotFound or Forbidden."""
    invitation = pending_invitation(token)
    if invitation.email != user.email:
        raise Forbidden("This invitation is for another address.", fix=f"Sign in as {invitation.email}.")
    with transaction.atomic():
        lock(invitation, Invitation.objects.in_organization(invitation.organization_id))
        if invitation.status != Invitation.Status.PENDING:
            raise NotValid
        actor = Actor("member", name=user.email)
        member, _ = add_member(invitation.organization, user.email, invitation.role, actor=actor)
        invitation.status = Invitation.Status.ACCEPTED
        invitation.save(update_fields=["status"])
    return member


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
