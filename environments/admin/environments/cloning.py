"""Copying the configuration of another environment: choose it, look at the plan, apply exactly that."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from environments.admin.environments.forms import SECTION_FORMS, SourceForm
from environments.admin.environments.sources import sources
from environments.cloning import CHANGE, CREATE, KEEP, NEVER, Item
from environments.console.admins import ConsoleModelAdmin, refusable
from environments.console.reach import ConsoleRequest
from environments.models import Environment
from environments.services.cloning import Plan, apply_clone, plan_clone

DONE = (CREATE, CHANGE)
LABELS = {name: field.label for form in SECTION_FORMS.values() for name, field in form.base_fields.items()}


class CloningActs(ConsoleModelAdmin):
    """What another environment of the organization has, made here too."""

    @action(description="Copy configuration", url_path="clone", permissions=["mode"])
    @refusable
    def clone(self, request: ConsoleRequest, object_id: str) -> HttpResponse:
        """Ask where from, show the plan, apply it when its digest comes back."""
        target = request.console.here
        given = request.POST or request.GET
        form = SourceForm(given if "source" in given else None, sources=sources(request.console))
        if not form.is_valid():
            return self._clone_page(request, target, form)
        plan = plan_clone(form.cleaned_data["source"], target)
        if request.method != "POST":
            return self._clone_page(request, target, form, plan)
        secrets = apply_clone(plan.source, target, request.POST.get("digest", ""), actor=request.console.actor)
        return self._cloned(request, target, plan, secrets)

    def _clone_page(
        self, request: ConsoleRequest, target: Environment, form: SourceForm, plan: Plan | None = None
    ) -> HttpResponse:
        context = {
            "title": "Copy configuration",
            "subtitle": str(target),
            "row": target,
            "form": form,
            "has_sources": form.fields["source"].queryset.exists(),  # type: ignore[attr-defined]
            "plan": plan,
            "groups": _groups(plan) if plan else [],
            "back": self.url(target),
        }
        template = "console/environment/clone.html"
        return self.admin_site.page(request, template, opts=self.opts, object=target, **context)

    def _cloned(
        self, request: ConsoleRequest, target: Environment, plan: Plan, secrets: dict[str, str]
    ) -> HttpResponse:
        """Say what was done; show the secrets that were made, once."""
        said = f"Copied from {plan.source.name}: {len(plan.to_do)} things were created or changed."
        if not secrets:
            messages.success(request, said)
            return HttpResponseRedirect(self.url(target))
        context = {"title": "Copied", "said": said, "secrets": sorted(secrets.items()), "back": self.url(target)}
        template = "console/environment/cloned.html"
        return self.admin_site.page(request, template, opts=self.opts, object=target, **context)


def _groups(plan: Plan) -> list[dict[str, Any]]:
    """Return the items by what becomes of them, each with the name that people know it by."""
    titles = ((DONE, "What happens"), ((KEEP,), "Left alone"), ((NEVER,), "Never copied"))
    found = [
        {"title": title, "verbs": verbs, "items": [(_named(one), one) for one in plan.items if one.verb in verbs]}
        for verbs, title in titles
    ]
    return [group for group in found if group["items"]]


def _named(item: Item) -> str:
    return str(LABELS.get(item.name, item.name))
