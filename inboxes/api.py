"""The API of domains and filter rules. That of inboxes is in ``mail.api``: deleting an inbox deletes its mail."""

from __future__ import annotations  # a view's `list` is not the builtin

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from environments.clock import written
from environments.destinations import LONGEST_ADDRESS
from environments.forms import Body, Query, StrictCharField
from environments.ids import is_id
from environments.models import Environment
from environments.viewsets import EnvironmentViewSet, takes
from inboxes.models import Domain, FilterRule, Inbox, SigningKey, Suppression
from inboxes.records.values import Status as RecordStatus
from inboxes.services import domains, filter_rules, signing_keys, suppressions, verification


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
    required = serializers.BooleanField()
    status = serializers.ChoiceField([str(status) for status in RecordStatus])
    reason = serializers.CharField(allow_null=True)
    found = serializers.ListField(child=serializers.CharField())
    selector = serializers.CharField(allow_null=True)
    key_state = serializers.ChoiceField(SigningKey.State.values, allow_null=True)


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
    checked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def domain_json(environment: Environment, domain: Domain) -> dict[str, Any]:
    """Return the domain object. Runs inside the environment."""
    return domains_json(environment, [domain])[0]


def domains_json(environment: Environment, rows: Sequence[Domain]) -> list[dict[str, Any]]:
    """Return domain objects, after one query for all. Runs inside the environment."""
    keys = signing_keys.of_domains(environment, rows)
    return [_domain_json(row, keys[row.pk]) for row in rows]


def _domain_json(domain: Domain, keys: Sequence[SigningKey]) -> dict[str, Any]:
    return {
        "id": domain.pk,
        "environment_id": domain.environment_id,
        "domain": domain.name,
        "kind": domain.kind,
        "status": domain.status,
        "records": domains.dns_records(domain, keys),
        "client_id": domain.client_id,
        "verified_at": written(domain.verified_at),
        "checked_at": written(domain.checked_at),
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
        return self.listed(self.get_queryset(), lambda rows: domains_json(self.environment, rows))

    @extend_schema(request=DomainBody, responses={201: DomainOutput})
    def create(self, request: Request) -> Response:
        """Add a domain and get its DNS records. Until DNS proves it, it can have inboxes and captured mail."""
        given = self.body(DomainBody)
        domain, is_new = domains.add_domain(
            self.environment, given["domain"], actor=self.caller.actor, client_id=given.get("client_id")
        )
        return Response(domain_json(self.environment, domain), 201 if is_new else 200)

    @extend_schema(responses=DomainOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one domain with its DNS records."""
        return Response(domain_json(self.environment, self.found(pk)))

    @extend_schema(request=None, responses=DomainOutput)
    def verify(self, request: Request, pk: str) -> Response:
        """Ask DNS now, and return the domain with what was found of each record; at most every five seconds.

        A domain is verified when its ownership record and its RSA key are in DNS. Mail for it arrives with the MX.
        """
        with verification.place():
            check = verification.begin(self.found(pk), self.environment)
            verification.count(self.environment)
            with self.between_transactions():
                answers = verification.ask(check)
        domain = verification.conclude(check, self.environment, answers, actor=self.caller.actor)
        return Response(domain_json(self.environment, domain))

    @extend_schema(request=None, responses=DomainOutput)
    def rotate_keys(self, request: Request, pk: str) -> Response:
        """Make new DKIM keys. Each signs once its record is seen in DNS; leave the old one there for a week after."""
        domain = domains.rotate_keys(self.found(pk), self.environment, actor=self.caller.actor)
        return Response(domain_json(self.environment, domain))

    @extend_schema(responses={(200, "text/dns"): OpenApiTypes.STR})
    def zone_file(self, request: Request, pk: str) -> HttpResponse:
        """Return the records as a zone file (RFC 1035), which most DNS providers import."""
        domain = self.found(pk)
        keys = signing_keys.of_domains(self.environment, [domain])[domain.pk]
        response = HttpResponse(domains.zone(domain, keys), content_type="text/dns; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{domain.name}.zone"'
        return response

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

    @takes(FilterRuleQuery)
    @extend_schema(responses=FilterRuleOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the environment's filter rules; with ``inbox_id``, those of this inbox alone."""
        asked, rows = self.query(), self.get_queryset()
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


class SuppressionBody(Body):
    """Which address is not to be written to any more, and why."""

    email = StrictCharField(max_length=LONGEST_ADDRESS)
    reason = serializers.ChoiceField([Suppression.Reason.MANUAL, Suppression.Reason.UNSUBSCRIBED], default="manual")
    explanation = StrictCharField(max_length=500, default="", allow_blank=True)


class SuppressionQuery(Query):
    """Which suppressions of the list."""

    email = StrictCharField(max_length=LONGEST_ADDRESS, required=False)
    reason = serializers.ChoiceField(Suppression.Reason.values, required=False)


class SuppressionOutput(serializers.Serializer):
    """An address that the environment does not write to any more. ``message_id`` is the message that it came of."""

    id = serializers.CharField()
    environment_id = serializers.CharField()
    email = serializers.CharField()
    reason = serializers.ChoiceField(Suppression.Reason.values)
    explanation = serializers.CharField()
    message_id = serializers.CharField(allow_null=True)
    set_by_person = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def suppression_json(suppression: Suppression) -> dict[str, Any]:
    """Return the suppression object."""
    return {
        "id": suppression.pk,
        "environment_id": suppression.environment_id,
        "email": suppression.email,
        "reason": suppression.reason,
        "explanation": suppression.explanation,
        "message_id": suppression.source or None,
        "set_by_person": suppression.set_by_person,
        "created_at": written(suppression.created_at),
    }


class SuppressionView(EnvironmentViewSet):
    """Addresses that the environment does not write to any more: they bounced, complained or left."""

    resource = "suppressions"
    model = Suppression

    @takes(SuppressionQuery)
    @extend_schema(responses=SuppressionOutput(many=True))
    def list(self, request: Request) -> Response:
        """List the suppressed addresses of the environment."""
        asked, rows = self.query(), self.get_queryset()
        if "email" in asked:
            rows = rows.filter(email=suppressions.stored_as(asked.pop("email")))
        return self.listed(rows.filter(**asked), lambda found: [suppression_json(row) for row in found])

    @extend_schema(request=SuppressionBody, responses={201: SuppressionOutput})
    def create(self, request: Request) -> Response:
        """Suppress an address. One that is suppressed already is returned, with 200."""
        given = self.body(SuppressionBody)
        suppression, is_new = suppressions.suppress(
            self.environment, given.pop("email"), actor=self.caller.actor, **given
        )
        return Response(suppression_json(suppression), 201 if is_new else 200)

    @extend_schema(responses=SuppressionOutput)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one suppression."""
        return Response(suppression_json(self.found(pk)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Write to the address again. What a complaint or a person set, a key may not lift: 403 ``person_required``."""
        suppressions.lift(self.environment, self.found(pk), actor=self.caller.actor)
        return Response(status=204)
