"""How the rows of this app look in the API. Each ``…Output`` describes to the schema what its ``…_json`` builds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from environments.clock import written
from environments.models import (
    AuditEntry,
    Environment,
    EnvironmentMembership,
    Invitation,
    Member,
    Organization,
    UsageHour,
)
from environments.services import deliverability
from environments.services.deliverability import Deliverability


class OrganizationOutput(serializers.Serializer):
    """An organization."""

    id = serializers.CharField()
    name = serializers.CharField()
    slug = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def organization_json(organization: Organization) -> dict[str, Any]:
    """Return the organization object."""
    return {
        "id": organization.pk,
        "name": organization.name,
        "slug": organization.slug,
        "created_at": written(organization.created_at),
        "updated_at": written(organization.updated_at),
    }


class MemberOutput(serializers.Serializer):
    """A person's place in an organization."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Member.Role.values)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def member_json(member: Member) -> dict[str, Any]:
    """Return the member object; the member's user is loaded."""
    return {
        "id": member.pk,
        "organization_id": member.organization_id,
        "email": member.user.email,
        "name": member.user.get_full_name(),
        "role": member.role,
        "created_at": written(member.created_at),
        "updated_at": written(member.updated_at),
    }


class InvitationOutput(serializers.Serializer):
    """A place offered to an address. The link that accepts it is made in the console, by a person."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(Member.Role.values)
    status = serializers.ChoiceField(Invitation.Status.values)
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    """Return the invitation object."""
    return {
        "id": invitation.pk,
        "organization_id": invitation.organization_id,
        "email": invitation.email,
        "role": invitation.role,
        "status": invitation.status_now,
        "expires_at": written(invitation.expires_at),
        "created_at": written(invitation.created_at),
        "updated_at": written(invitation.updated_at),
    }


class EnvironmentOutput(serializers.Serializer):
    """An environment."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    is_default = serializers.BooleanField()
    delivery_mode = serializers.ChoiceField(Environment.DeliveryMode.values)
    is_locked = serializers.BooleanField()
    outbound_paused = serializers.BooleanField()
    inbound_paused = serializers.BooleanField()
    webhooks_paused = serializers.BooleanField()
    pause_reasons = serializers.DictField()
    allowlist = serializers.ListField(child=serializers.CharField())
    redirect_address = serializers.CharField(allow_blank=True)
    hourly_sending_quota = serializers.IntegerField(allow_null=True)
    daily_sending_quota = serializers.IntegerField(allow_null=True)
    recipient_domain_hourly_limit = serializers.IntegerField(allow_null=True)
    repetition_limit = serializers.IntegerField(allow_null=True)
    quota_warning_percent = serializers.IntegerField()
    deliverability_floor = serializers.IntegerField(allow_null=True)
    authentication_policy = serializers.ChoiceField(Environment.AuthenticationPolicy.values)
    content_policy = serializers.ChoiceField(Environment.ContentPolicy.values)
    event_retention_days = serializers.IntegerField()
    message_retention_days = serializers.IntegerField(allow_null=True)
    metadata = serializers.DictField()
    client_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def environment_json(environment: Environment) -> dict[str, Any]:
    """Return the environment object."""
    return {
        "id": environment.pk,
        "organization_id": environment.organization_id,
        "name": environment.name,
        "slug": environment.slug,
        "description": environment.description,
        "is_default": environment.is_default,
        "delivery_mode": environment.delivery_mode,
        "is_locked": environment.is_locked,
        "outbound_paused": environment.outbound_paused,
        "inbound_paused": environment.inbound_paused,
        "webhooks_paused": environment.webhooks_paused,
        "pause_reasons": environment.pause_reasons,
        "allowlist": environment.allowlist,
        "redirect_address": environment.redirect_address,
        "hourly_sending_quota": environment.hourly_sending_quota,
        "daily_sending_quota": environment.daily_sending_quota,
        "recipient_domain_hourly_limit": environment.recipient_domain_hourly_limit,
        "repetition_limit": environment.repetition_limit,
        "quota_warning_percent": environment.quota_warning_percent,
        "deliverability_floor": environment.deliverability_floor,
        "authentication_policy": environment.authentication_policy,
        "content_policy": environment.content_policy,
        "event_retention_days": environment.event_retention_days,
        "message_retention_days": environment.message_retention_days,
        "metadata": environment.metadata,
        "client_id": environment.client_id,
        "created_at": written(environment.created_at),
        "updated_at": written(environment.updated_at),
    }


class EnvironmentMemberOutput(serializers.Serializer):
    """A member's place in one environment."""

    member_id = serializers.CharField()
    environment_id = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(EnvironmentMembership.Role.values)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def environment_member_json(membership: EnvironmentMembership) -> dict[str, Any]:
    """Return the membership object; its member and user are loaded."""
    return {
        "member_id": membership.member_id,
        "environment_id": membership.environment_id,
        "email": membership.member.user.email,
        "role": membership.role,
        "created_at": written(membership.created_at),
        "updated_at": written(membership.updated_at),
    }


class AuditOutput(serializers.Serializer):
    """What was done, by whom, on what."""

    id = serializers.CharField()
    organization_id = serializers.CharField()
    environment_id = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    actor = serializers.DictField()
    action = serializers.CharField()
    target_id = serializers.CharField()
    reason = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()
    hash = serializers.CharField()


def audit_json(entry: AuditEntry) -> dict[str, Any]:
    """Return the audit object."""
    return {
        "id": entry.pk,
        "organization_id": entry.organization_id,
        "environment_id": entry.environment_id,
        "at": written(entry.at),
        "actor": {
            "kind": entry.actor_kind,
            "id": entry.actor_id or None,
            "name": entry.actor_name,
            "address": entry.address,
        },
        "action": entry.action,
        "target_id": entry.target_id,
        "reason": entry.reason,
        "before": entry.before,
        "after": entry.after,
        "hash": bytes(entry.hash).hex(),
    }


class UsageRow(serializers.Serializer):
    """The counters of one interval."""

    start = serializers.DateTimeField()
    messages_in = serializers.IntegerField()
    messages_out = serializers.IntegerField()
    messages_captured = serializers.IntegerField()
    messages_sent = serializers.IntegerField()
    messages_delivered = serializers.IntegerField()
    messages_bounced = serializers.IntegerField()
    messages_complained = serializers.IntegerField()
    bytes_stored = serializers.IntegerField()
    webhook_deliveries = serializers.IntegerField()
    api_calls = serializers.IntegerField()


class DeliverabilityOutput(serializers.Serializer):
    """How well mail of an environment arrives: 100 - bounce % x 5 - complaint % x 20, and not below 0.

    ``sent``, ``delivered``, ``bounced`` and ``complained`` count recipients. Below ``floor``, sending is paused once
    ``minimum`` were sent, until a person lifts that pause.
    """

    environment_id = serializers.CharField()
    since = serializers.DateTimeField()
    to = serializers.DateTimeField()
    score = serializers.FloatField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    bounced = serializers.IntegerField()
    complained = serializers.IntegerField()
    bounce_percent = serializers.FloatField()
    complaint_percent = serializers.FloatField()
    floor = serializers.IntegerField(allow_null=True)
    minimum = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {{"since": "from"}.get(name, name): field for name, field in fields.items()}


def deliverability_json(environment: Environment, figures: Deliverability, until: datetime) -> dict[str, Any]:
    """Return the deliverability object."""
    return {
        "environment_id": environment.pk,
        "from": written(until - deliverability.PERIOD),
        "to": written(until),
        **figures.as_json(),
        "floor": environment.deliverability_floor,
        "minimum": deliverability.FEWEST,
    }


class UsageOutput(serializers.Serializer):
    """What an environment used in a period, and its deliverability score over the last 30 days."""

    environment_id = serializers.CharField()
    since = serializers.DateTimeField()
    to = serializers.DateTimeField()
    interval = serializers.ChoiceField(["day", "hour", "month"])
    totals = serializers.DictField(child=serializers.IntegerField())
    deliverability_score = serializers.FloatField()
    data = UsageRow(many=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {{"since": "from"}.get(name, name): field for name, field in fields.items()}


def usage_json(
    environment: Environment,
    since: datetime,
    until: datetime,
    interval: str,
    rows: Sequence[dict[str, Any]],
    score: float,
) -> dict[str, Any]:
    """Return the usage object of a period; ``score`` is that of the last 30 days."""
    return {
        "environment_id": environment.pk,
        "from": written(since),
        "to": written(until),
        "interval": interval,
        "totals": {name: sum(row[name] for row in rows) for name in UsageHour.COUNTERS},
        "deliverability_score": score,
        "data": [{**row, "start": written(row["start"])} for row in rows],
    }
