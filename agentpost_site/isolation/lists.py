"""Lists: nobody else's rows in them, whatever cursor or filter is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

import orjson

from agentpost_site.isolation.api import NO_BODY, Probes
from agentpost_site.isolation.digests import PUBLIC_ID
from agentpost_site.isolation.discovery import Operation, operations, pages
from agentpost_site.isolation.exchange import Caller, Request, client_with, compare, look
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.forms import Forms
from agentpost_site.isolation.world import Place, World
from environments.models import Environment

UNPAGED = "unpaged"


@dataclass(frozen=True)
class Nobody:
    """The values of a place that does not exist."""

    canary: str = "canary0123456789abcdef"
    unique: str = "u0123456789ab"


NOBODY = Nobody()
FILTERS: Mapping[str, Callable[[Place | Nobody], str]] = {
    "from": lambda place: f"sender@{place.unique}.example",
    "label": lambda place: place.canary,
    "q": lambda place: place.canary,
    "subject": lambda place: place.canary,
    "to": lambda place: f"{place.canary}@example.com",
}
SEARCHES: Sequence[Callable[[Place | Nobody], str]] = (
    lambda place: place.canary,
    lambda place: f"{place.canary[:-1]}* in:anywhere",
    lambda place: f"from:sender@{place.unique}.example",
    lambda place: f"label:{place.canary}",
)


def probe_lists(everybody: Sequence[Caller], world: World) -> Area:
    """Look for traces of the others in every list, and try their cursors and the values of their fields in filters."""
    area, forms, owners = Area("API: lists and cursors"), Forms(), _owners(world)
    for operation in operations():
        if operation.method != "GET" or any(model is not Environment for model in operation.parameters.values()):
            continue
        for caller in everybody:
            look(area, caller, Probes(world, caller, operation, NO_BODY).own())
    for operation in (one for one in operations() if one.is_list):
        _try_cursors(area, everybody, owners, Probes(world, owners[0], operation, forms.of(operation) or NO_BODY))
    return area


def _owners(world: World) -> list[Caller]:
    """Return keys that may see what the others must not."""
    named = {world.theirs: "theirs", world.stranger: "stranger"}
    return [Caller(name, place, [], client_with(world.secrets[name])) for place, name in named.items()]


def _try_cursors(area: Area, everybody: Sequence[Caller], owners: Sequence[Caller], probes: Probes) -> None:
    world, operation = probes.world, probes.operation
    parameter = "cursor" if "cursor" in probes.form.query else "after"
    cursors = {owner.home: _cursor(owner, operation, world) for owner in owners}
    if not any(cursors.values()):
        area.miss(f"{operation.name}: no list is long enough for a second page")
    for victim, cursor in cursors.items():
        for caller in everybody:
            if cursor in {None, UNPAGED} or victim not in caller.victims:
                continue
            if operation.is_of_an_environment or victim.organization != caller.home.organization:
                own = Probes(world, caller, operation, NO_BODY).own()
                foreign = own.with_query(parameter, cursor).asking(cursor)
                nobodys = _like(cursor, world)
                missing = own.with_query(parameter, nobodys).asking(nobodys)
                compare(area, caller, f"(cursor of {victim.name})", foreign, missing)


def _like(cursor: str, world: World) -> str:
    """Return a cursor of the same form that nobody was given."""
    if PUBLIC_ID.fullmatch(cursor):
        return next(one for one in world.missing.values() if one.startswith(cursor[:4]))
    return cursor[::-1]


def _cursor(owner: Caller, operation: Operation, world: World) -> str | None:
    """Return a cursor of this list, UNPAGED for one that is given whole, or None for one too short to tell."""
    answer = owner.ask(Probes(world, owner, operation, NO_BODY).own().with_query("limit", "1"))
    if answer.status != HTTPStatus.OK:
        return None
    listed = orjson.loads(answer.text)
    return listed["next_cursor"] or (UNPAGED if len(listed["data"]) > 1 else None)


def probe_site(caller: Caller) -> Area:
    """Look at every page of the site that belongs to neither the API nor the console."""
    area = Area("Site: other pages")
    for page in pages(of_the_console=False):
        if page.parameters:
            area.miss(f"/{page.route}: takes {', '.join(page.parameters)}, and nobody knows what that names")
        else:
            look(area, caller, Request("GET", f"/{page.route}"))
    return area


def probe_filters(everybody: Sequence[Caller], world: World) -> Area:
    """Filter every list by values that only the others have, and by values that nobody has."""
    area, forms = Area("API: filters"), Forms()
    for operation in (one for one in operations() if one.is_list):
        names = sorted((forms.of(operation) or NO_BODY).query & FILTERS.keys())
        for caller in everybody:
            for victim in caller.victims:
                _filter(area, Probes(world, caller, operation, NO_BODY), victim, names)
    for operation in (one for one in operations() if one.action == "search"):
        for caller in everybody:
            for victim in caller.victims:
                _search(area, Probes(world, caller, operation, NO_BODY), victim)
    return area


def _filter(area: Area, probes: Probes, victim: Place, names: Sequence[str]) -> None:
    own = probes.own()
    for name in names:
        foreign, missing = FILTERS[name](victim), FILTERS[name](NOBODY)
        theirs, none = own.with_query(name, foreign).asking(foreign), own.with_query(name, missing).asking(missing)
        compare(area, probes.caller, f"({name} of {victim.name})", theirs, none)


def _search(area: Area, probes: Probes, victim: Place) -> None:
    """Search for what is in the victim's mail, and for what is in nobody's."""
    own = probes.own()
    for number, written in enumerate(SEARCHES):
        foreign, missing = written(victim), written(NOBODY)
        theirs = replace(own, body={"query": foreign}).asking(foreign)
        none = replace(own, body={"query": missing}).asking(missing)
        compare(area, probes.caller, f"(search {number + 1} for what {victim.name} has)", theirs, none)
