"""The API of domains. That of inboxes is in ``mail.api``, since deleting an inbox deletes its mail."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.forms import Body, StrictCharField
from environments.viewsets import EnvironmentViewSet
from inboxes.models import Domain
from inboxes.services import domains


class DomainBody(Body):
    """Which domain."""

    domain = StrictCharField(max_length=253)
    client_id = StrictCharField(max_length=200, required=False)


class RecordOutput(serializers.Serializer):
    """A DNS record that the domain needs."""

    type = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()
    purpose = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField(allow_null=True)


class DomainOutput(serializers.Serializer):
    """A domain of an environment."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    domain = serializers.CharField()
    kind = serializers.ChoiceField(Domain.Kind.values)
    status = serializers.ChoiceField(Domain.Status.values)
    records = RecordOutput(many=True)
    client_id = serializers.CharField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def domain_json(domain: Domain) -> dict[str, Any]:
    """Return the domain object."""
    return {
        "id": domain.pk,
        "environment_id": domain.environment_id,
        "domain": domain.name,
        "kind": domain.kind,
        "status": domain.status,
        "records": domains.dns_records(domain) if domain.kind == Domain.Kind.CUSTOM else [],
        "client_id": domain.client_id,
        "verified_at": written(domain.verified_at),
        "created_at": written(domain.created_at),
        "updated_at": written(domain.updated_at),
    }


class DomainView(EnvironmentViewSet):
    """The domains of an environment."""

    resource = "domains"
    model = Domain

    @extend_schema(responses=DomainOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environment's domains, claimed subdomains of the shared one among them."""
        return self.listed(self.get_queryset(), lambda rows: [domain_json(row) for row in rows])

    @extend_schema(request=DomainBody, responses={201: DomainOutput})
    def create(self, request: Request) -> Response:
        """Add a domain; it is pending until an operator vouches for it, and can have inboxes and captured mail."""
        given = self.body(DomainBody)
        domain, is_new = domains.add_domain(
            self.environment, given["domain"], actor=self.caller.actor, client_id=given.get("client_id")
        )
        return Response(domain_json(domain), 201 if is_new else 200)

    @extend_schema(responses=DomainOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one domain with its DNS records."""
        return Response(domain_json(self.found(pk)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Give a domain up; one with inboxes on it stays."""
        domains.remove_domain(self.found(pk), self.environment, actor=self.caller.actor)
        return Response(status=204)
