"""Console pages of suppressions: addresses that are not written to any more, and why."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.lists import Filters, ListPage, RowPage
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.destinations import LONGEST_ADDRESS
from inboxes.models import Suppression
from inboxes.services import suppressions

CONSEQUENCES = {
    Suppression.Reason.HARD_BOUNCE: (
        "Mail to it bounced for good. If it bounces again it is suppressed again, and the deliverability score falls."
    ),
    Suppression.Reason.COMPLAINT: (
        "The recipient complained about mail from here. Another complaint harms the deliverability of all your mail; "
        "write to them only if they asked for it since."
    ),
    Suppression.Reason.UNSUBSCRIBED: (
        "The recipient unsubscribed. Write to them only if they asked for it since; in many countries the law says so."
    ),
    Suppression.Reason.MANUAL: "It was put on the list by hand. Whoever did so had a reason; read it first.",
}


class SuppressionForm(ConfinedModelForm):
    """Whom not to write to any more."""

    class Meta:
        model = Suppression
        fields: ClassVar = ["email", "explanation"]


class SuppressionFilters(Filters):
    """Which suppressions."""

    email = forms.CharField(max_length=LONGEST_ADDRESS, required=False, label="Address")
    reason = forms.ChoiceField(choices=[("", "Any reason"), *Suppression.Reason.choices], required=False)

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the suppression of the whole address, as it is stored, and those with the reason."""
        if "email" in asked:
            asked["email"] = suppressions.stored_as(asked["email"])
        return rows.filter(**asked)


class LiftForm(ActionForm):
    """Why an address is written to again."""

    reason = forms.CharField(widget=forms.Textarea, help_text="Kept in the audit log.")


@admin.register(Suppression, site=site)
class SuppressionAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """Addresses that are not written to any more: they bounced, complained, left, or somebody put them here."""

    section = "Mail"
    icon = "unsubscribe"
    rights = Kind.RESOURCE
    shows_mail = True  # whom the environment wrote to
    offers = frozenset({"view", "add"})
    add_form = SuppressionForm
    add_fields = ("email", "explanation")
    ordering = ("-pk",)
    list_page = "console/settings/suppressions.html"
    filters = SuppressionFilters
    row_template = "console/settings/suppression.html"
    actions_detail: ClassVar = ["lift"]

    def list_context(self, request: ConsoleRequest, rows: Any) -> dict[str, Any]:
        """Return whether addresses may be taken off the list here."""
        return {"may_lift": self.has_lift_permission(request)}

    def row_context(self, request: ConsoleRequest, row: Suppression) -> dict[str, Any]:
        """Return what the reason means, and what lifting it would."""
        reason = Suppression.Reason(row.reason)
        meant = {"sentence": suppressions.SENTENCES[reason], "consequence": CONSEQUENCES[reason]}
        return {**super().row_context(request, row), **meant}

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
        """Take the address off the list, with a reason, as an act of this person; return to the list."""
        suppression, console = self.found(request, object_id), request.console

        def carry_out(given: dict[str, Any]) -> HttpResponse:
            suppressions.lift(console.here, suppression, actor=console.actor, reason=given["reason"])
            messages.success(request, f"{suppression.email} may be written to again.")
            return HttpResponseRedirect(reverse("admin:inboxes_suppression_changelist"))

        return self.act(
            request,
            suppression,
            LiftForm(request.POST or None),
            carry_out,
            title="Write to this address again",
            explanation=CONSEQUENCES[Suppression.Reason(suppression.reason)],
        )
