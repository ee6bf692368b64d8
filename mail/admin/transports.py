"""The console page of an environment's transport. Secrets go in, and never come out."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from environments.console import second_factor
from environments.console.admins import EnvironmentModelAdmin
from environments.console.forms import ActionForm, ConfinedModelForm
from environments.console.lists import ListPage, RowPage
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest
from environments.console.site import site
from environments.encryption import CannotOpen
from environments.errors import Conflict
from mail.models import Transport
from mail.services import transports
from mail.transports.configs import KINDS, secrets_of

LINES = UnfoldAdminTextareaWidget(attrs={"rows": 4})


def _explained(sentence: str, *, secret: bool) -> SafeString:
    """Return how to fill the field in, with what each kind takes there, folded."""
    taken = [
        (kind, ", ".join(f"{field.name} (needed)" if field.is_required else field.name for field in fields))
        for kind, fields in (
            (kind, [one for one in fields if one.is_secret is secret]) for kind, fields in KINDS.items()
        )
        if fields
    ]
    rows = format_html_join("", "<li><code>{}</code>: {}</li>", taken)
    return format_html(
        "One a line, as <code>name: value</code>. {}"
        '<details class="console-fold"><summary>What each kind takes</summary><ul>{}</ul></details>',
        sentence,
        rows,
    )


class TransportForm(ConfinedModelForm):
    """Which kind, what it is told, and why."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    options = forms.CharField(widget=LINES, required=False, help_text=_explained("", secret=False))
    secrets = forms.CharField(
        widget=LINES,
        required=False,
        help_text=_explained("They are never shown. Those left out stay as they are.", secret=True),
    )
    reason = forms.CharField(help_text="Kept in the audit log.")

    class Meta:
        model = Transport
        fields: ClassVar = ["kind"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:  # noqa: SLF001 - as documented
            self.fields["options"].initial = _shown(self.instance)

    def _get_validation_exclusions(self) -> set[str]:
        """Leave it to ``save_model`` that an environment has one transport: the form shows no field to blame."""
        return {*super()._get_validation_exclusions(), "environment"}

    def clean_options(self) -> dict[str, str]:
        """Return what was said, by name."""
        return _read(self.cleaned_data["options"])

    def clean_secrets(self) -> dict[str, str]:
        """Return what was said, by name."""
        return _read(self.cleaned_data["secrets"])

    @property
    def config(self) -> dict[str, str]:
        """Return all that was said."""
        return {**self.cleaned_data["options"], **self.cleaned_data["secrets"]}


def _read(text: str) -> dict[str, str]:
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    if not all(colon for _, colon, _ in lines):
        raise ValidationError("Each line must be name: value.")
    return {name.strip(): value.strip() for name, _, value in lines}


def _shown(own: Transport) -> str:
    try:
        return "\n".join(f"{name}: {value}" for name, value in transports.shown_values(own).items())
    except CannotOpen:
        return ""


def told_of(own: Transport) -> dict[str, Any] | None:
    """Return what a transport was told, without secrets; None where it cannot be opened."""
    try:
        return transports.shown_values(own)
    except CannotOpen:
        return None


def kept_of(own: Transport) -> list[str]:
    """Return the names of the secrets that a transport has."""
    try:
        return sorted(secrets_of(own.kind) & transports.values_of(own).keys())
    except CannotOpen:
        return []


@admin.register(Transport, site=site)
class TransportAdmin(ListPage, RowPage, EnvironmentModelAdmin):
    """How the environment's mail leaves; without one, by the server's relay."""

    section = "Mail"
    icon = "local_shipping"
    rights = Kind.RESOURCE
    offers = frozenset({"view", "add", "change", "delete"})
    form = TransportForm
    add_form = TransportForm
    add_fields = ("kind", "options", "secrets", "reason")
    fields = ("kind", "options", "secrets", "reason")
    ordering = ("-pk",)
    list_page = "console/settings/transports.html"
    row_template = "console/settings/transport.html"
    change_form_outer_before_template = "console/settings/transport_overview.html"
    actions_detail: ClassVar = ["new_webhook_url"]

    def list_context(self, request: ConsoleRequest, rows: Any) -> dict[str, Any]:
        """Return what the transport was told, or whether the server has a way out for those without one."""
        shown = [(own, told_of(own), kept_of(own)) for own in rows]
        return {"shown": shown, "has_relay": bool(settings.AGENTPOST_RELAY_URL.strip())}

    def row_context(self, request: ConsoleRequest, row: Transport) -> dict[str, Any]:
        """Return what the transport was told, without secrets, and which of these are kept."""
        return {
            **super().row_context(request, row),
            "own": row,
            "told": told_of(row),
            "kept": kept_of(row),
            "is_provider": row.kind not in transports.SMTP_KINDS,
            "may_change": self.has_change_permission(request, row),
        }

    def acts(self, request: ConsoleRequest, row: Transport) -> list[dict[str, Any]]:
        """Return the acts; only a provider has webhooks."""
        return super().acts(request, row) if row.kind not in transports.SMTP_KINDS else []

    def save_model(self, request: ConsoleRequest, obj: Transport, form: Any, change: bool) -> None:  # noqa: FBT001
        second_factor.demand(request)
        console, given = request.console, form.cleaned_data
        if not change and transports.own_transport(console.here):
            raise Conflict("This environment has a transport already.", fix="Change that one.")
        made, token = transports.configure(
            console.here, given["kind"], form.config, actor=console.actor, reason=given["reason"]
        )
        obj.__dict__.update(made.__dict__)
        request.webhook_token = token  # type: ignore[attr-defined]

    def delete_model(self, request: ConsoleRequest, obj: Transport) -> None:
        second_factor.demand(request)
        transports.remove(request.console.here, actor=request.console.actor, reason="Removed in the console.")

    def response_add(self, request: ConsoleRequest, obj: Transport, *args: Any) -> HttpResponse:
        return self._told_once(request, obj) or super().response_add(request, obj, *args)

    def response_change(self, request: ConsoleRequest, obj: Transport) -> HttpResponse:
        return self._told_once(request, obj) or super().response_change(request, obj)

    def _told_once(self, request: ConsoleRequest, own: Transport) -> HttpResponse | None:
        token = getattr(request, "webhook_token", None)
        if token is None:
            return None
        shown = {"title": "Webhook URL", "secret": transports.webhook_url(token), "back": self.url(own)}
        explanation = f"Let {own.kind} post its webhooks to this URL. It is shown only now."
        return self.admin_site.page(request, "console/secret.html", explanation=explanation, opts=self.opts, **shown)

    @action(description="New webhook URL", url_path="new-webhook-url", permissions=["change"])
    def new_webhook_url(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Give the provider's webhooks a new URL and show it once."""
        own, console = self.found(request, object_id), request.console
        if request.method == "POST" and (elsewhere := second_factor.demanded(request)):
            return elsewhere

        def carry_out(_: dict[str, Any]) -> HttpResponse | str:
            request.webhook_token = transports.rotate_token(console.here, actor=console.actor)  # type: ignore[attr-defined]
            return self._told_once(request, own) or ""

        explanation = "The URL that the provider posts to now stops working at once."
        form = ActionForm(request.POST or None)
        return self.act(request, own, form, carry_out, title="New webhook URL", explanation=explanation)
