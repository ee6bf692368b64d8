"""What the console asks about keys."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apikeys.models import ApiKey
from apikeys.scopes import ALL, APPROVE, RESOURCES, SEND
from environments import clock
from environments.console.forms import ActionForm, LimitedForm
from environments.console.lists import Filters
from environments.models import Environment
from environments.services.limits import MOST, QUOTAS

OF_THE_ORGANIZATION = {"environments", "members", "api_keys", "audit"}
OF_OTHERS = {APPROVE}  # an admin who writes drafts would be given the yes to them along with the key
FOR_ENVIRONMENT_ADMINS = sorted(
    scope for scope in ALL - OF_OTHERS if scope.partition(":")[0] not in OF_THE_ORGANIZATION
)
NO_LIMIT = "Empty for no limit."
HERE, NAMED, EVERYWHERE = "environment", "named", "organization"
PROPOSING = (
    *("inboxes:read", "messages:read", "threads:read", "labels:read", "labels:write"),
    *("drafts:read", "drafts:write", "events:read"),
)
PRESETS = {  # what most keys are for, and the scopes of these
    "read": ("Read only", [scope for scope in sorted(ALL) if scope.endswith(":read")]),
    "proposes": ("Agent that proposes", sorted(PROPOSING)),
    "sends": ("Agent that sends", sorted({*PROPOSING, SEND})),
    "full": ("Everything but approving", sorted(ALL - {APPROVE})),
}
EXTRAS = {"messages": ("send", SEND), "drafts": ("approve", APPROVE)}
OVERLAPS = {
    "": ("for a day", timedelta(hours=24)),
    "0": ("not at all: it ends at once", timedelta(0)),
    "1": ("for an hour", timedelta(hours=1)),
    "168": ("for a week", timedelta(days=7)),
}


def scope_rows(chosen: Any, offered: Any = ALL) -> list[dict[str, Any]]:
    """Return scopes as a table: a row for each resource, with a cell for reading, for writing and for a third right."""
    offered, chosen = set(offered), set(chosen)
    rows = []
    for resource in RESOURCES:
        cells = [(verb, f"{resource}:{verb}") for verb in ("read", "write")]
        cells += [EXTRAS[resource]] if resource in EXTRAS else []
        shown = [
            {"verb": verb, "scope": scope, "has": scope in chosen, "offered": scope in offered} for verb, scope in cells
        ]
        if any(cell["offered"] for cell in shown):
            name = "API keys" if resource == "api_keys" else resource.replace("_", " ")
            rows.append({"resource": name, "cells": shown, "has_third": len(shown) > 2})  # noqa: PLR2004 - read, write
    return rows


class ScopeTable(forms.CheckboxSelectMultiple):
    """Check boxes in a table, with presets."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the table; the template is the console's, not one of Django's forms."""
        offered = [scope for scope, _ in self.choices]
        presets = [(key, title, [s for s in scopes if s in offered]) for key, (title, scopes) in PRESETS.items()]
        rows, identifier = scope_rows(value or (), offered), (attrs or {}).get("id")
        context = {"name": name, "rows": rows, "presets": presets, "id": identifier}
        return render_to_string("console/settings/scopes.html", context)


class EnvironmentChecks(forms.CheckboxSelectMultiple):
    """Check boxes of environments, which may be many."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the boxes; the template is the console's, not one of Django's forms."""
        context = {**self.get_context(name, value, attrs), "is_many": True}
        return render_to_string("console/settings/checks.html", context)


def scopes_field(offered: Any) -> forms.MultipleChoiceField:
    """Return a field of these scopes."""
    return forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in sorted(offered)],
        widget=ScopeTable,
        help_text="Writing messages includes sending. Approving drafts is never included: it stands in for a person's "
        "yes. A key that writes drafts and may not send can only propose.",
    )


class QuotasForm(ActionForm):
    """How much a key may send."""

    hourly_sending_quota = forms.IntegerField(min_value=0, max_value=MOST, required=False, help_text=NO_LIMIT)
    daily_sending_quota = forms.IntegerField(min_value=0, max_value=MOST, required=False, help_text=NO_LIMIT)


class EnvironmentApiKeyForm(LimitedForm):
    """A new key made by the admin of one environment, for it alone."""

    scopes = scopes_field(FOR_ENVIRONMENT_ADMINS)
    reach = forms.ChoiceField(choices=[(HERE, "this environment only")])
    days = forms.IntegerField(
        min_value=1, max_value=3650, required=False, label="Valid for days", help_text="Empty: until revoked."
    )

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", *QUOTAS]
        help_texts: ClassVar = {"name": "What it is for: the agent, the service or the person that holds it."}

    def reached(self, here: Environment) -> list[Environment] | None:
        """Return the environments that the key is to reach; None for the whole organization."""
        given = self.cleaned_data
        if given["reach"] == EVERYWHERE:
            return None
        return [here] if given["reach"] == HERE else list(given["environments"])


class ApiKeyForm(EnvironmentApiKeyForm):
    """A new key: what for, how far, how long."""

    organization_id: ClassVar[str] = ""  # the admin class puts it on the class it makes for one request

    scopes = scopes_field(ALL)
    reach = forms.ChoiceField(
        choices=[
            (HERE, "this environment only"),
            (NAMED, "the environments chosen below"),
            (EVERYWHERE, "the whole organization, environments to come included"),
        ]
    )
    environments: Any = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=EnvironmentChecks,
        help_text="A key for environments none of which is live is a dev key, and never reaches a live one.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Environment.objects.in_organization(self.organization_id).order_by("name")
        self.fields["environments"].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        """Demand environments where the reach says that they are chosen."""
        given = super().clean() or self.cleaned_data
        if given.get("reach") == NAMED and not given.get("environments"):
            self.add_error("environments", "Choose at least one.")
        return given


class RotateForm(ActionForm):
    """How long the old secret is good for."""

    overlap = forms.ChoiceField(
        choices=[(hours, words) for hours, (words, _) in OVERLAPS.items()],
        required=False,
        label="The old secret stays valid",
    )


class RevokeForm(ActionForm):
    """The name of the key, so that it is this one."""

    name = forms.CharField(
        max_length=200, label="Name of the key", help_text="Type it, to revoke this key and no other."
    )

    def __init__(self, key: ApiKey, *args: Any, **options: Any) -> None:
        self.key = key
        super().__init__(*args, **options)

    def clean_name(self) -> str:
        """Return the name, which is that of the key."""
        if self.cleaned_data["name"].strip() != self.key.name.strip():
            raise forms.ValidationError(f"That is not its name. It is: {self.key.name}")
        return self.key.name


class KeyFilters(Filters):
    """Which keys."""

    name = forms.CharField(max_length=200, required=False, label="Name holds")
    kind = forms.ChoiceField(choices=[("", "Any kind"), *ApiKey.Kind.choices], required=False)
    state = forms.ChoiceField(
        choices=[("", "Any state"), ("valid", "valid"), ("expired", "expired"), ("revoked", "revoked")], required=False
    )

    def narrow(self, rows: Any, asked: dict[str, Any]) -> Any:
        """Return the keys asked for; an organization has few enough to look at all of their names."""
        if "name" in asked:
            rows = rows.filter(name__icontains=asked["name"])
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        over = {"expires_at__lte": clock.now(), "revoked_at": None}
        if asked.get("state") == "revoked":
            return rows.exclude(revoked_at=None)
        if asked.get("state") == "expired":
            return rows.filter(**over)
        return rows.filter(revoked_at=None).exclude(**over) if asked.get("state") else rows
