"""The one admin site of AgentPost, at /console/."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from unfold.dataclasses import Favicon
from unfold.sites import UnfoldAdminSite

from environments.console.forms import SignInForm
from environments.console.invitations import invitation
from environments.console.middleware import FIELD, STANDING_IN, switch
from environments.console.navigation import navigation, title_of_list
from environments.console.organization import across
from environments.console.overview import overview, waiting
from environments.console.panels import Panel
from environments.console.permissions import Kind
from environments.console.reach import SESSION_KEY, ConsoleRequest, arrive
from environments.console.staying import same_page, same_page_there

SECTIONS = ("Mail", "Webhooks", "Environment", "Organization", "Platform")
STYLES = ("console", "shell", "dashboard", "mail", "drafts", "settings", "people", "environment")
SCRIPTS = ("console", "shell", "dashboard", "mail", "drafts", "settings", "people")
NEXT = "next"
FAVICONS = {
    "capture": "console/favicon-capture.svg",
    "allowlist": "console/favicon-guarded.svg",
    "redirect": "console/favicon-guarded.svg",
    "live": "console/favicon-live.svg",
}
TITLE_PREFIXES = {"live": "● live ·"}
LEFT_OUT = {"search", "view_on_site", "password_change_done"}  # what knows nothing of environments, or leads nowhere


class ConsoleSite(UnfoldAdminSite):
    """Pages for whoever has a place in an organization, and for operators; the admin classes say what they show."""

    site_title = site_header = "AgentPost"
    login_form = SignInForm
    enable_nav_sidebar = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.panels: list[Panel] = []  # each app puts its own in, from its module panels

    def has_permission(self, request: ConsoleRequest) -> bool:
        return request.console.is_admitted

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path("environment/", self.admin_view(self.switch_environment), name="environment"),
            path("organization/", self.admin_view(self.organization), name="organization"),
            path("invitations/<str:token>/", invitation, name="invitation"),
            *(path(route, self.admin_view(view), name=name) for route, name, view in self.own_pages),
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

    own_pages: ClassVar[list[tuple[str, str, Any]]] = []

    def add_page(self, route: str, name: str, view: Any) -> None:
        """Put a page of an app, which belongs to no model or to another app's, under the console."""
        self.own_pages.append((route, name, view))

    def switch_environment(self, request: ConsoleRequest) -> HttpResponse:
        """Let the following pages stand in the environment that the form names."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:index"))
        wanted = request.POST.get(FIELD, "")
        if not switch(request, wanted):
            return self.not_found(request)
        there = arrive(request.console.user, request.session[SESSION_KEY], request.console.address)
        return HttpResponseRedirect(same_page_there(request.POST.get(NEXT, ""), there))

    def rows(self, request: ConsoleRequest, model: type[Model]) -> QuerySet:
        """Return the rows of a model that exist for this person on this page. Raises NotRegistered."""
        return self.get_model_admin(model).get_queryset(request)

    def get_log_entries(self, request: HttpRequest) -> QuerySet:
        """Return nothing: what was done stands in the audit log, by environment."""
        return LogEntry.objects.none()

    def index(self, request: ConsoleRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the overview of the environment that the page stands in."""
        return self.page(request, "console/index.html", **overview(self, request), **(extra_context or {}))

    def app_index(self, request: ConsoleRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the overview: apps are how the program is cut, not how people look for something."""
        return HttpResponseRedirect(reverse("admin:index"))

    def organization(self, request: ConsoleRequest) -> TemplateResponse:
        """Show the environments of the organization that this person reaches, with what goes on in each."""
        return self.page(request, "console/organization.html", **across(self, request))

    def extra_context(self, context: dict[str, Any], request: ConsoleRequest) -> dict[str, Any]:
        """Add what every page shows: where it stands, and the console's own style."""
        console = request.console
        mode = console.environment.delivery_mode if console.environment else ""
        return {
            **context,
            "site_url": None,
            "site_title": self.site_title,
            "site_header": self.site_header,
            "site_favicons": [
                Favicon(href=static(FAVICONS.get(mode, FAVICONS["capture"])), rel="icon", type="image/svg+xml")
            ],
            "environment_title_prefix": TITLE_PREFIXES.get(mode, ""),
            "show_history": console.may(Kind.AUDIT, "view"),
            "styles": [static(f"console/{name}.css") for name in STYLES],
            "scripts": [static(f"console/{name}.js") for name in SCRIPTS],
            "without_scripts": static("console/without-scripts.css"),
            "console": console,
            "standing_in_field": STANDING_IN,
            "list_title": title_of_list(context["sidebar_navigation"]),
            "same_page": same_page(request.resolver_match, request.GET),
            "may_add_environments": console.may(Kind.ENVIRONMENT, "add"),
        }

    def get_sidebar_list(self, request: ConsoleRequest) -> list[dict[str, Any]]:
        """Return the navigation: in few groups, only what this person may look at here."""
        return navigation(self, request, waiting(self, request))


site = ConsoleSite(name="admin")
