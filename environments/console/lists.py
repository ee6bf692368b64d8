"""Lists of the console that are made from a template of their own: narrowed by a form, paged by key, never counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.utils.text import capfirst

from environments.console.forms import Styled
from environments.console.reach import ConsoleRequest
from environments.console.spans import FROM, begins_at
from environments.ids import is_id

BEFORE = "before"
PER_PAGE = 50


class Filters(Styled, forms.Form):
    """What a list may be narrowed by. A subclass has the fields; bad input narrows nothing, and is told."""

    def __init__(self, request: ConsoleRequest, admin: Any) -> None:
        self.request, self.admin = request, admin
        super().__init__(_plainly(request.GET, self.base_fields), auto_id="filter_%s")
        self.dress(self.fields)

    def narrowed(self, rows: QuerySet) -> QuerySet:
        """Return the rows that were asked for."""
        asked = self.asked
        return self.narrow(rows, asked) if asked else rows

    def narrow(self, rows: QuerySet, asked: dict[str, Any]) -> QuerySet:
        """Return the rows with these values in the fields of the same names; a subclass may say otherwise."""
        return rows.filter(**asked)

    @property
    def asked(self) -> dict[str, Any]:
        """Return what was filled in, and filled in well."""
        self.is_valid()  # what is not is left out
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}

    @property
    def is_narrowing(self) -> bool:
        """Return whether anything is filled in."""
        return any(self.data.get(name) for name in (*self.fields, FROM))


def _plainly(query: QueryDict, names: Iterable[str]) -> QueryDict:
    """Return the query with what links of the overview name as Django's lists do under the plain names of fields."""
    plain = query.copy()
    for name in names:
        for spelt in (f"{name}__exact", f"{name}__id__exact"):
            if spelt in query and name not in query:
                plain.setlist(name, query.getlist(spelt))
    return plain


@dataclass(frozen=True)
class Slice:
    """One page of a list, newest first; ``older`` and ``newest`` are queries that lead to others.

    ``since`` is when the list begins, where a figure of the overview led to a part of it.
    """

    rows: Sequence[Any]
    older: str
    newest: str
    since: datetime | None = None


def sliced(rows: QuerySet, query: QueryDict, prefix: str, size: int = PER_PAGE) -> Slice:
    """Return the page behind the row that the query names, or the first; one query."""
    before, first = (name if is_id(prefix, name) else "" for name in (query.get(BEFORE, ""), query.get(FROM, "")))
    rows = rows.filter(pk__gte=first) if first else rows
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: size + 1])
    shown = found[:size]
    older = _with(query, shown[-1].pk) if len(found) > size else ""
    return Slice(shown, older, _with(query, None) if before else "", begins_at(prefix, first))


def _with(query: QueryDict, before: str | None) -> str:
    changed = query.copy()
    changed.pop(BEFORE, None)
    if before:
        changed[BEFORE] = before
    return "?" + changed.urlencode()


class ListPage:
    """A mixin, before the base of an admin class: the list comes from ``list_page``, narrowed by ``filters``."""

    list_page: ClassVar[str]
    filters: ClassVar[type[Filters]] = Filters

    def changelist_view(self: Any, request: ConsoleRequest, extra_context: Any = None) -> HttpResponse:
        """Show a page of the rows that exist for this person here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        filters = self.filters(request, self)
        rows = filters.narrowed(self.get_queryset(request))
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)
        rows = rows.defer(*self.list_defer)
        shown = sliced(rows, request.GET, self.opts.pk.prefix)
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "page": shown,
            "filters": filters,
            "may_add": self.has_add_permission(request),
            **self.list_context(request, shown.rows),
        }
        return self.admin_site.page(request, self.list_page, opts=self.opts, **context)

    def list_context(self, request: ConsoleRequest, rows: Sequence[Any]) -> dict[str, Any]:
        """Return what the list shows beside its rows; a subclass may say more, in a fixed number of queries."""
        return {}


class RowPage:
    """A mixin, before the base of an admin class: the page of a row offers what this person may do with it.

    The acts stand on the page, and not in the header. ``acts_elsewhere`` are those that the template has a button for.
    """

    acts_elsewhere: ClassVar[frozenset[str]] = frozenset()

    def row_context(self: Any, request: ConsoleRequest, row: Any) -> dict[str, Any]:
        """Return the acts of the page, each with its title and address."""
        return {
            "title": str(row),
            "acts": self.acts(request, row),
            "may_delete": self.has_delete_permission(request, row),
        }

    def acts(self: Any, request: ConsoleRequest, row: Any) -> list[dict[str, Any]]:
        """Return the actions that this person may carry out here."""
        names = [name for name in self.actions_detail if name not in self.acts_elsewhere]
        offered = [self.get_unfold_action(name) for name in names]
        allowed = self._filter_unfold_actions_by_permissions(request, offered, row.pk)
        return self._get_actions_navigation(names, allowed, row.pk)

    def get_actions_detail(self, request: ConsoleRequest, object_id: Any) -> list[Any]:
        """Return none for the theme's header."""
        return []
