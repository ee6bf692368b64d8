"""Which environment a request is in: decided here and nowhere else.

The first of these that is present: the path, the body's ``environment_id``, the query's ``environment_id``, the header
``AgentPost-Environment``. Two that disagree are a conflict. With none of them, a call on an item is in the item's own
environment; a list or a create is in the caller's only environment, else in the organization's default one.
"""

import re
from collections.abc import Sequence
from functools import cache
from uuid import UUID

from django.db.models import Func, Q, QuerySet, Value

from environments.callers import SYSTEM, Caller
from environments.errors import EnvironmentConflict, EnvironmentRequired, NotFound
from environments.ids import encode, is_id, prefix_of
from environments.models import Environment, EnvironmentOwned
from environments.remembered import Remembered

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NOBODYS = encode("env", UUID(int=0))
Item = tuple[type[EnvironmentOwned], str]


def resolve(caller: Caller, names: Sequence[str], item: Item | None = None) -> Environment:
    """Return the one environment of a request.

    ``names`` are the environments that the request names, as ids or slugs; ``item`` is what the path names, when it
    names one: its model, and its id.

    Raises NotFound, EnvironmentConflict or EnvironmentRequired.
    """
    if names:
        return _named(caller, names)
    if item is not None:
        return _of_item(caller, *item)
    return _implied(caller)


def find(caller: Caller, name: str) -> Environment:
    """Return the environment with this id or slug; raise NotFound when the caller cannot reach it."""
    return _named(caller, [name])


_BY_ID = Remembered(lambda owner, pk: Environment.objects.in_organization(owner).filter(pk=pk), "org", "env")
_BY_SLUG = Remembered(lambda owner, slug: Environment.objects.in_organization(owner).filter(slug=slug), "org", str)


def _named(caller: Caller, names: Sequence[str]) -> Environment:
    if len(names) == 1:
        return _named_once(caller, names[0])
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


def _named_once(caller: Caller, name: str) -> Environment:
    found = None
    if is_id("env", name):
        found = _BY_ID.first(caller.organization_id, name)
    elif SLUG.fullmatch(name):
        found = _BY_SLUG.first(caller.organization_id, name)
    if found is None or not caller.reaches(found):
        raise NotFound
    return found


def _of_item(caller: Caller, model: type[EnvironmentOwned], identifier: str) -> Environment:
    """Return the item's environment; for what is nobody's, or no id at all, it is asked for as well."""
    prefix = prefix_of(model)
    wanted = identifier if is_id(prefix, identifier) else encode(prefix, UUID(int=0))
    found = _holding(model).first(caller.organization_id, wanted)
    if found is None or not caller.reaches(found):
        raise NotFound
    return found


@cache
def _holding(model: type[EnvironmentOwned]) -> Remembered[Environment]:
    def build(organization_id: str, identifier: str) -> QuerySet[Environment]:
        item = Value(identifier, output_field=model._meta.pk)
        gate = Func(
            item,
            function=f"environment_of_{model._meta.model_name}",
            template="(SELECT %(function)s(%(expressions)s))",  # asked once, and not of each environment there is
            output_field=Environment._meta.pk,
        )
        return Environment.objects.in_organization(organization_id).filter(pk=gate)

    return Remembered(build, "org", prefix_of(model))


def _first_two_of(*, may_reach_live: bool) -> Remembered[Environment]:
    def build(organization_id: str) -> QuerySet[Environment]:
        reachable = Caller(organization_id, SYSTEM, may_reach_live=may_reach_live).reachable()
        return reachable.order_by("-is_default", "pk")[:2]

    return Remembered(build, "org")


_FIRST_TWO = {may_reach_live: _first_two_of(may_reach_live=may_reach_live) for may_reach_live in (True, False)}


def _implied(caller: Caller) -> Environment:
    """Return the only environment in reach, or the default one among several."""
    if caller.environment_ids is None:
        first_two = _FIRST_TWO[caller.may_reach_live](caller.organization_id)
    elif len(caller.environment_ids) == 1:
        only = _BY_ID.first(caller.organization_id, *caller.environment_ids)
        first_two = [only] if only is not None and caller.reaches(only) else []
    else:
        first_two = list(caller.reachable().order_by("-is_default", "pk")[:2])
    if len(first_two) == 1 or (first_two and first_two[0].is_default):
        return first_two[0]
    raise EnvironmentRequired
