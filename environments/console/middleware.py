"""Every console page stands in one environment, in one transaction that PostgreSQL binds to it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from environments.binding import inside
from environments.console.account.sessions import is_of_console
from environments.console.account.urls import NAMES
from environments.console.reach import SESSION_KEY, ConsoleRequest, arrive, find

FIELD = "environment"
STANDING_IN = "_standing_in"
NEED_NO_ENVIRONMENT = {*NAMES, "jsi18n", "invitation"}
READING = {"GET", "HEAD"}


class ConsoleEnvironmentMiddleware:
    """Resolve who looks and where, carry the view out inside that environment, and undo what a refused page wrote.

    Needs the session, the user and messages before it. Paths outside the console pass untouched.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: ConsoleRequest) -> HttpResponse:
        if not is_of_console(request):
            return self.get_response(request)
        request.get_host()  # which refuses a name that is not ours
        user = request.user if request.user.is_authenticated else None
        request.console = arrive(user, request.session.get(SESSION_KEY), request.META.get("REMOTE_ADDR"))
        if request.console.environment is None:
            return self.get_response(request)
        try:
            with inside(request.console.environment):
                response = self.get_response(request)
                if not is_about_a_person(request):
                    undo_if_refused(response)
        except Undone as undone:
            return undone.response
        return response.proceed() if isinstance(response, Proceeding) else response

    def process_view(self, request: ConsoleRequest, *_: Any) -> HttpResponse | None:
        """Answer what is no page of the current environment: a switch, or a form of another one."""
        from environments.console.site import site

        console = getattr(request, "console", None)
        if console is None or not console.is_admitted:
            return None
        if request.method in READING and FIELD in request.GET:
            return _switched(request)
        if console.environment is None and name_of(request) not in NEED_NO_ENVIRONMENT:
            return site.page(request, "console/no_environment.html", HTTPStatus.FORBIDDEN, title="No environment yet")
        if _is_of_another(request):
            messages.error(request, "That form was of another environment; nothing was changed. This is where you are.")
            return HttpResponseRedirect(reverse("admin:index"))
        return None


class Proceeding(HttpResponse):
    """The answer of a page that goes on once its transaction has committed, outside of every other: to the network."""

    def __init__(self, proceed: Callable[[], HttpResponse]) -> None:
        self.proceed = proceed
        super().__init__()


class Undone(Exception):
    """A page that refused or failed; what it wrote is taken back."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__(response.status_code)


def name_of(request: HttpRequest) -> str:
    """Return the name of the page's address."""
    return (request.resolver_match and request.resolver_match.url_name) or ""


def is_about_a_person(request: HttpRequest) -> bool:
    """Return whether a page is of somebody's account: what it refuses stays written, wrong guesses above all."""
    return name_of(request) in NAMES


def undo_if_refused(response: HttpResponse) -> None:
    """Raise Undone for an answer that says that nothing was done."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise Undone(response)


def _switched(request: ConsoleRequest) -> HttpResponse:
    """Remember the environment that the query names, and ask for the same page without naming it."""
    from environments.console.site import site

    query = request.GET.copy()
    if not switch(request, query.pop(FIELD)[-1]):
        return site.not_found(request)
    rest = query.urlencode()
    return HttpResponseRedirect(f"{request.path}?{rest}" if rest else request.path)


def switch(request: ConsoleRequest, name: str) -> bool:
    """Let the session's pages stand in the environment with this id, or slug; return False when it is out of reach."""
    console = request.console
    here = console.environment.organization_id if console.environment else None
    environment = find(console.user, name, here) if console.user else None
    if environment is not None:
        request.session[SESSION_KEY] = environment.pk
    return environment is not None


def _is_of_another(request: ConsoleRequest) -> bool:
    """Return whether a form comes from a page of an environment that was left since, in another tab perhaps."""
    here, environment = request.console.environment, request.POST.get(STANDING_IN)
    return bool(environment) and (here is None or here.pk != environment)
