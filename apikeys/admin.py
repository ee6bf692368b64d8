"""Console pages of API keys."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse, JsonResponse
from django.urls import URLPattern, path
from unfold.decorators import action, display

from apikeys import services
from apikeys.models import ApiKey, ApiKeyEnvironment, IdempotencyRecord, KeyWindow, RateWindow, StreamTicket
from apikeys.scopes import ALL
from apikeys.streams import issue_ticket
from environments import clock
from environments.answers import error_body
from environments.console.admins import EnvironmentModelAdmin, OrganizationModelAdmin, PlatformModelAdmin
from environments.console.forms import ActionForm, LimitedForm
from environments.console.permissions import ORGANIZATION_WIDE, Kind, Role
from environments.console.reach import Console, ConsoleRequest
from environments.console.site import site
from environments.errors import Forbidden, MethodNotAllowed
from environments.services.limits import MOST, QUOTAS

OF_THE_ORGANIZATION = {"environments", "members", "api_keys", "audit"}
FOR_ENVIRONMENT_ADMINS = sorted(scope for scope in ALL if scope.partition(":")[0] not in OF_THE_ORGANIZATION)
NO_LIMIT = "Empty for no limit."
HERE, EVERYWHERE = "environment", "organization"


class QuotasForm(ActionForm):
    """How much a key may send."""

    hourly_sending_quota = forms.IntegerField(min_value=0, max_value=MOST, required=False, help_text=NO_LIMIT)
    daily_sending_quota = forms.IntegerField(min_value=0, max_value=MOST, required=False, help_text=NO_LIMIT)


class ApiKeyForm(LimitedForm):
    """A new key: what for, how far, how long."""

    scopes = forms.MultipleChoiceField(choices=[(scope, scope) for scope in sorted(ALL)])
    reach = forms.ChoiceField(choices=[(HERE, "this environment only"), (EVERYWHERE, "the whole organization")])
    days = forms.IntegerField(
        min_value=1, max_value=3650, required=False, label="Valid for days", help_text="Empty: until revoked."
    )

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", *QUOTAS]


class EnvironmentApiKeyForm(ApiKeyForm):
    """A new key made by the admin of one environment, for it alone."""

    scopes = forms.MultipleChoiceField(choices=[(scope, scope) for scope in FOR_ENVIRONMENT_ADMINS])
    reach = forms.ChoiceField(choices=[(HERE, "this environment only")])


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(OrganizationModelAdmin):
    """Keys; the admin of an environment sees those that reach it and nothing else."""

    icon = "key"
    rights = Kind.KEY
    offers = frozenset({"view", "add"})
    add_fields = ("name", "scopes", "reach", "days", *QUOTAS)
    list_display = ("name", "kind", "hint", "reaches", "state", "last_used_at", "id")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("-pk",)
    fields = (
        "name", "kind", "hint", "state", "reaches", "scopes", *QUOTAS, "expires_at", "last_used_at", "created_at", "id",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail: ClassVar = ["change_quotas", "rotate", "revoke"]

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
        return super().get_form(request, obj, change, **options)

    @display(description="reaches")
    def reaches(self, key: ApiKey) -> str:
        """Return how far the key goes."""
        return "the whole organization" if key.reaches_organization else "named environments"

    @display(description="state", label={"valid": "success", "revoked": "danger", "expired": "warning"})
    def state(self, key: ApiKey) -> str:
        """Return whether the key opens anything now."""
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= clock.now() else "valid"

    def save_model(self, request: ConsoleRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        given, environment = form.cleaned_data, request.console.here
        made = services.create_key(
            environment.organization_id,
            given["name"],
            actor=request.console.actor,
            scopes=given["scopes"],
            environments=[environment] if given["reach"] == HERE else None,
            expires_at=clock.now() + timedelta(days=given["days"]) if given["days"] else None,
            **{name: given[name] for name in QUOTAS},
        )
        obj.__dict__.update(made.key.__dict__)
        obj.secret = made.secret  # type: ignore[attr-defined]

    def response_add(self, request: ConsoleRequest, obj: Any, *_: Any) -> HttpResponse:
        return self._told(request, obj, obj.secret)

    def _told(self, request: ConsoleRequest, key: ApiKey, secret: str) -> HttpResponse:
        shown = {"title": "API key", "secret": secret, "back": self.url(key), "opts": self.opts}
        explanation = f"This is the secret of {key.name}. It is shown only now; only its hash is kept."
        return self.admin_site.page(request, "console/secret.html", explanation=explanation, **shown)

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

    @action(description="Rotate", url_path="rotate", permissions=["rotate"])
    def rotate(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Give the key a new secret and show it once."""
        key = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> HttpResponse:
            return self._told(request, key, services.rotate_key(key, actor=request.console.actor).secret)

        explanation = "The key gets a new secret. The old one stays valid for a day."
        return self.act(
            request, key, ActionForm(request.POST or None), carry_out, title="Rotate key", explanation=explanation
        )

    @action(description="Revoke", url_path="revoke", permissions=["revoke"])
    def revoke(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """End the key, after a yes."""
        key = self.found(request, object_id)

        def carry_out(_: dict[str, Any]) -> str:
            services.revoke_key(key, actor=request.console.actor)
            return "The key is revoked."

        explanation = "Whatever uses this key stops working at once."
        return self.act(
            request, key, ActionForm(request.POST or None), carry_out, title="Revoke key", explanation=explanation
        )


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


@admin.register(StreamTicket, site=site)
class StreamTicketAdmin(OrganizationModelAdmin):
    """Tickets that nobody has redeemed yet; and where pages of the console get theirs, to follow events."""

    section = "Platform"
    icon = "confirmation_number"
    rights = Kind.INTERNAL
    list_display = ("environment", "key", "member", "expires_at")
    list_select_related = ("environment", "key", "member__user")
    fields = ("environment", "key", "member", "expires_at", "id")
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        ours = path("issue/", self.admin_site.admin_view(self.issue), name="stream_ticket")
        return [ours, *super().get_urls()]

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        return rows.filter(environment=console.here)

    def issue(self, request: ConsoleRequest) -> JsonResponse:
        """Answer a POST with a ticket for the environment of the page, for a member who has a place there."""
        if request.method != "POST":
            return JsonResponse(error_body(MethodNotAllowed(), None), status=405, headers={"Allow": "POST"})
        member = request.console.member
        if member is None or request.console.role == Role.OPERATOR:
            return JsonResponse(error_body(Forbidden(), None), status=403)
        made = issue_ticket(request.console.here, member_id=member.pk)
        told = {"ticket": made.secret, "expires_at": clock.written(made.ticket.expires_at)}
        return JsonResponse(told, status=201, headers={"Cache-Control": "no-store"})


@admin.register(IdempotencyRecord, site=site)
class IdempotencyRecordAdmin(EnvironmentModelAdmin):
    """First answers kept for a day; what they said is not shown."""

    section = "Platform"
    icon = "content_copy"
    rights = Kind.INTERNAL
    list_display = ("key", "status", "expires_at")
    fields = ("key", "status", "expires_at", "id")
    ordering = ("-pk",)


@admin.register(KeyWindow, site=site)
class KeyWindowAdmin(OrganizationModelAdmin):
    """Mails of keys with a quota, counted by hour and day."""

    section = "Platform"
    icon = "data_usage"
    rights = Kind.INTERNAL
    list_display = ("key", "period", "start", "count", "most")
    list_select_related = ("key",)
    fields = ("key", "period", "start", "count", "most", "warned", "id")
    ordering = ("-pk",)


@admin.register(RateWindow, site=site)
class RateWindowAdmin(PlatformModelAdmin):
    """Calls counted by the minute."""

    icon = "speed"
    list_display = ("subject", "minute", "calls")
    ordering = ("-pk",)
