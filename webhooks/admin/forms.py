"""What the console asks about endpoints, events and deliveries."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.lists import Filters
from environments.console.spans import day_field, within_days
from environments.ids import is_id
from environments.models import Environment
from webhooks.addresses import TargetError, check_url
from webhooks.headers import PROBLEM, are_permitted
from webhooks.models import EVENT_TYPES, Event, WebhookDelivery, WebhookEndpoint

FAMILIES = sorted({name.partition(".")[0] for name in EVENT_TYPES})
NAMES = {"api_key": "API key"}
EVERY_TYPE = [("*", "everything, now and in future (*)")]
GROUPED = [
    ("All", EVERY_TYPE),
    *(
        (
            NAMES.get(family, family.replace("_", " ").capitalize()),
            [
                (f"{family}.*", f"all of these ({family}.*)"),
                *((name, name) for name in EVENT_TYPES if name.startswith(f"{family}.")),
            ],
        )
        for family in FAMILIES
    ),
]
ANY_TYPE = [("", "Any type"), *((name, name) for name in EVENT_TYPES)]
ENDPOINT_STATES = [
    ("", "Any state"),
    ("failing", "Failing or disabled"),
    ("enabled", "Enabled"),
    ("disabled", "Disabled"),
]
MOST_INBOXES = 100
MOST_OF_A_TYPE = 2000


class GroupedChecks(forms.CheckboxSelectMultiple):
    """Check boxes under the names of their groups."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the boxes; the template is the console's, not one of Django's forms."""
        context = self.get_context(name, value, attrs)
        return render_to_string("console/settings/checks.html", context)


def grouped_events(**options: Any) -> forms.MultipleChoiceField:
    """Return a field of event types, families and ``*``."""
    return forms.MultipleChoiceField(choices=GROUPED, widget=GroupedChecks, **options)


class EndpointForm(ConfinedModelForm):
    """Where to post which events."""

    url = forms.CharField(max_length=2048, label="URL", help_text="https, and reachable from the internet.")
    events = grouped_events()
    description = forms.CharField(max_length=500, required=False, help_text="For whoever wonders later.")
    inboxes = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        required=False,
        label="Only for inboxes",
        help_text="Addresses or ids, one on each line. Empty for all, and for events that are of no inbox.",
    )
    own_headers = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        required=False,
        label="Headers",
        help_text="Sent with every POST, one on each line as Name: value. They are never shown again. When you change "
        "the endpoint, lines written here replace all that there are; left empty, these stay.",
    )
    no_headers = forms.BooleanField(required=False, label="Take the headers that there are away")

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar = ["url", "events", "description"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance._state.adding or not self.instance.headers:  # noqa: SLF001 - as documented
            self.fields.pop("no_headers", None)
        if self.instance.inbox_ids:
            self.fields["inboxes"].initial = "\n".join(addresses_of(self.environment, self.instance.inbox_ids))

    def clean_url(self) -> str:
        """Return a URL that webhooks may be posted to."""
        url = self.cleaned_data["url"]
        try:
            check_url(url, development=settings.AGENTPOST_DEVELOPMENT)
        except TargetError as problem:
            raise ValidationError(str(problem)) from problem
        return url

    def clean_inboxes(self) -> list[str]:
        """Return the ids of inboxes of this environment."""
        named = list(dict.fromkeys(line.strip() for line in self.cleaned_data["inboxes"].splitlines() if line.strip()))
        if len(named) > MOST_INBOXES:
            raise ValidationError(f"At most {MOST_INBOXES} inboxes.")
        found = inbox_ids_of(self.environment, named)
        if missing := [name for name in named if name.lower() not in found and name not in found]:
            raise ValidationError(f"There is no inbox {missing[0]} here.")
        return list(dict.fromkeys(found.get(name, found.get(name.lower(), "")) for name in named))

    def clean_own_headers(self) -> dict[str, str]:
        """Return headers that an endpoint may have, by name."""
        lines = [line.partition(":") for line in self.cleaned_data["own_headers"].splitlines() if line.strip()]
        headers = {name.strip(): value.strip() for name, _, value in lines}
        if not all(colon for _, colon, _ in lines):
            raise ValidationError("Each line must be Name: value.")
        if not are_permitted(headers):
            raise ValidationError(PROBLEM)
        return headers

    def wanted(self) -> dict[str, Any]:
        """Return what was filled in, by the names that services have for it; of a change, what differs."""
        given = self.cleaned_data
        fields = {name: given[name] for name in ("url", "events", "description")}
        fields["inbox_ids"] = given["inboxes"]
        if given["own_headers"] or given.get("no_headers"):
            fields["headers"] = given["own_headers"]
        if self.instance._state.adding:  # noqa: SLF001 - as documented
            return fields
        return {name: value for name, value in fields.items() if name == "headers" or self._differs(name, value)}

    def _differs(self, name: str, value: Any) -> bool:
        return bool(value != self.initial.get(name, getattr(self.instance, name)))


def _inboxes(environment: Any) -> QuerySet:
    """Return the inboxes of the environment; their app stands right of this one, so it is asked by name."""
    return apps.get_model("inboxes.Inbox").objects.in_environment(environment)


def addresses_of(environment: Environment | None, inbox_ids: Iterable[str]) -> list[str]:
    """Return the addresses of these inboxes; of one that has gone, its id."""
    wanted = list(inbox_ids)
    known = dict(_inboxes(environment).filter(pk__in=wanted).values_list("pk", "email"))
    return [known.get(inbox_id, inbox_id) for inbox_id in wanted]


def inbox_ids_of(environment: Environment | None, named: Iterable[str]) -> dict[str, str]:
    """Return the ids of the environment's inboxes that are named, by id and by address."""
    names = list(named)
    by_id = [name for name in names if is_id("inb", name)]
    by_address = [name.lower() for name in names if "@" in name]
    rows = _inboxes(environment)
    found = [*rows.filter(pk__in=by_id).values_list("pk", "email")] if by_id else []
    found += [*rows.filter(email__in=by_address).values_list("pk", "email")] if by_address else []
    return {name: pk for pk, email in found for name in (pk, email)}


class SendTestForm(ActionForm):
    """Which type of event to make up."""

    event_type = forms.ChoiceField(choices=[(name, name) for name in EVENT_TYPES])


class DisableForm(ActionForm):
    """Why an endpoint is told of nothing any more."""

    reason = forms.CharField(max_length=150, help_text="Kept with the endpoint and in the audit log.")


class ReplayForm(ActionForm):
    """Which stretch of the log to send again."""

    since = forms.DateTimeField(help_text="In UTC, like 2026-03-08 14:30.")
    until = forms.DateTimeField(required=False, help_text="Until now, if left empty.")
    asked = grouped_events(
        required=False, label="Event types", help_text="What the endpoint asks for, if none is chosen."
    )
    only_missed = forms.BooleanField(
        required=False, label="Only what was missed", help_text="What was delivered already is left alone."
    )


class ResendForm(ActionForm):
    """Which endpoint is to have the event."""

    endpoint: Any = forms.ModelChoiceField(queryset=None)

    def __init__(self, rows: QuerySet, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["endpoint"].queryset = rows  # type: ignore[attr-defined]


class EventFilters(Filters):
    """Which events of the log."""

    type = forms.ChoiceField(choices=ANY_TYPE, required=False)
    inbox = forms.CharField(max_length=320, required=False, label="Inbox", help_text="An address or an id.")
    since = day_field("From")
    until = day_field("Until")

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the events asked for; an inbox that is not here has none."""
        inbox = asked.pop("inbox", "").strip()
        rows = within_days(rows, "evt", asked)
        if inbox:
            rows = rows.filter(inbox_id=self._id_of(inbox)) if self._id_of(inbox) else rows.none()
        return rows.filter(**asked)

    def _id_of(self, inbox: str) -> str | None:
        if is_id("inb", inbox):  # one that has gone, perhaps: its events are there
            return inbox
        if not hasattr(self, "_found"):
            self._found = inbox_ids_of(self.request.console.here, [inbox]).get(inbox.lower())
        return self._found


class EndpointFilters(Filters):
    """Which endpoints; those that are failing as the organization's overview counts them."""

    state = forms.ChoiceField(choices=ENDPOINT_STATES, required=False)

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the endpoints in this state."""
        if asked["state"] == "failing":
            return rows.filter(Q(is_enabled=False) | Q(consecutive_failures__gt=0))
        return rows.filter(is_enabled=asked["state"] == "enabled")


class DeliveryFilters(Filters):
    """Which deliveries."""

    state = forms.ChoiceField(choices=[("", "Any state"), *WebhookDelivery.State.choices], required=False)
    endpoint: Any = forms.ModelChoiceField(queryset=None, required=False, empty_label="Any endpoint")
    type = forms.ChoiceField(choices=ANY_TYPE, required=False, label="Event type")
    since = day_field("From")
    until = day_field("Until")

    def __init__(self, request: Any, admin: Any) -> None:
        super().__init__(request, admin)
        rows = admin.admin_site.rows(request, WebhookEndpoint).only("pk", "url", "environment")
        self.fields["endpoint"].queryset = rows  # type: ignore[attr-defined]

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the deliveries asked for; of an event type, those of its newest events."""
        kind = asked.pop("type", "")
        events = Event.objects.in_environment(self.request.console.here).filter(type=kind)
        events = within_days(events, "evt", {name: asked.get(name) for name in ("since", "until")})
        rows = within_days(rows, "whd", asked)
        if kind:
            rows = rows.filter(event__in=events.order_by("-pk").values("pk")[:MOST_OF_A_TYPE])
        return rows.filter(**asked)
