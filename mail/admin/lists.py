"""Lists of mail: by page and never counted, narrowed by label and time, searched by words."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet

from environments import clock
from environments.console.admins import EnvironmentModelAdmin, LeanChangeList
from environments.console.reach import ConsoleRequest
from environments.ids import first_at
from mail.search.query import moment_of

MOST_PAGES = 200  # what is older is found by date
MOST_CHIPS = 20
LABEL = "label"
MOMENTS = {"created_at__gte": "pk__gte", "created_at__lt": "pk__lt"}  # ids tell the time, and have an index


class MailList(LeanChangeList):
    """One page of rows in the order of the list, and whether there are older ones."""

    has_older = is_cut_off = False
    page_num: int
    lines: Sequence[Any] = ()

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Return the filters that Django applies: what is left empty in the form is none, and ours are ours."""
        given = {name: [one for one in values if one] for name, values in super().get_filters_params(params).items()}
        return {name: values for name, values in given.items() if values and name not in {LABEL, *MOMENTS}}

    def get_ordering(self, request: ConsoleRequest, queryset: QuerySet) -> list[str]:
        """Return the one order that has an index, whatever the query asks for."""
        return list(self.model_admin.ordering)

    def get_queryset(self, request: ConsoleRequest, exclude_parameters: Any = None) -> QuerySet:
        rows = super().get_queryset(request, exclude_parameters).filter(**self._bounds())
        for label in self.labels:
            labelled = self.model_admin.label_rows(request).filter(label=label)
            rows = rows.filter(Exists(labelled.filter(**{f"{self.opts.model_name}_id": OuterRef("pk")})))
        return rows

    @property
    def labels(self) -> list[str]:
        """Return the labels that the rows must all carry; of mail that carries none, none."""
        if not self.model_admin.is_labelled:
            return []
        given = self.params.get(LABEL, "").replace("\0", "").split(",")
        return list(dict.fromkeys(label.strip().lower()[:100] for label in given if label.strip()))[:5]

    def _bounds(self) -> dict[str, str]:
        given = {lookup: moment_of(self.params.get(name, "").strip(), clock.now()) for name, lookup in MOMENTS.items()}
        return {lookup: first_at(self.opts.pk.prefix, moment) for lookup, moment in given.items() if moment}

    def get_results(self, request: ConsoleRequest) -> None:
        """Read one row more than a page shows, and count nothing."""
        self.page_num = min(max(self.page_num, 1), MOST_PAGES)
        first = (self.page_num - 1) * self.list_per_page
        rows = list(self.queryset[first : first + self.list_per_page + 1])
        self.has_older = len(rows) > self.list_per_page and self.page_num < MOST_PAGES
        self.is_cut_off = len(rows) > self.list_per_page and self.page_num == MOST_PAGES
        self.result_list = rows[: self.list_per_page]
        self.paginator = Paginator(self.result_list, self.list_per_page)
        self.result_count = self.full_result_count = first + len(rows)  # alike: then no header tells a count
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all, self.multi_page = False, False
        self.lines = self.model_admin.lines(request, self)

    # --- links ---

    @property
    def older(self) -> str:
        """Return where the next page is; empty on the last."""
        return self.get_query_string({PAGE_VAR: self.page_num + 1}) if self.has_older else ""

    @property
    def newer(self) -> str:
        """Return where the page before this one is; empty on the first."""
        return self.get_query_string({PAGE_VAR: self.page_num - 1}) if self.page_num > 1 else ""

    @property
    def is_narrowed(self) -> bool:
        """Return whether anything but the page was asked for."""
        return bool(self.query or self.labels or self._bounds() or self.get_filters_params())

    @property
    def label_chips(self) -> list[dict[str, Any]]:
        """Return a link for each label of the page, those chosen first: it adds it to the filter, or takes it out."""
        chosen = self.labels
        shown = dict.fromkeys(label for line in self.lines for label in line.labels)
        others = [label for label in shown if label not in chosen][:MOST_CHIPS]
        return [self._chip(label, chosen) for label in [*chosen, *sorted(others)]]

    def _chip(self, label: str, chosen: Sequence[str]) -> dict[str, Any]:
        is_on = label in chosen
        wanted = [one for one in chosen if one != label] if is_on else [*chosen, label]
        link = self.get_query_string({LABEL: ",".join(wanted)} if wanted else {}, [LABEL])
        return {"label": label, "is_on": is_on, "link": link}

    def view(self, title: str, filters: Mapping[str, str]) -> dict[str, Any]:
        """Return a link to the rows with these filters out of ``VIEWS``, the rest of the query as it is."""
        ours = {name for _, others in self.model_admin.views for name in others}
        is_here = {name: self.params[name] for name in ours if self.params.get(name)} == dict(filters)
        removed = [name for name in ours if name not in filters]
        return {
            "title": title,
            "is_on": is_here,
            "link": self.get_query_string(dict(filters), removed),
        }

    @property
    def views(self) -> list[dict[str, Any]]:
        """Return the tabs above the list."""
        return [self.view(title, filters) for title, filters in self.model_admin.views]


class MailListAdmin(EnvironmentModelAdmin):
    """Pages whose list is a ``MailList``, made from a template of its own."""

    views: Sequence[tuple[str, Mapping[str, str]]] = ()
    is_labelled: ClassVar[bool] = False  # then it has ``label_rows``

    def get_changelist(self, request: ConsoleRequest, **_: Any) -> type[MailList]:
        return MailList

    def lines(self, request: ConsoleRequest, shown: MailList) -> Sequence[Any]:
        """Return what the template shows of each row of the page."""
        return shown.result_list
