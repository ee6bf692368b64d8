"""System checks: no model is shown through an unconfined page, and none is forgotten."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, SimpleListFilter
from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage, Error, register
from django.db.models import Model

from environments.console.admins import (
    OWNERS,
    ConsoleModelAdmin,
    EnvironmentModelAdmin,
    OrganizationModelAdmin,
    PlatformModelAdmin,
)
from environments.console.permissions import MAY
from environments.console.site import SECTIONS, site
from environments.models import EnvironmentOwned, OrganizationOwned

OURS = ("environments", "apikeys", "webhooks", "inboxes", "mail")


@register()
def check_console(**_: Any) -> list[CheckMessage]:
    """Return an error for every page that would not be confined, and for every model without a page."""
    found = [error for any_site in all_sites for model, admin in pages(any_site) for error in _base(model, admin)]
    for _model, admin in pages(site):
        found += [*_declared(admin), *_options(admin)]
    return [*found, *_missing()]


def pages(any_site: AdminSite) -> list[tuple[type[Model], Any]]:
    """Return the models that a site shows, each with its admin object."""
    return list(any_site._registry.items())  # noqa: SLF001 - a site tells it in no other way


def base_of(model: type[Model]) -> type[ConsoleModelAdmin]:
    """Return the admin base that a model's page must derive from."""
    if issubclass(model, EnvironmentOwned):
        return EnvironmentModelAdmin
    return OrganizationModelAdmin if issubclass(model, OrganizationOwned) else PlatformModelAdmin


def is_readable(model: type[Model]) -> bool:
    """Return whether the application's role may read the table at all."""
    privileges = getattr(model, "application_privileges", "SELECT")
    return "SELECT" in [privilege.strip() for privilege in privileges.split(",")]


def _base(model: type[Model], admin: Any) -> Iterator[Error]:
    base = base_of(model)
    if model._meta.app_label in OURS and not isinstance(admin, base):
        yield _error(admin, f"shows {model._meta.label} but does not derive from {base.__name__}.", "E001")


def _declared(admin: Any) -> Iterator[Error]:
    if getattr(admin, "rights", None) not in MAY or admin.section not in SECTIONS:
        yield _error(admin, "declares no kind of thing or no section that the console knows.", "E002")
    for verb, method in (("add", "save_model"), ("change", "save_model"), ("delete", "delete_model")):
        if verb in admin.offers and not any(method in vars(cls) for cls in _ours(admin)):
            yield _error(admin, f"offers to {verb} but does not define {method}, which calls a service.", "E003")


def _ours(admin: Any) -> Iterator[type]:
    """Yield the classes below the console's bases."""
    for cls in type(admin).__mro__:
        if cls.__module__ == ConsoleModelAdmin.__module__:
            return
        yield cls


def _options(admin: Any) -> Iterator[Error]:
    for entry in admin.list_filter:
        if not isinstance(entry, str) and not (isinstance(entry, type) and issubclass(entry, SimpleListFilter)):
            yield _error(admin, f"has the list filter {entry}, whose choices are not confined.", "E004")
    if admin.inlines or admin.raw_id_fields:
        yield _error(admin, "has inlines or raw_id_fields, whose rows are not confined.", "E005")
    shown = {*(admin.fields or ()), *(name for _, options in admin.fieldsets or () for name in options["fields"])}
    if isinstance(admin, EnvironmentModelAdmin) and shown & set(OWNERS):
        yield _error(admin, "shows the field environment, which belongs to the page.", "E006")


def _missing() -> Iterator[Error]:
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            if is_readable(model) and not site.is_registered(model):
                yield Error(f"{model._meta.label} has no page in the console.", obj=model, id="console.E007")


def _error(admin: Any, what: str, identifier: str) -> Error:
    return Error(f"{type(admin).__name__} {what}", obj=type(admin), id=f"console.{identifier}")
