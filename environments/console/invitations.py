"""The page behind the link of an invitation, which was mailed to its address, or passed on by a person."""

from http import HTTPStatus

from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from environments.console import second_factor
from environments.console.forms import ActionForm, PasswordForm
from environments.console.reach import ConsoleRequest
from environments.errors import NotFound, Refusal
from environments.models import Invitation, User
from environments.services.members import accept_invitation, pending_invitation

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@csrf_protect
def invitation(request: ConsoleRequest, token: str) -> HttpResponse:
    """Show an invitation, and accept it.

    Somebody new sets a password and is signed in. Whoever is a user already signs in first, as themselves: a link sets
    no password of an existing user, whoever made it.
    """
    try:
        offered = pending_invitation(token)
    except NotFound as problem:
        return _page(request, "Invitation", HTTPStatus.NOT_FOUND, problem=problem)
    user = User.objects.filter(email=offered.email).first()
    if user and not user.is_active:
        return _page(
            request,
            "Invitation",
            HTTPStatus.NOT_FOUND,
            problem=NotFound("This invitation is not valid any more.", fix="Ask for a new one."),
        )
    if user:
        return _by_a_known_person(request, offered, token, user)
    return _by_somebody_new(request, offered, token)


def _by_a_known_person(request: ConsoleRequest, offered: Invitation, token: str, user: User) -> HttpResponse:
    is_them, is_other = request.user == user, request.user.is_authenticated and request.user != user
    if request.method == "POST" and is_them:
        try:
            accept_invitation(token, user)
        except Refusal as problem:  # somebody was faster
            return _page(request, "Invitation", HTTPStatus.NOT_FOUND, problem=problem)
        return HttpResponseRedirect(reverse("admin:index"))
    form = ActionForm() if is_them else None
    return _page(
        request, f"Join {offered.organization}", invitation=offered, form=form, sign_in=not is_them, is_other=is_other
    )


def _by_somebody_new(request: ConsoleRequest, offered: Invitation, token: str) -> HttpResponse:
    if request.user.is_authenticated:
        return _page(request, f"Join {offered.organization}", invitation=offered, is_other=True)
    form = PasswordForm(User(email=offered.email), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = User.objects.create_user(offered.email, form.cleaned_data["password"])
                accept_invitation(token, user)
        except (IntegrityError, Refusal):  # the same form, sent twice at once
            return HttpResponseRedirect(request.path)
        login(request, user, BACKEND)
        second_factor.note_password(request)
        return HttpResponseRedirect(reverse("admin:index"))
    return _page(request, f"Join {offered.organization}", invitation=offered, form=form)


def _page(request: ConsoleRequest, title: str, status: int = 200, **context: object) -> HttpResponse:
    from environments.console.site import site

    return site.page(request, "console/invitation.html", status, title=title, **context)
