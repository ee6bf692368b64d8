"""A page that would not be confined is refused at start."""

from collections.abc import Iterator

import pytest
from django.contrib.admin import AllValuesFieldListFilter, ModelAdmin, TabularInline
from django.core.exceptions import ImproperlyConfigured

from environments.console.admins import ConsoleModelAdmin, EnvironmentModelAdmin, OrganizationModelAdmin
from environments.console.checks import base_of, check_console
from environments.console.permissions import Kind
from environments.console.site import site
from environments.models import EnvironmentOwned
from inboxes.models import Inbox
from mail.models import Blob, Message


@pytest.fixture
def without_page() -> Iterator[None]:
    """Take the page of blobs away, so that a test may put another in its place."""
    kept = site._registry.pop(Blob)
    yield
    site._registry[Blob] = kept


class Bare(ModelAdmin):
    rights, section, offers = Kind.INTERNAL, "Platform", frozenset({"view"})


class Foreign(OrganizationModelAdmin):
    rights = Kind.INTERNAL


class Undeclared(EnvironmentModelAdmin):
    section = "Elsewhere"


class Direct(EnvironmentModelAdmin):
    rights, offers = Kind.INTERNAL, frozenset({"view", "add"})


class Filtered(EnvironmentModelAdmin):
    rights, list_filter = Kind.INTERNAL, (("size", AllValuesFieldListFilter),)


class Inline(TabularInline):
    model = Message
    fk_name = "raw"


class Inlined(EnvironmentModelAdmin):
    rights, inlines = Kind.INTERNAL, (Inline,)


class Shown(EnvironmentModelAdmin):
    rights, fields = Kind.INTERNAL, ("size", "environment")


def test_the_console_as_it_is_passes() -> None:
    assert check_console() == []


@pytest.mark.parametrize(
    ("admin", "error"),
    [
        (Bare, "console.E001"),
        (Foreign, "console.E001"),
        (Undeclared, "console.E002"),
        (Direct, "console.E003"),
        (Filtered, "console.E004"),
        (Inlined, "console.E005"),
        (Shown, "console.E006"),
        (None, "console.E007"),
    ],
)
def test_a_page_that_would_leak_is_an_error(admin: type | None, error: str, without_page: None) -> None:
    if admin:
        site._registry[Blob] = admin(Blob, site)
    assert error in {found.id for found in check_console()}


def test_every_page_over_an_environments_rows_derives_from_the_base() -> None:
    wrong = [model for model, admin in site._registry.items() if not isinstance(admin, base_of(model))]
    owned = [model for model in site._registry if issubclass(model, EnvironmentOwned)]
    assert wrong == []
    assert base_of(Inbox) is EnvironmentModelAdmin
    assert len(owned) > 10


@pytest.mark.parametrize(
    "decided", ["get_queryset", "get_object", "formfield_for_foreignkey", "has_view_permission", "history_view"]
)
@pytest.mark.parametrize("base", [EnvironmentModelAdmin, OrganizationModelAdmin])
def test_a_subclass_may_not_decide_what_the_base_does(base: type[ConsoleModelAdmin], decided: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=decided):
        type("Own", (base,), {decided: lambda *_: None})
