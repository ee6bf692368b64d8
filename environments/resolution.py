"""Which environment a request is in: decided here and nowhere else.

The first of these that is present: the path, the body's ``environment_id``, the query's ``environment_id``, the header
``AgentPost-Environment``. Two that disagree are a conflict. With none of them, a call on an item is in the item's own
environment; a list or a create is in the caller's only environment, else in the organization's default one.
"""

import re
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db.models import Q

from environments.callers import Caller
from environments.errors import EnvironmentConflict, EnvironmentRequired, NotFound
from environments.ids import encode, is_id
from environments.models import Environment

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NOBODYS = encode("env", UUID(int=0))
ItemEnvironment = Callable[[], str | None]


def resolve(caller: Caller, names: Sequence[str], item: ItemEnvironment | None = None) -> Environment:
    """Return the one environment of a request.

    ``names`` are the environments that the request names, as ids or slugs; ``item`` tells the environment of the item
    that the path names, when it names one.

    Raises NotFound, EnvironmentConflict or EnvironmentRequired.
    """
    if names:
        return _named(caller, names)
    if item is not None:
        return _of_item(caller, item)
    return _implied(caller)


def find(caller: Caller, name: str) -> Environment:
    """Return the environment with this id or slug; raise NotFound when the caller cannot reach it."""
    return _named(caller, [name])


def _named(caller: Caller, names: Sequence[str]) -> Environment:
    ids = [name for name in names if is_id("env", name)]
    slugs = [name for name in names if SLUG.fullmatch(name)]
    if len(ids) + len(slugs) < len(names):
        raise NotFound
    rows = Environment.objects.in_organization(caller.organization_id).filter(Q(pk__in=ids) | Q(slug__in=slugs))
    found = {key: row for row in rows if caller.reaches(row) for key in (row.pk, row.slug)}
    if any(name not in found for name in names):
        raise NotFound
    if len({found[name].pk for name in names}) > 1:
        raise EnvironmentConflict
    return found[names[0]]


def _of_item(caller: Caller, item: ItemEnvironment) -> Environment:
    """Return the item's environment; for an item that nobody has, ask for the one of nobody, in as many queries."""
    return _named(caller, [item() or NOBODYS])


def _implied(caller: Caller) -> Environment:
    """Return the only environment in reach, or the default one among several."""
    first_two = caller.reachable().order_by("-is_default", "pk")[:2]
    if len(first_two) == 1 or (first_two and first_two[0].is_default):
        return first_two[0]
    raise EnvironmentRequired
