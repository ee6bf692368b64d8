"""The page that answers to the present one in another environment: the same list, never the same row."""

import re
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from environments.console.reach import Console

AN_ID = re.compile(r"[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}")
LEFT_BEHIND = {"p", "e", "after", "before", "cursor", "environment"}  # of the query: where it is, not what it asks
NOT_STAYED_ON = {"environment", "jsi18n", "logout", "autocomplete"}
HOME = "admin:index"


def same_page(match: ResolverMatch | None, query: QueryDict) -> str:
    """Return where to go from a page when the environment changes.

    A list stays the list, with those of its filters that name no row; what belongs to a row leads to the list; what is
    nowhere leads to the overview. No id of the present page is in it.
    """
    if match is None or match.namespace != "admin" or match.url_name in {None, *NOT_STAYED_ON}:
        return reverse(HOME)
    admin = getattr(match.func, "model_admin", None)
    if admin is not None and not str(match.url_name).endswith("_changelist"):
        return _list_of(admin)
    if match.args or match.kwargs:
        return reverse(HOME)
    return f"{reverse(match.view_name)}{_kept(query)}"


def _list_of(admin: Any) -> str:
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")


def _kept(query: QueryDict) -> str:
    pairs = [
        (name, value)
        for name, values in query.lists()
        for value in values
        if name not in LEFT_BEHIND and not AN_ID.search(value)
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


def same_page_there(address: str, there: Console) -> str:
    """Return the page to show after a switch, for the address that the switching form carried.

    It is made anew from what the address resolves to, so that a form leads to pages of the console only; and it is the
    overview where this person may not look at the list over there.
    """
    path, _, query = address.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return reverse(HOME)
    admin = getattr(match.func, "model_admin", None)
    if admin is not None and not there.may(admin.rights, "view"):
        return reverse(HOME)
    return same_page(match, QueryDict(query))
