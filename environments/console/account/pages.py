"""The bases of pages that are about a person, and not about an environment."""

from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from environments.console.account.addresses import address_of
from environments.errors import Refusal

READ_ONLY = ["get", "head"]


def safe_next(request: HttpRequest) -> str:
    """Return the path of this server's that the request wants to be led to afterwards; empty for any other address."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    return wanted if wanted and get_adapter().is_safe_url(wanted) else ""


class AccountPage(FormView):
    """A form in the dress of the console's pages, which carries along where to go afterwards."""

    title: ClassVar[str]
    submit: ClassVar[str] = "Continue"
    request: Any

    @classmethod
    def as_view(cls, **options: Any) -> Any:
        """Return the view; no answer of it is kept by a browser or on the way, and what is posted is in no report."""
        return never_cache(sensitive_post_parameters()(super().as_view(**options)))

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        from environments.console.site import site

        self.request.current_app = site.name
        shown = {"title": self.title, "submit": self.submit, "next": safe_next(self.request)}
        return super().get_context_data(**{**site.each_context(self.request), **shown, **more})

    def get_success_url(self) -> str:
        return safe_next(self.request) or super().get_success_url()

    def form_valid(self, form: Any) -> HttpResponse:
        """Carry out what the form asks for; what is refused is told on it."""
        try:
            answer = self.carry_out(form.cleaned_data)
        except Refusal as refusal:
            form.refuse(refusal)
            return self.form_invalid(form)
        return answer or HttpResponseRedirect(self.get_success_url())

    def carry_out(self, given: dict[str, Any]) -> HttpResponse | None:
        """Do it, and return the answer; None to go on to the next page. May raise Refusal."""
        raise NotImplementedError

    @property
    def address(self) -> str | None:
        """Return where the request comes from."""
        return address_of(self.request)


class OwnPage(AccountPage):
    """A page of a person's own account: for whoever is signed in, about themselves."""

    template_name = "console/account/form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return super().dispatch(request, *args, **options)
