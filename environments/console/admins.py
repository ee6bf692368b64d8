"""The bases of every admin class: what a page may show and do is decided here, and cannot be decided below."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import resolve, reverse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from environments.binding import finish
from environments.console.filters import ConfinedRelatedFilter
from environments.console.forms import ActionForm, ConfinedModelForm, sentences_of
from environments.console.permissions import ORGANIZATION_WIDE, VERBS, Kind
from environments.console.reach import Console, ConsoleRequest
from environments.console.second_factor import Demanded
from environments.console.spans import FROM, begins_at
from environments.errors import Refusal
from environments.models import AuditEntry, EnvironmentOwned, OrganizationOwned
from environments.services.audit import record

OWNERS = ("environment", "organization")
ALWAYS_NARROWING = frozenset({"id", "pk", "created_at"})
LOOKUP = re.compile(r"(?P<field>[a-z]\w*?)(__id)?(__(exact|in|gt|gte|lt|lte|isnull))?")  # compares; matches no patterns
AN_ID = re.compile(r"[a-z]+_[0-9A-Z]{26}|[0-9]{1,18}")
ONE_WAY_TO_SAVE = {"show_save_and_add_another": False, "show_save_and_continue": False}


class LeanChangeList(ChangeList):
    """A list that leaves large columns in the database."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Return the filters; text that PostgreSQL cannot hold is in no row. Raises IncorrectLookupParameters."""
        given = super().get_filters_params(params)
        if any("\0" in value for values in given.values() for value in values):
            raise IncorrectLookupParameters
        return given

    def get_queryset(self, request: ConsoleRequest, *args: Any, **options: Any) -> QuerySet:
        return super().get_queryset(request, *args, **options).defer(*self.model_admin.list_defer)

    @property
    def since(self) -> datetime | None:
        """Return when what the list shows begins, where a figure of the overview led here; None where it does not."""
        first = self.filter_params.get(FROM, [""])[-1]
        return begins_at(first.partition("_")[0], first)

    def url_for_result(self, result: Model) -> str:
        """Return the address of a row's page, its id as it is: ours need no quoting."""
        return self.model_admin.url(result)


def refusable(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turn a service's refusal of what was posted into a message on the same page, with nothing changed."""

    @wraps(view)
    def answered(self: "ConsoleModelAdmin", request: ConsoleRequest, *args: Any, **options: Any) -> HttpResponse:
        if request.method != "POST":
            return view(self, request, *args, **options)
        try:
            with transaction.atomic():
                return view(self, request, *args, **options)
        except Demanded as demanded:
            return demanded.response
        except Refusal as refusal:
            finish(refusal)
            for _, sentence in sentences_of(refusal):
                messages.error(request, sentence)
            return HttpResponseRedirect(request.get_full_path())

    return answered


class ConsoleModelAdmin(ModelAdmin):
    """A page whose rights come from the table in ``permissions``, and whose writing is done by services.

    A subclass says what kind of thing it shows, and which verbs it ``offers`` at all. Offering ``add`` or ``change`` it
    defines ``save_model``, offering ``delete`` it defines ``delete_model``; each calls a service. With a
    ``row_template`` the page of a row is made from that, and not from fields; it gets what ``row_context`` returns.
    """

    rights: ClassVar[Kind]
    section: ClassVar[str] = "Environment"
    icon: ClassVar[str] = "data_object"
    offers: ClassVar[frozenset[str]] = frozenset({"view"})
    shows_mail: ClassVar[bool] = False
    list_defer: ClassVar[tuple[str, ...]] = ()
    narrowing: ClassVar[tuple[str, ...]] = ()  # fields that links narrow the list by, besides its filters
    when_empty: ClassVar[str] = ""  # what to do where there is none yet
    add_form: ClassVar[type[ModelForm] | None] = None
    add_fields: ClassVar[tuple[str, ...]] = ()

    actions: ClassVar[list[str] | None] = None
    row_template: ClassVar[str | None] = None

    form = ConfinedModelForm
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each count would look at every row
    save_as = False
    change_form_before_template = "console/standing_in.html"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        decided = FINAL & vars(cls).keys()
        if decided and cls.__module__ != __name__:
            message = f"{cls.__name__} may not decide {', '.join(sorted(decided))}; the console's bases do."
            raise ImproperlyConfigured(message)

    # --- rights ---

    def has_view_permission(self, request: ConsoleRequest, obj: Any = None) -> bool:
        return self._may(request, "view")

    def has_add_permission(self, request: ConsoleRequest) -> bool:
        return self._may(request, "add")

    def has_change_permission(self, request: ConsoleRequest, obj: Any = None) -> bool:
        return self._may(request, "change") and self.is_changeable(request, obj)

    def has_delete_permission(self, request: ConsoleRequest, obj: Any = None) -> bool:
        return self._may(request, "delete") and self.is_changeable(request, obj)

    def has_module_permission(self, request: ConsoleRequest) -> bool:
        return any(self._may(request, verb) for verb in VERBS)

    def _may(self, request: ConsoleRequest, verb: str) -> bool:
        return verb in self.offers and request.console.may(self.rights, verb)

    def is_changeable(self, request: ConsoleRequest, obj: Any) -> bool:
        """Return whether this row (None for any, or an id) may be changed on this page; a subclass may say no."""
        return True

    # --- rows ---

    def formfield_for_foreignkey(self, db_field: Any, request: ConsoleRequest, **options: Any) -> Any:
        options["queryset"] = self.admin_site.rows(request, db_field.remote_field.model)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_list_filter(self, request: ConsoleRequest) -> list[Any]:
        """Return the filters, those over relations confined to what their choices' own pages show."""
        return [self._confined_filter(entry) for entry in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: ConsoleRequest) -> bool:
        """Return whether a list may be narrowed by this: by comparing what the list is meant to be narrowed by.

        Any other column could be read by guessing, the ones that are never shown among them.
        """
        named = {getattr(entry, "parameter_name", entry) for entry in self.list_filter}
        match = LOOKUP.fullmatch(lookup)
        return match is not None and match["field"] in {*named, *self.narrowing, *ALWAYS_NARROWING}

    def _confined_filter(self, entry: Any) -> Any:
        if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
            return entry
        return (entry, ConfinedRelatedFilter) if self.opts.get_field(entry).is_relation else entry

    def get_changelist(self, request: ConsoleRequest, **_: Any) -> type[ChangeList]:
        return LeanChangeList

    def get_exclude(self, request: ConsoleRequest, obj: Model | None = None) -> tuple[str, ...]:
        return (*(super().get_exclude(request, obj) or ()), *OWNERS)

    def get_actions(self, request: ConsoleRequest) -> dict[str, Any]:
        """Return the class's own actions; deleting many at once is not among them."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def response_action(self, request: ConsoleRequest, queryset: QuerySet) -> HttpResponse | None:
        try:
            return super().response_action(request, queryset)
        except ValidationError:  # a selected id that is none
            return None

    def _get_obj_does_not_exist_redirect(self, request: ConsoleRequest, *_: Any) -> HttpResponse:
        return self.admin_site.not_found(request)

    # --- forms ---

    def get_form(self, request: ConsoleRequest, obj: Model | None = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        if self.add_form and not change:
            options["form"] = self.add_form
            options["fields"] = None
        return super().get_form(request, obj, change=change, **options)

    def get_fieldsets(self, request: ConsoleRequest, obj: Model | None = None) -> Any:
        if obj is None and self.add_fields:
            return [(None, {"fields": self.add_fields})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: ConsoleRequest, obj: Model | None = None) -> Any:
        return () if obj is None and self.add_fields else super().get_readonly_fields(request, obj)

    @refusable
    def changeform_view(
        self,
        request: ConsoleRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra_context = {**ONE_WAY_TO_SAVE, **(extra_context or {})}
        row = self.get_object(request, unquote(object_id)) if object_id and request.method == "GET" else None
        if row is None or not self.has_view_permission(request, row):
            return super().changeform_view(request, object_id, form_url, extra_context)
        context = {**self.row_context(request, row), **extra_context}
        if self.row_template and not self.has_change_permission(request, row):
            return self.admin_site.page(request, self.row_template, opts=self.opts, object=row, **context)
        return super().changeform_view(request, object_id, form_url, context)

    def row_context(self, request: ConsoleRequest, row: Any) -> dict[str, Any]:
        """Return what the page of a row shows beside its fields; a subclass may say more."""
        return {"title": str(row)} if self.row_template else {}

    @refusable
    def delete_view(self, request: ConsoleRequest, *args: Any, **options: Any) -> Any:
        return super().delete_view(request, *args, **options)

    def act(
        self,
        request: ConsoleRequest,
        row: Model,
        form: ActionForm,
        carry_out: Callable[[dict[str, Any]], HttpResponse | str],
        *,
        title: str,
        explanation: str = "",
        template: str = "console/action.html",
        more: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask with a form, then carry out; give back its answer, or return to the row with the sentence it returns.

        ``more`` is what the template shows beside the form; ``is_danger`` in it makes the button a warning.
        """
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    answer = carry_out(form.cleaned_data)
            except Refusal as refusal:
                finish(refusal)
                form.refuse(refusal)
            else:
                return answer if isinstance(answer, HttpResponse) else self._back(request, row, answer)
        context = {
            "title": title,
            "subtitle": str(row),
            "form": form,
            "explanation": explanation,
            "back": self.url(row),
            **(more or {}),
        }
        return self.admin_site.page(request, template, opts=self.opts, object=row, **context)

    def _back(self, request: ConsoleRequest, row: Model, sentence: str) -> HttpResponse:
        messages.success(request, sentence)
        return HttpResponseRedirect(self.url(row))

    def url(self, row: Model) -> str:
        """Return the address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def found(self, request: ConsoleRequest, object_id: str) -> Any:
        """Return the row that the path of an action names. Raises Http404."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    # --- the record ---

    def log_addition(self, *_: Any) -> None:
        """Write nothing: services write the audit log, and there is no second one."""

    log_change = log_deletions = log_addition

    def history_view(self, request: ConsoleRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit log tells of a row, as far as this person may read the audit log."""
        row = self.get_object(request, unquote(object_id))
        if not request.console.may(Kind.AUDIT, "view") or not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self.admin_site.not_found(request)
        entries = self.admin_site.rows(request, AuditEntry).filter(target_id=row.pk).order_by("-sequence")
        page = self.get_paginator(request, entries, self.list_per_page).get_page(request.GET.get(PAGE_VAR))
        context = {"title": "History", "entries": page, "object": row, "opts": self.opts, **(extra_context or {})}
        return self.admin_site.page(request, "console/history.html", **context)


FINAL = {
    "get_queryset",
    "get_object",
    "get_deleted_objects",
    "get_field_queryset",
    "formfield_for_foreignkey",
    "formfield_for_manytomany",
    "get_list_filter",
    "lookup_allowed",
    "history_view",
    "has_view_permission",
    "has_add_permission",
    "has_change_permission",
    "has_delete_permission",
    "has_module_permission",
}


class EnvironmentModelAdmin(ConsoleModelAdmin):
    """Pages over one environment's rows. The environment is the page's; no form shows or takes it."""

    model: type[EnvironmentOwned]

    def get_queryset(self, request: ConsoleRequest) -> QuerySet:
        if self.shows_mail and request.console.is_visiting:
            note_look(request, self.model)
        return self.model.objects.in_environment(request.console.here).order_by(*self.get_ordering(request))

    def get_form(self, request: ConsoleRequest, obj: Model | None = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **options)
        form.environment = request.console.here
        return form


def note_look(request: ConsoleRequest, model: type[Model]) -> None:
    """Record that an operator looks into an environment's mail: once for each row, or list, in a request."""
    console, match = request.console, resolve(request.path_info)
    asked = unquote(match.kwargs.get("object_id", ""))
    target = asked if AN_ID.fullmatch(asked) else console.here.pk
    look = (model._meta.label_lower, target)
    if look in console.looks:
        return
    console.looks.add(look)
    record(
        console.here.organization_id,
        console.actor,
        "operator.looked",
        target[: AuditEntry._meta.get_field("target_id").max_length],
        environment=console.here,
        after={"model": look[0], "page": match.url_name},
    )


class OrganizationModelAdmin(ConsoleModelAdmin):
    """Pages over rows of the organization that the current environment belongs to."""

    section = "Organization"
    model: type[OrganizationOwned]

    def get_queryset(self, request: ConsoleRequest) -> QuerySet:
        rows = self.model.objects.in_organization(request.console.here.organization_id)
        return self.narrowed(request.console, rows).order_by(*self.get_ordering(request))

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        """Return those of the organization's rows that exist for this person; a subclass may only take away."""
        return rows if console.role in ORGANIZATION_WIDE else rows.none()


class PlatformModelAdmin(ConsoleModelAdmin):
    """Pages over rows that belong to no organization: for operators alone."""

    section = "Platform"
    rights = Kind.PLATFORM

    def get_queryset(self, request: ConsoleRequest) -> QuerySet:
        rows = self.model.objects.all()
        return self.narrowed(request.console, rows).order_by(*self.get_ordering(request))

    def narrowed(self, console: Console, rows: QuerySet) -> QuerySet:
        """Return the rows that exist for this person."""
        return rows if console.is_operator else rows.none()
