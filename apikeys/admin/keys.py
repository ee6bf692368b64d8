"""Console pages of API keys: made, shown, rotated and revoked. A secret is shown once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from unfold.decorators import action

from apikeys import services
from apikeys.admin.forms import (
    FOR_ENVIRONMENT_ADMINS,
    OVERLAPS,
    PRESETS,
    ApiKeyForm,
    EnvironmentApiKeyForm,
    KeyFilters,
    QuotasForm,
    RevokeForm,
    RotateForm,
    scope_rows,
)
from apikeys.models import ApiKey, ApiKeyEnvironment
from apikeys.scopes import APPROVE, SEND
from environments import clock
from environments.console import second_factor
from environments.console.admins import OrganizationModelAdmin
from environments.console.lists import ListPage, RowPage
from environments.console.permissions import ORGANIZATION_WIDE, Kind, Role
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from environments.models import AuditEntry
from environments.services.limits import QUOTAS

SHOWN = 20
ROTATE = "Rotate"
LETS_MAIL_OUT = frozenset({SEND, "messages:write", APPROVE})
SOON = timedelta(days=14)


def state_of(key: ApiKey) -> str:
    """Return whether the key opens anything now."""
    if key.revoked_at:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    if key.expires_at <= clock.now():
        return "expired"
    return "expiring" if key.expires_at <= clock.now() + SOON else "valid"


def _lets_mail_out(key: ApiKey) -> bool:
    return key.kind == ApiKey.Kind.LIVE and not LETS_MAIL_OUT.isdisjoint(key.scopes)


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(ListPage, RowPage, OrganizationModelAdmin):
    """Keys; the admin of an environment sees those that reach it and nothing else."""

    icon = "key"
    rights = Kind.KEY
    offers = frozenset({"view", "add"})
    add_fields = ("name", "scopes", "reach", "environments", "days", *QUOTAS)
    search_fields = ("name",)
    ordering = ("-pk",)
    list_page = "console/settings/keys.html"
    list_select_related = ("made_by",)
    filters = KeyFilters
    row_template = "console/settings/key.html"
    actions_detail: ClassVar = ["rotate", "change_quotas", "revoke"]

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        if console.role in ORGANIZATION_WIDE:
            return rows
        if console.role != Role.ENVIRONMENT_ADMIN:
            return rows.none()
        reach = ApiKeyEnvironment.objects.in_organization(console.here.organization_id).filter(key=OuterRef("pk"))
        here, elsewhere = reach.filter(environment=console.here), reach.exclude(environment=console.here)
        return rows.filter(Exists(here), ~Exists(elsewhere), reaches_organization=False)

    def get_form(self, request: ConsoleRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        is_wide = request.console.role in ORGANIZATION_WIDE
        if not change:
            options.update(form=ApiKeyForm if is_wide else EnvironmentApiKeyForm, fields=None)
        form = super().get_form(request, obj, change, **options)
        form.organization_id = request.console.here.organization_id
        return form

    def get_fieldsets(self, request: ConsoleRequest, obj: Any = None) -> Any:
        """Return the fields of a new key; where it can only be for this environment, there are none to choose."""
        is_wide = request.console.role in ORGANIZATION_WIDE
        fields = [name for name in self.add_fields if is_wide or name != "environments"]
        return [(None, {"fields": fields})]

    def get_changeform_initial_data(self, request: ConsoleRequest) -> dict[str, Any]:
        """Return the scopes of the preset that the address names, for those without scripts."""
        _, scopes = PRESETS.get(request.GET.get("preset", ""), ("", []))
        return {"scopes": scopes}

    def list_context(self, request: ConsoleRequest, rows: Sequence[ApiKey]) -> dict[str, Any]:
        """Return nothing more than where each key reaches and who made it, beside it."""
        reached = self._reached(request, rows)
        makers = self._makers(request, rows)
        for key in rows:
            key.state, key.reached = state_of(key), reached[key.pk]  # type: ignore[attr-defined]
            key.creator = makers.get(key.pk, "")  # type: ignore[attr-defined]
        return {"shows_creators": request.console.role in ORGANIZATION_WIDE}

    def _reached(self, request: ConsoleRequest, keys: Sequence[ApiKey]) -> dict[str, list[Any]]:
        """Return the environments of each key by its id; whoever sees the key sees them all."""
        rows = ApiKeyEnvironment.objects.in_organization(request.console.here.organization_id)
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for row in rows.filter(key__in=keys).select_related("environment").order_by("environment__name"):
            found[row.key_id].append(row.environment)
        return found

    def _makers(self, request: ConsoleRequest, keys: Sequence[ApiKey]) -> dict[str, str]:
        """Return who made each key by its id, as far as this person may read the audit log."""
        if request.console.role not in ORGANIZATION_WIDE:
            return {}
        entries = AuditEntry.objects.in_organization(request.console.here.organization_id)
        made = entries.filter(action="api_key.created", target_id__in=[key.pk for key in keys])
        return dict(made.values_list("target_id", "actor_name"))

    def row_context(self, request: ConsoleRequest, row: ApiKey) -> dict[str, Any]:
        """Return what the key may do and where, and its family."""
        made = self.get_queryset(request).filter(made_by=row).order_by("-pk")
        makers = self.get_queryset(request).filter(pk=row.made_by_id)
        overlaps = row.previous_expires_at and row.previous_hash and row.previous_expires_at > clock.now()
        return {
            **super().row_context(request, row),
            "state": state_of(row),
            "rows": scope_rows(row.scopes),
            "reached": self._reached(request, [row])[row.pk],
            "creator": self._makers(request, [row]).get(row.pk, ""),
            "maker": makers.first() if row.made_by_id else None,
            "made": list(made[:SHOWN]),
            "old_until": row.previous_expires_at if overlaps else None,
        }

    def acts(self, request: ConsoleRequest, row: ApiKey) -> list[dict[str, Any]]:
        """Return the acts; there is nothing more to do with a key that was revoked."""
        if row.revoked_at:
            return []
        offered = super().acts(request, row)
        return offered if self._may_hold(request, row) else [act for act in offered if act["title"] != ROTATE]

    def _may_hold(self, request: ConsoleRequest, key: ApiKey) -> bool:
        """Return whether this person could have made the key, and may be shown its secret."""
        return request.console.role in ORGANIZATION_WIDE or set(key.scopes) <= set(FOR_ENVIRONMENT_ADMINS)

    def save_model(self, request: ConsoleRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        given, environment = form.cleaned_data, request.console.here
        made = services.create_key(
            environment.organization_id,
            given["name"],
            actor=request.console.actor,
            scopes=given["scopes"],
            environments=form.reached(environment),
            expires_at=clock.now() + timedelta(days=given["days"]) if given["days"] else None,
            **{name: given[name] for name in QUOTAS},
        )
        if _lets_mail_out(made.key):
            second_factor.demand(request)
        obj.__dict__.update(made.key.__dict__)
        obj.secret = made.secret  # type: ignore[attr-defined]

    def response_add(self, request: ConsoleRequest, obj: Any, *_: Any) -> HttpResponse:
        return self._told(request, obj, obj.secret)

    def _told(self, request: ConsoleRequest, key: ApiKey, secret: str) -> HttpResponse:
        """Show a secret, this once, with lines to use it by."""
        url = settings.AGENTPOST_PUBLIC_URL
        shown = {
            "title": "API key",
            "secret": secret,
            "key": key,
            "dotenv": f"AGENTPOST_API_KEY={secret}\nAGENTPOST_URL={url}",
            "call": f'curl {url}/api/v1/me -H "Authorization: Bearer {secret}"',
            "back": self.url(key),
        }
        return self.admin_site.page(request, "console/settings/key_secret.html", opts=self.opts, **shown)

    def has_rotate_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may give keys a new secret."""
        return request.console.may(self.rights, "change")

    def has_revoke_permission(self, request: ConsoleRequest, object_id: Any = None) -> bool:
        """Return whether this person may end keys."""
        return request.console.may(self.rights, "delete")

    @action(description="Change quotas", url_path="quotas", permissions=["rotate"])
    def change_quotas(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Change how much the key may send."""
        key = self.found(request, object_id)

        def carry_out(given: dict[str, Any]) -> str:
            services.change_quotas(key, given, actor=request.console.actor)
            return "The quotas are changed."

        form = QuotasForm(request.POST or None, initial={name: getattr(key, name) for name in QUOTAS})
        return self.act(request, key, form, carry_out, title="Change quotas")

    @action(description=ROTATE, url_path="rotate", permissions=["rotate"])
    def rotate(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Give the key a new secret and show it once: to nobody who could not have made it."""
        key = self.found(request, object_id)
        if not self._may_hold(request, key):
            raise PermissionDenied
        if request.method == "POST" and _lets_mail_out(key) and (elsewhere := second_factor.demanded(request)):
            return elsewhere

        def carry_out(given: dict[str, Any]) -> HttpResponse:
            _, overlap = OVERLAPS[given["overlap"]]
            made = services.rotate_key(key, actor=request.console.actor, overlap=overlap)
            return self._told(request, made.key, made.secret)

        explanation = "The key gets a new secret, which is shown once. Scopes, reach and expiry stay as they are."
        form = RotateForm(request.POST or None)
        return self.act(request, key, form, carry_out, title="Rotate key", explanation=explanation)

    @action(description="Revoke", url_path="revoke", permissions=["revoke"])
    def revoke(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """End the key, after its name was typed."""
        key = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> str:
            services.revoke_key(key, actor=request.console.actor)
            return "The key is revoked."

        explanation = "Whatever uses this key stops working at once, streams that it opened too. There is no way back."
        form = RevokeForm(key, request.POST or None)
        return self.act(request, key, form, carry_out, title="Revoke key", explanation=explanation)


@admin.register(ApiKeyEnvironment, site=site)
class ApiKeyEnvironmentAdmin(OrganizationModelAdmin):
    """Which keys were given the current environment by name."""

    icon = "key_visualizer"
    rights = Kind.KEY
    list_display = ("key", "environment")
    list_select_related = ("key", "environment")
    fields = ("key", "environment")
    readonly_fields = fields
    ordering = ("-pk",)

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        rows = rows.filter(environment=console.here)
        if console.role in ORGANIZATION_WIDE:
            return super().narrowed(console, rows)
        keys = ApiKey.objects.in_organization(console.here.organization_id)
        return rows.filter(key__in=site.get_model_admin(ApiKey).narrowed(console, keys).values("pk"))
