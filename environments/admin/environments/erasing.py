"""Erasing an environment: what will go is said first, and its name typed."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst

from environments.admin.environments.forms import ConfirmedForm
from environments.console import second_factor
from environments.console.admins import ConsoleModelAdmin, refusable
from environments.console.reach import ConsoleRequest
from environments.erasure import BOOKKEEPING, count_up_to
from environments.models import Environment
from environments.readiness import MOST, number
from environments.services.environments import delete_environment


class ErasingActs(ConsoleModelAdmin):
    """The end of an environment."""

    @refusable
    def delete_view(self, request: ConsoleRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        """Say exactly what will go, then let it go."""
        environment = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, environment):
            raise PermissionDenied
        if environment is None:
            return self.admin_site.not_found(request)
        if environment.is_default:
            return self._erase_page(request, environment, None)
        if elsewhere := second_factor.demanded(request):
            return elsewhere
        form = ConfirmedForm(request.POST or None, environment=environment)
        if request.method != "POST" or not form.is_valid():
            return self._erase_page(request, environment, form)
        reason = form.cleaned_data["reason"]
        certificate = delete_environment(environment, actor=request.console.actor, force=True, reason=reason)
        rows = sum(certificate.counts.values())
        messages.success(
            request,
            f"{environment.name} is erased: {rows:,} rows and all its files. "
            f"The audit log keeps the certificate as {certificate.entry.pk}.",
        )
        return HttpResponseRedirect(reverse("admin:index"))

    def delete_model(self, request: ConsoleRequest, obj: Environment) -> None:
        """Refuse: an environment goes with its name typed and a reason, on the page above, and in no other way."""
        raise PermissionDenied

    def _erase_page(
        self, request: ConsoleRequest, environment: Environment, form: ConfirmedForm | None
    ) -> HttpResponse:
        counts = count_up_to(environment, MOST + 1) if form else {}
        shown = [
            (capfirst(str(model._meta.verbose_name_plural)), number(count), model._meta.model_name in BOOKKEEPING)
            for model, count in counts.items()
        ]
        context = {
            "title": "Erase this environment",
            "subtitle": str(environment),
            "row": environment,
            "form": form,
            "kinds": sorted(shown, key=lambda kind: (kind[2], kind[0])),
            "back": self.url(environment),
        }
        template = "console/environment/erase.html"
        return self.admin_site.page(request, template, opts=self.opts, object=environment, **context)
