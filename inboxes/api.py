"""The API of domains and filter rules. That of inboxes is in ``mail.api``: deleting an inbox deletes its mail."""

from __future__ import annotations  # a view's `list` is not the builtin

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.forms import Body, Query, StrictCharField
from environments.ids import is_id
from environments.viewsets import EnvironmentViewSet
from inboxes.models import Domain, FilterRule, Inbox
from inboxes.services import domains, filter_rules

LONGEST_ADDRESS = 320


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


class FilterRuleChanges(Body):
    """What may change in a rule."""

    action = serializers.ChoiceField(FilterRule.Action.values, required=False)
    match_type = serializers.ChoiceField(FilterRule.MatchType.values, required=False)
    value = StrictCharField(max_length=LONGEST_ADDRESS, required=False)


class FilterRuleBody(Body):
    """Whom to take mail from, or to send mail to: in one inbox, or in the whole environment."""

    direction = serializers.ChoiceField(FilterRule.Direction.values)
    action = serializers.ChoiceField(FilterRule.Action.values)
    match_type = serializers.ChoiceField(FilterRule.MatchType.values)
    value = StrictCharField(max_length=LONGEST_ADDRESS)
    inbox_id = StrictCharField(max_length=40, required=False, allow_null=True)

    def validate_inbox_id(self, given: str | None) -> str | None:
        """Return the id of an inbox of this environment; any other id does not exist."""
        inboxes = Inbox.objects.in_environment(self.context["environment"])
        if given is not None and not (is_id("inb", given) and inboxes.filter(pk=given).exists()):
            raise serializers.ValidationError(f"There is no inbox {given}.")
        return given


class FilterRuleQuery(Query):
    """Which rules."""

    direction = serializers.ChoiceField(FilterRule.Direction.values, required=False)
    action = serializers.ChoiceField(FilterRule.Action.values, required=False)
    inbox_id = StrictCharField(max_length=40, required=False)


class FilterRuleOutput(serializers.Serializer):
    """A filter rule. Without ``inbox_id`` it holds for the whole environment."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    inbox_id = serializers.CharField(allow_null=True)
    direction = serializers.ChoiceField(FilterRule.Direction.values)
    action = serializers.ChoiceField(FilterRule.Action.values)
    match_type = serializers.ChoiceField(FilterRule.MatchType.values)
    value = serializers.CharField()
    set_by_person = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def filter_rule_json(rule: FilterRule) -> dict[str, Any]:
    """Return the filter rule object."""
    return {
        "id": rule.pk,
        "environment_id": rule.environment_id,
        "inbox_id": rule.inbox_id,
        "direction": rule.direction,
        "action": rule.action,
        "match_type": rule.match_type,
        "value": rule.value,
        "set_by_person": rule.set_by_person,
        "created_at": written(rule.created_at),
        "updated_at": written(rule.updated_at),
    }


class FilterRuleView(EnvironmentViewSet):
    """Whom the environment, or one inbox of it, takes mail from and sends mail to; the most specific rule decides."""

    resource = "filter_rules"
    model = FilterRule

    @extend_schema(parameters=[FilterRuleQuery], responses=FilterRuleOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environment's filter rules; with ``inbox_id``, those of this inbox alone."""
        asked, rows = self.query(FilterRuleQuery), self.get_queryset()
        if "inbox_id" in asked:
            rows = rows.filter(inbox=self.found(asked.pop("inbox_id"), Inbox))
        return self.listed(rows.filter(**asked), lambda found: [filter_rule_json(row) for row in found])

    @extend_schema(request=FilterRuleBody, responses={201: FilterRuleOutput})
    def create(self, request: Request) -> Response:
        """Create a filter rule. The same rule again returns the one that is there, with 200.

        The first ``allow`` of a direction blocks everything else in it; a ``receive`` allow counts only for mail whose
        DMARC alignment passed. Where people set ``send`` rules, a key may only add blocks.
        """
        rule, is_new = filter_rules.create_rule(self.environment, actor=self.caller.actor, **self.body(FilterRuleBody))
        return Response(filter_rule_json(rule), 201 if is_new else 200)

    @extend_schema(responses=FilterRuleOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one filter rule."""
        return Response(filter_rule_json(self.found(pk)))

    @extend_schema(request=FilterRuleChanges, responses=FilterRuleOutput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what a rule does or is about. A key may not change a ``send`` rule that a person set."""
        rule, changes = self.found(pk), self.body(FilterRuleChanges)
        changed = filter_rules.update_rule(rule, self.environment, changes, actor=self.caller.actor)
        return Response(filter_rule_json(changed))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rule. A key may not delete a ``send`` rule that a person set."""
        filter_rules.delete_rule(self.found(pk), self.environment, actor=self.caller.actor)
        return Response(status=204)
