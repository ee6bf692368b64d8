"""Signing in, by address and password and then by the second factor of whoever has one; and signing out."""

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.stages import AuthenticateStage
from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator

from environments.console.account.forms import CodeForm
from environments.console.account.pages import AccountPage, safe_next
from environments.console.forms import SignInForm
from environments.console.second_factor import note_proof
from environments.services.second_factors import prove


class SignIn(AccountPage):
    """The one sign-in page. Every reason to refuse is told in the same words."""

    title, submit = "Sign in", "Sign in"
    template_name = "console/account/sign_in.html"
    form_class = SignInForm
    success_url = reverse_lazy("admin:index")

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.console.is_admitted:  # type: ignore[attr-defined]
            return HttpResponseRedirect(safe_next(request) or reverse("admin:index"))
        return super().dispatch(request, *args, **options)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, email=user.email, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"email": user.email}, login)


@method_decorator(login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login"), name="dispatch")
class SecondStep(AccountPage):
    """Ask whoever gave the right password for their second factor; only then are they signed in."""

    title, submit = "Second factor", "Sign in"
    template_name = "console/account/second_step.html"
    form_class = CodeForm

    def carry_out(self, given: dict[str, Any]) -> HttpResponse:
        stage = self.request._login_stage  # noqa: SLF001 - allauth hands it over so
        user = stage.login.user
        note_proof(self.request, user, prove(user, given["code"]))
        return stage.exit()


def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, only when a form asks for it; then go on to where it says, or to the sign-in page."""
    if request.method == "POST" and request.user.is_authenticated:
        UserSession.objects.filter(session_key=request.session.session_key).delete()
        logout(request)
    return HttpResponseRedirect(safe_next(request) or reverse("admin:login"))
