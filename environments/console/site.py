"""The one admin site of AgentPost, at /console/."""

from http import HTTPStatus
from typing import Any

from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from unfold.sites import UnfoldAdminSite

from environments.console.forms import SignInForm
from environments.console.invitations import invitation
from environments.console.middleware import FIELD, STANDING_IN, switch
from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest

SECTIONS = ("Mail", "Webhooks", "Environment", "Organization", "Platform")
LEFT_OUT = {"search", "view_on_site"}  # views of the libraries' that know nothing of environments


class ConsoleSite(UnfoldAdminSite):
    """Pages for whoever has a place in an organization, and for operators; the admin classes say what they show."""

    site_title = site_header = "AgentPost"
    index_title = "Environment"
    index_template = "console/index.html"
    login_form = SignInForm
    enable_nav_sidebar = True

    def has_permission(self, request: ConsoleRequest) -> bool:
        return request.console.is_admitted

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path("environment/", self.admin_view(self.switch_environment), name="environment"),
            path("invitations/<str:token>/", invitation, name="invitation"),
        ]
        return [*ours, *(url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT)]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Wrap a view so that what is refused or missing is told on a page of the console, alike for all causes."""

        def answered(request: ConsoleRequest, *args: Any, **options: Any) -> HttpResponse:
            try:
                return view(request, *args, **options)
            except PermissionDenied:
                return self.page(request, "console/refused.html", HTTPStatus.FORBIDDEN, title="Not for your role")
            except Http404:
                return self.not_found(request)

        answered.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined]
        return super().admin_view(answered, cacheable)

    def page(self, request: HttpRequest, template: str, status: int = 200, **context: Any) -> TemplateResponse:
        """Return a page of the console made from this template."""
        request.current_app = self.name
        return TemplateResponse(request, template, {**self.each_context(request), **context}, status=status)

    def not_found(self, request: HttpRequest) -> TemplateResponse:
        """Return the page for what is missing or out of reach: the same bytes for either."""
        return self.page(request, "console/not_found.html", HTTPStatus.NOT_FOUND, title="Not found")

    def switch_environment(self, request: ConsoleRequest) -> HttpResponse:
        """Let the following pages stand in the environment that the form names."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:index"))
        if not switch(request, request.POST.get(FIELD, "")):
            return self.not_found(request)
        return HttpResponseRedirect(reverse("admin:index"))

    def rows(self, request: ConsoleRequest, model: type[Model]) -> QuerySet:
        """Return the rows of a model that exist for this person on this page. Raises NotRegistered."""
        return self.get_model_admin(model).get_queryset(request)

    def get_log_entries(self, request: HttpRequest) -> QuerySet:
        """Return nothing: what was done stands in the audit log, by environment."""
        return LogEntry.objects.none()

    def extra_context(self, context: dict[str, Any], request: ConsoleRequest) -> dict[str, Any]:
        """Add what every page shows: where it stands, and the console's own style."""
        return {
            **context,
            "site_url": None,
            "site_title": self.site_title,
            "site_header": self.site_header,
            "show_history": request.console.may(Kind.AUDIT, "view"),
            "styles": [static("console/console.css")],
            "console": request.console,
            "standing_in_field": STANDING_IN,
        }

    def get_sidebar_list(self, request: ConsoleRequest) -> list[dict[str, Any]]:
        """Return the navigation: by section, only what this person may look at here."""
        groups: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS}
        for model, admin in self._registry.items():
            if admin.has_view_permission(request):
                groups[admin.section].append(_link(request, model, admin))
        home = {"title": "Overview", "icon": "home", "link": reverse("admin:index"), "has_permission": True}
        home["active"] = request.path == home["link"]
        return [
            {"items": [home]},
            *({"title": title, "separator": True, "items": items} for title, items in groups.items() if items),
        ]


def _link(request: HttpRequest, model: type[Model], admin: Any) -> dict[str, Any]:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return {
        "title": capfirst(model._meta.verbose_name_plural),
        "icon": admin.icon,
        "link": address,
        "active": request.path.startswith(address),
        "has_permission": True,
    }


site = ConsoleSite(name="admin")
