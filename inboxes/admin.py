"""Console pages of domains, filter rules and suppressions. Inboxes are in ``mail``: one goes with its mail."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
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
from inboxes.models import Domain, FilterRule, SigningKey, Suppression
from inboxes.services import domains, filter_rules, signing_keys, suppressions, verification


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
    fields = (
        *("name", "kind", "state", "records", "is_trusted", "catch_all"),
        *("verified_at", "checked_at", "failing_since", "created_at", "id"),
    )
    readonly_fields = fields
    actions_detail: ClassVar = ["ask_dns", "rotate_keys", "vouch"]

    @display(
        description="status", ordering="status",
        label={"pending": "warning", "verified": "success", "suspended": "danger"},
    )  # fmt: skip
    def state(self, domain: Domain) -> str:
        """Return the status, coloured."""
        return domain.status

    @display(description="DNS records")
    def records(self, domain: Domain) -> SafeString:
        """Return the records that the domain needs, to copy, each with what DNS says of it."""
        keys = signing_keys.of_domains(domain.environment, [domain])[domain.pk]
        lines = [
            (record["status"], record["purpose"], record["name"], record["type"], record["value"], _told(record))
            for record in domains.dns_records(domain, keys)
        ]
        return format_html(
            '<pre class="console-text">{}</pre>', format_html_join("\n\n", "{}: {}\n{}  {}  {}{}", lines)
        )

    def save_model(self, request: ConsoleRequest, obj: Domain, form: Any, change: bool) -> None:  # noqa: FBT001
        console = request.console
        made, _ = domains.add_domain(console.here, form.cleaned_data["name"], actor=console.actor)
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: ConsoleRequest, obj: Domain) -> None:
        domains.remove_domain(obj, request.console.here, actor=request.console.actor)

    def has_tend_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person sets up the environment's domains."""
        return request.console.may(Kind.RESOURCE, "change")

    @action(description="Verify now", url_path="verify", permissions=["tend"])
    def ask_dns(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask DNS for the domain's records."""
        domain, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            status = verification.verify(domain, console.here, actor=console.actor).status
            return f"DNS was asked. The domain is {status}; each record tells what was found."

        explanation = "DNS is asked for all records of the domain, which takes a few seconds at the most."
        return self._ask(request, domain, carry_out, "Verify domain", explanation)

    @action(description="Rotate DKIM keys", url_path="rotate-keys", permissions=["tend"])
    def rotate_keys(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Make new DKIM keys, which sign once DNS shows them."""
        domain, console = self.found(request, object_id), request.console

        def carry_out(_: dict[str, Any]) -> str:
            domains.rotate_keys(domain, console.here, actor=console.actor)
            return "New keys wait for their records in DNS; the old ones sign until then."

        explanation = "Publish the new records, then verify. Leave the old ones in DNS for a week after that."
        return self._ask(request, domain, carry_out, "Rotate DKIM keys", explanation)

    def _ask(
        self,
        request: ConsoleRequest,
        domain: Domain,
        carry_out: Callable[[dict[str, Any]], str],
        title: str,
        explanation: str,
    ) -> HttpResponse:
        form = ActionForm(request.POST if request.method == "POST" else None)
        return self.act(request, domain, form, carry_out, title=title, explanation=explanation)

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
        return self._ask(request, domain, carry_out, "Vouch for domain", explanation)


def _told(record: dict[str, Any]) -> str:
    """Return what else there is to say of a record, in lines of their own."""
    found = [f"found: {value}" for value in record["found"]] if record["status"] != "verified" else []
    return "".join(f"\n    {line}" for line in [record["reason"], *found] if line)


@admin.register(SigningKey, site=site)
class SigningKeyAdmin(EnvironmentModelAdmin):
    """The DKIM keys of the environment's domains; their private halves are shown to nobody."""

    section = "Mail"
    icon = "key"
    rights = Kind.RECORD
    list_display = ("selector", "domain", "algorithm", "state", "activated_at", "retires_at", "id")
    list_filter = ("state", "algorithm")
    list_select_related = ("domain",)
    list_defer = ("sealed_private", "public")
    search_fields = ("selector",)
    ordering = ("-pk",)
    fields = ("domain", "selector", "algorithm", "state", "created_at", "activated_at", "retires_at", "id")
    readonly_fields = fields


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


class SuppressionForm(ConfinedModelForm):
    """Whom not to write to any more."""

    class Meta:
        model = Suppression
        fields: ClassVar = ["email", "explanation"]


class LiftForm(ActionForm):
    """Why an address is written to again."""

    reason = forms.CharField(widget=forms.Textarea, help_text="Kept in the audit log.")


@admin.register(Suppression, site=site)
class SuppressionAdmin(EnvironmentModelAdmin):
    """Addresses that are not written to any more: they bounced, complained, left, or somebody put them here."""

    section = "Mail"
    icon = "unsubscribe"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add"})
    add_form = SuppressionForm
    add_fields = ("email", "explanation")
    list_display = ("email", "why", "explanation", "set_by_person", "created_at", "id")
    list_filter = ("reason", "set_by_person")
    search_fields = ("email",)
    ordering = ("-pk",)
    fields = ("email", "why", "explanation", "source", "set_by_person", "created_at", "id")
    readonly_fields = fields
    actions_detail: ClassVar = ["lift"]

    @display(
        description="reason", ordering="reason",
        label={"hard_bounce": "warning", "complaint": "danger", "unsubscribed": "info", "manual": "info"},
    )  # fmt: skip
    def why(self, suppression: Suppression) -> str:
        """Return the reason, coloured."""
        return suppression.reason

    def save_model(self, request: ConsoleRequest, obj: Suppression, form: Any, change: bool) -> None:  # noqa: FBT001
        console, given = request.console, form.cleaned_data
        made, _ = suppressions.suppress(
            console.here, given["email"], reason="manual", explanation=given["explanation"], actor=console.actor
        )
        obj.__dict__.update(made.__dict__)

    def has_lift_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may have the address written to again: whoever may suppress one."""
        return self.has_add_permission(request)

    @action(description="Write to it again", url_path="lift", permissions=["lift"])
    def lift(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Take the address off the list, with a reason, as an act of this person."""
        suppression, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> str:
            suppressions.lift(console.here, suppression, actor=console.actor, reason=given["reason"])
            return f"{suppression.email} may be written to again."

        return self.act(
            request,
            suppression,
            LiftForm(request.POST or None),
            carry_out,
            title="Write to this address again",
            explanation="If it bounces or complains again, the deliverability of all other mail suffers.",
        )
