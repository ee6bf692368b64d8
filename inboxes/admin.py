"""Console pages of domains and filter rules. Those of inboxes are in ``mail``, since an inbox goes with its mail."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from inboxes.models import Domain, FilterRule
from inboxes.services import domains, filter_rules


class DomainForm(ConfinedModelForm):
    """The name of a domain to claim."""

    class Meta:
        model = Domain
        fields: ClassVar = ["name"]


@admin.register(Domain, site=site)
class DomainAdmin(EnvironmentModelAdmin):
    """Domains of the environment, and what their DNS must say."""

    section = "Mail"
    icon = "language"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "delete"})
    add_form = DomainForm
    add_fields = ("name",)
    list_display = ("name", "kind", "state", "verified_at", "id")
    list_filter = ("kind", "status")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "kind", "state", "records", "is_trusted", "catch_all", "verified_at", "created_at", "id")
    readonly_fields = fields
    actions_detail: ClassVar = ["vouch"]

    @display(
        description="status", ordering="status",
        label={"pending": "warning", "verified": "success", "suspended": "danger"},
    )  # fmt: skip
    def state(self, domain: Domain) -> str:
        """Return the status, coloured."""
        return domain.status

    @display(description="DNS records")
    def records(self, domain: Domain) -> SafeString:
        """Return the records that prove the domain, to copy."""
        if domain.kind != Domain.Kind.CUSTOM:
            return format_html("none needed: the domain lies below the server's own")
        lines = ((r["name"], r["type"], r["value"], r["purpose"]) for r in domains.dns_records(domain))
        return format_html('<pre class="console-text">{}</pre>', format_html_join("\n", "{}  {}  {}  ; {}", lines))

    def save_model(self, request: ConsoleRequest, obj: Domain, form: Any, change: bool) -> None:  # noqa: FBT001
        console = request.console
        made, _ = domains.add_domain(console.here, form.cleaned_data["name"], actor=console.actor)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Domain) -> None:
        domains.remove_domain(obj, request.console.here, actor=request.console.actor)

    def has_vouch_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person answers for domains that DNS does not prove."""
        return request.console.is_operator

    @action(description="Vouch for it", url_path="vouch", permissions=["vouch"])
    def vouch(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Take the domain for verified on an operator's word."""
        domain, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            domains.trust(domain, console.here, actor=console.actor)
            return "The domain counts as verified."

        explanation = "Its DNS will not be asked. Other environments cannot verify the same domain."
        return self.act(
            request,
            domain,
            ActionForm(request.POST or None),
            carry_out,
            title="Vouch for domain",
            explanation=explanation,
        )


class FilterRuleForm(ConfinedModelForm):
    """What may change in a rule."""

    class Meta:
        model = FilterRule
        fields: ClassVar = ["action", "match_type", "value"]


class NewFilterRuleForm(FilterRuleForm):
    """A rule of one inbox, or of the whole environment."""

    class Meta(FilterRuleForm.Meta):
        fields: ClassVar = ["inbox", "direction", "action", "match_type", "value"]


@admin.register(FilterRule, site=site)
class FilterRuleAdmin(EnvironmentModelAdmin):
    """Whom mail is taken from and sent to. The most specific rule decides; an allow blocks everything else."""

    section = "Mail"
    icon = "filter_alt"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = FilterRuleForm
    add_form = NewFilterRuleForm
    add_fields = ("inbox", "direction", "action", "match_type", "value")
    list_display = ("value", "match_type", "what", "direction", "inbox", "set_by_person", "id")
    list_filter = ("direction", "action", "match_type")
    list_select_related = ("inbox",)
    search_fields = ("value",)
    ordering = ("-pk",)
    fields = ("inbox", "direction", "action", "match_type", "value", "set_by_person", "created_at", "id")
    readonly_fields = ("inbox", "direction", "set_by_person", "created_at", "id")

    @display(description="action", ordering="action", label={"allow": "success", "block": "danger"})
    def what(self, rule: FilterRule) -> str:
        """Return the action, coloured."""
        return rule.action

    def save_model(self, request: ConsoleRequest, obj: FilterRule, form: Any, change: bool) -> None:  # noqa: FBT001
        console, given = request.console, form.cleaned_data
        if change:
            current = FilterRule.objects.in_environment(console.here).get(pk=obj.pk)
            changes = {name: given[name] for name in form.changed_data}
            filter_rules.update_rule(current, console.here, changes, actor=console.actor)
            return
        inbox = given.pop("inbox")
        made, _ = filter_rules.create_rule(
            console.here, actor=console.actor, inbox_id=inbox.pk if inbox else None, **given
        )
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: FilterRule) -> None:
        filter_rules.delete_rule(obj, request.console.here, actor=request.console.actor)
