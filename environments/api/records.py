"""The API of what was used, how well mail arrived, and what was done."""

from __future__ import annotations  # a view's `list` is not the builtin

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments import clock
from environments.errors import field_error
from environments.forms import MomentField, Query, StrictCharField
from environments.models import AuditEntry, Environment, UsageHour
from environments.present import (
    AuditOutput,
    DeliverabilityOutput,
    UsageOutput,
    audit_json,
    deliverability_json,
    usage_json,
)
from environments.resolution import find
from environments.services import deliverability, usage
from environments.viewsets import EnvironmentViewSet, OrganizationViewSet, takes

EARLIEST = datetime(1970, 3, 1, tzinfo=UTC)


class UsageQuery(Query):
    """Which period, in which steps."""

    from_ = MomentField(required=False)
    to = MomentField(required=False)
    interval = serializers.ChoiceField(sorted(usage.INTERVALS), default="day")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"from": fields.pop("from_"), **fields}


class UsageView(EnvironmentViewSet):
    """What an environment used."""

    resource = "usage"
    model = UsageHour

    @takes(UsageQuery)
    @extend_schema(responses=UsageOutput)
    def retrieve(self, request: Request) -> Response:
        """Return the environment's counters, one row for each interval in which something happened."""
        given = self.query()
        until = given.get("to") or clock.now()
        since = given.get("from") or max(until, EARLIEST) - timedelta(days=30)
        if not since < until or until - since > usage.LONGEST_PERIOD[given["interval"]]:
            raise field_error("from", "Must be before to, and the period not too long for the interval.")
        rows = usage.usage(self.environment, since, until, given["interval"])
        score = deliverability.of(self.environment).score
        return Response(usage_json(self.environment, since, until, given["interval"], rows, score))


class DeliverabilityView(EnvironmentViewSet):
    """How well the environment's mail arrives."""

    resource = "usage"
    model = UsageHour

    @extend_schema(responses=DeliverabilityOutput)
    def retrieve(self, request: Request) -> Response:
        """Return the deliverability score of the last 30 days, and what it is made of."""
        now = clock.now()
        return Response(deliverability_json(self.environment, deliverability.of(self.environment, now), now))


class AuditQuery(Query):
    """Which entries."""

    action = StrictCharField(required=False)
    environment_id = StrictCharField(required=False)


class AuditView(OrganizationViewSet):
    """The record of what was done, as far as the key reaches."""

    resource = "audit"
    organization_model = AuditEntry

    def get_queryset(self) -> QuerySet:
        rows = super().get_queryset()
        caller = self.caller
        if caller.environment_ids is not None:
            return rows.filter(environment_id__in=caller.reachable().values("pk"))
        if not caller.may_reach_live:
            live = Environment.objects.in_organization(caller.organization_id).filter(delivery_mode="live")
            rows = rows.exclude(environment_id__in=live.values("pk"))
            return rows.exclude(action__startswith="api_key.")  # they name the environments that a key reaches
        return rows

    @takes(AuditQuery)
    @extend_schema(responses=AuditOutput(many=True))
    def list(self, request: Request) -> Response:
        """List audit entries, newest first."""
        given = self.query()
        rows = self.get_queryset()
        if "environment_id" in given:
            rows = rows.filter(environment_id=find(self.caller, given["environment_id"]).pk)
        if "action" in given:
            rows = rows.filter(action=given["action"])
        return self.listed(rows, lambda found: [audit_json(row) for row in found])

    @extend_schema(responses=AuditOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one audit entry."""
        return Response(audit_json(self.found(pk)))
