"""Where one can go from a page: few entries in the order in which people think, and every record behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst

from environments.console.permissions import Kind
from environments.console.reach import ConsoleRequest

if TYPE_CHECKING:
    from environments.console.site import ConsoleSite

Item = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One main entry: the list of a model, or that list narrowed by ``query``, or the page of a ``url`` name.

    With both a url name and a model, the entry leads to the page, and the model says whose rights it asks for.
    """

    title: str
    icon: str
    model: str = ""
    url: str = ""
    query: str = ""
    key: str = ""
    badge: str = ""


MAIN: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("Overview", "dashboard", url="index", key="o"),)),
    (
        "Mail",
        (
            Entry("Inboxes", "inbox", "inboxes.inbox", key="i"),
            Entry("Messages", "mail", "mail.message", key="m"),
            Entry("Threads", "forum", "mail.thread", key="t"),
            Entry("Drafts", "edit_note", "mail.draft", key="d"),
            Entry("Approvals", "task_alt", "mail.draft", "approvals", key="a", badge="approvals"),
            Entry("Quarantine", "gpp_maybe", "mail.message", "", "status__exact=quarantined", "q", "quarantine"),
            Entry("Captured", "front_hand", "mail.message", query="status__exact=captured", key="c"),
        ),
    ),
    (
        "Webhooks",
        (
            Entry("Endpoints", "webhook", "webhooks.webhookendpoint", key="w"),
            Entry("Deliveries", "send", "webhooks.webhookdelivery", key="l"),
            Entry("Events", "bolt", "webhooks.event", key="e"),
        ),
    ),
    (
        "Environment",
        (
            Entry("Settings", "tune", url="environments_environment_change", key="s"),
            Entry("Domains", "language", "inboxes.domain", key="n"),
            Entry("API keys", "key", "apikeys.apikey", key="k"),
            Entry("Filter rules", "filter_alt", "inboxes.filterrule", key="f"),
            Entry("Suppressions", "block", "inboxes.suppression", key="b"),
            Entry("Members", "group", "environments.environmentmembership"),
        ),
    ),
    (
        "Organization",
        (
            Entry("Overview of all", "space_dashboard", url="organization", key="z"),
            Entry("Environments", "deployed_code", "environments.environment"),
            Entry("People", "badge", "environments.member", key="p"),
            Entry("Invitations", "mail_lock", "environments.invitation"),
            Entry("Audit", "history", "environments.auditentry", key="u"),
        ),
    ),
)
RECORDS, INTERNALS, PLATFORM = "Records", "Internals", "Platform"


def navigation(site: "ConsoleSite", request: ConsoleRequest, waiting: Mapping[str, str]) -> list[Item]:
    """Return the groups of the sidebar: only what this person may look at here. ``waiting`` holds the badges."""
    lists = _viewable(site, request)
    groups = [_main(request, title, entries, lists, waiting) for title, entries in MAIN]
    groups += [_folded(title, lists) for title in (RECORDS, INTERNALS, PLATFORM)]
    found = [group for group in groups if group["items"]]
    _mark(request, [item for group in found for item in group["items"]])
    for group in found:
        group["active"] = any(item["active"] for item in group["items"])
    return found


def _viewable(site: "ConsoleSite", request: ConsoleRequest) -> dict[str, tuple[type[Model], Any]]:
    """Return the models that this person may look at here, by label, each with its page."""
    pages = site._registry.items()  # noqa: SLF001 - a site tells it in no other way
    return {model._meta.label_lower: (model, admin) for model, admin in pages if admin.has_view_permission(request)}


def _main(
    request: ConsoleRequest,
    title: str,
    entries: Sequence[Entry],
    lists: Mapping[str, tuple[type[Model], Any]],
    waiting: Mapping[str, str],
) -> Item:
    links = ((entry, _link(request, entry, lists)) for entry in entries)
    items = [
        _item(entry.title, entry.icon, link, entry.key, waiting.get(entry.badge, "")) for entry, link in links if link
    ]
    return {"title": title, "items": items, "folded": False}


def _link(request: ConsoleRequest, entry: Entry, lists: Mapping[str, Any]) -> str:
    """Return where an entry leads, or an empty string where this person may not go."""
    if not entry.model:
        return _own_page(request, entry.url)
    if entry.model not in lists:
        return ""
    if entry.url:
        return reverse(f"admin:{entry.url}")
    address = list_of(lists[entry.model][0])
    return f"{address}?{entry.query}" if entry.query else address


def _own_page(request: ConsoleRequest, name: str) -> str:
    """Return the address of a page of the console's own; that of an environment needs one, and the right to see it."""
    environment = request.console.environment
    if name != "environments_environment_change":
        return reverse(f"admin:{name}") if environment or name == "index" else ""
    if environment is None or not request.console.may(Kind.ENVIRONMENT, "view"):
        return ""
    return reverse(f"admin:{name}", args=[environment.pk])


def _folded(title: str, lists: Mapping[str, tuple[type[Model], Any]]) -> Item:
    """Return the records that have no entry of their own: behind mail and webhooks, or for operators alone."""
    entered = {entry.model for _, entries in MAIN for entry in entries}
    rest = [(model, admin) for label, (model, admin) in lists.items() if label not in entered]
    items = [
        _item(capfirst(str(model._meta.verbose_name_plural)), admin.icon, list_of(model))
        for model, admin in rest
        if _fold_of(admin) == title
    ]
    return {"title": title, "items": items, "folded": True}


def _fold_of(admin: Any) -> str:
    if admin.section != PLATFORM:
        return RECORDS
    return PLATFORM if admin.rights == Kind.PLATFORM else INTERNALS


def _item(title: str, icon: str, link: str, key: str = "", badge: str = "") -> Item:
    return {"title": title, "icon": icon, "link": link, "key": key, "badge": badge, "active": False}


def list_of(model: type[Model]) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _mark(request: ConsoleRequest, items: Sequence[Item]) -> None:
    """Mark the one entry that the page belongs to: the one that says most about its address."""
    fitting = [(fit, item) for item in items if (fit := _fit(request, item["link"]))]
    if fitting:
        max(fitting, key=lambda pair: pair[0])[1]["active"] = True


def _fit(request: ConsoleRequest, link: str) -> tuple[int, int] | None:
    """Return how many characters and parameters of the page's address an entry names; None where it differs."""
    path, _, query = link.partition("?")
    path, pairs = path.removesuffix("change/"), parse_qsl(query)  # the acts on a row belong to its page
    here = unquote(request.path)  # Django's own links spell ids so that their underscores are hidden
    is_there = here == path if path == reverse("admin:index") else here.startswith(path)
    if not is_there or any(request.GET.get(name) != value for name, value in pairs):
        return None
    return len(path), len(pairs)


def title_of_list(groups: Sequence[Item]) -> str:
    """Return what the navigation calls the page: a list that an entry narrows is called as the entry."""
    return next((item["title"] for group in groups for item in group["items"] if item["active"]), "")
