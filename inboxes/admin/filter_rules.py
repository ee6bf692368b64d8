"""Console pages of filter rules: whom mail is taken from and sent to, and why an address gets through or not."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from environments.console.admins import EnvironmentModelAdmin, note_look
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.lists import Filters, ListPage
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.destinations import LONGEST_ADDRESS
from environments.models import Environment
from environments.templatetags.console_words import moment
from inboxes import matching
from inboxes.matching import Decision
from inboxes.models import FilterRule, Inbox, Suppression
from inboxes.services import filter_rules, suppressions

EVERY = ("", "Any")


class FilterRuleForm(ConfinedModelForm):
    """What may change in a rule."""

    class Meta:
        model = FilterRule
        fields: ClassVar = ["action", "match_type", "value"]


class NewFilterRuleForm(FilterRuleForm):
    """A rule of one inbox, or of the whole environment."""

    class Meta(FilterRuleForm.Meta):
        fields: ClassVar = ["inbox", "direction", "action", "match_type", "value"]


class FilterRuleFilters(Filters):
    """Which rules."""

    direction = forms.ChoiceField(choices=[EVERY, *FilterRule.Direction.choices], required=False)
    action = forms.ChoiceField(choices=[EVERY, *FilterRule.Action.choices], required=False)
    match_type = forms.ChoiceField(choices=[EVERY, *FilterRule.MatchType.choices], required=False, label="About")
    value = forms.CharField(max_length=LONGEST_ADDRESS, required=False, label="Value holds")

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the rules asked for."""
        value = asked.pop("value", "")
        rows = rows.filter(**asked)
        return rows.filter(value__contains=value.lower()) if value else rows


class TryForm(ActionForm):
    """An address, and where its mail would go or come from."""

    direction = forms.ChoiceField(choices=[("receive", "receive from it"), ("send", "send to it")])
    address = forms.CharField(max_length=LONGEST_ADDRESS)
    inbox = forms.CharField(
        max_length=LONGEST_ADDRESS,
        required=False,
        help_text="The address of one of your inboxes; empty for any that has no rules of its own.",
    )
    aligned = forms.BooleanField(
        required=False,
        initial=True,
        label="The sender is proven by DMARC",
        help_text="Of mail that comes in. Without proof no allow rule counts.",
    )

    def __init__(self, environment: Environment, *args: Any, **options: Any) -> None:
        self.environment = environment
        super().__init__(*args, **options)

    def clean_address(self) -> str:
        """Return an address as rules name it."""
        address = matching.normalised(self.cleaned_data["address"])
        if not matching.candidates(address) or address.startswith("@"):
            raise forms.ValidationError("Must be an address such as ann@example.com.")
        return address

    def clean_inbox(self) -> Inbox | None:
        """Return the inbox of the environment with this address."""
        email = self.cleaned_data["inbox"].strip().lower()
        found = Inbox.objects.in_environment(self.environment).filter(email=email).first() if email else None
        if email and found is None:
            raise forms.ValidationError("There is no inbox with this address here.")
        return found

    def decision(self) -> Decision:
        """Return what becomes of such a mail."""
        given = self.cleaned_data
        aligned = given["aligned"] or given["direction"] == FilterRule.Direction.SEND
        inbox_id = given["inbox"].pk if given["inbox"] else None
        return filter_rules.foretell(
            self.environment, given["direction"], given["address"], inbox_id=inbox_id, aligned=aligned
        )


@admin.register(FilterRule, site=site)
class FilterRuleAdmin(ListPage, EnvironmentModelAdmin):
    """Whom mail is taken from and sent to. The most specific rule decides; an allow blocks everything else."""

    section = "Mail"
    icon = "filter_alt"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = FilterRuleForm
    add_form = NewFilterRuleForm
    add_fields = ("inbox", "direction", "action", "match_type", "value")
    ordering = ("-pk",)
    list_page = "console/settings/filter_rules.html"
    list_select_related = ("inbox",)
    filters = FilterRuleFilters
    fields = ("what", "inbox", "direction", "action", "match_type", "value", "set_by_person", "made", "id")
    readonly_fields = ("what", "inbox", "direction", "set_by_person", "made", "id")

    @display(description="rule")
    def what(self, rule: FilterRule) -> str:
        """Return the rule as a sentence."""
        verbs = {"receive": "takes no mail from", "send": "sends no mail to"}
        allowed = {"receive": "takes mail from", "send": "sends mail to"}
        verb = (allowed if rule.action == "allow" else verbs)[rule.direction]
        whose = f"The inbox {rule.inbox}" if rule.inbox_id else "Every inbox"
        return f"{whose} {verb} {about(rule)}."

    @display(description="since")
    def made(self, rule: FilterRule) -> str:
        """Return when the rule was made."""
        return moment(rule.created_at)

    def get_urls(self) -> list[URLPattern]:
        ours = path("try/", self.admin_site.admin_view(self.try_address), name="inboxes_filterrule_try")
        return [ours, *super().get_urls()]

    def list_context(self, request: ConsoleRequest, rows: Any) -> dict[str, Any]:
        """Return what each rule is about in words, and whether a direction is an allow-list."""
        for rule in rows:
            rule.about = about(rule)
        allows = FilterRule.objects.in_environment(request.console.here).filter(action="allow", inbox__isnull=True)
        return {"allow_lists": set(allows.values_list("direction", flat=True).distinct())}

    def try_address(self, request: ConsoleRequest) -> HttpResponse:
        """Tell which rule decides about an address, and why; nothing is changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.console.here, request.GET if "address" in request.GET else None)
        context: dict[str, Any] = {"title": "Try an address", "form": form}
        if form.is_bound and form.is_valid():
            decision, address = form.decision(), form.cleaned_data["address"]
            context |= {"decision": decision, "address": address, "asked": form.cleaned_data}
            if form.cleaned_data["direction"] == FilterRule.Direction.SEND:
                if request.console.is_visiting:
                    note_look(request, Suppression)
                context["suppressed"] = suppressions.suppressed(request.console.here, [address]).get(address)
        return self.admin_site.page(request, "console/settings/try_address.html", opts=self.opts, **context)

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


def about(rule: FilterRule) -> str:
    """Return which addresses a rule is about."""
    forms_of = {"address": "{}", "domain": "everybody @{}", "subdomain_wildcard": "everybody at subdomains of {}"}
    return forms_of[rule.match_type].format(rule.value)
