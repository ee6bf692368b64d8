"""The whole proof, in order: each wall as it stands, then each with the other one down."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agentpost_site.isolation import (
    api,
    bounces,
    chores,
    clashes,
    console,
    database,
    departures,
    links,
    lists,
    rights,
    streams,
    tools,
    traffic,
    whole,
)
from agentpost_site.isolation.catalogue import check_catalogue
from agentpost_site.isolation.digests import digest_of
from agentpost_site.isolation.exchange import Caller
from agentpost_site.isolation.findings import Area, Report, changed
from agentpost_site.isolation.ground import thrown_away
from agentpost_site.isolation.world import World, build

Tell = Callable[[str], None]


def prove(*, read_only: bool, tell: Tell) -> Report:
    """Run the proof and return its report; ``tell`` hears what is being done. Raises NoGround.

    ``read_only`` looks at the catalogue of the configured database and at nothing else.
    """
    tell("Reading the catalogue of the configured database")
    areas = check_catalogue("the configured database")
    if read_only:
        return Report(areas)
    tell("Migrating a throw-away database")
    with thrown_away():
        areas += check_catalogue("the throw-away database")
        tell("Filling three environments")
        areas += prove_in(build(), tell)
    return Report(areas)


def prove_in(world: World, tell: Tell) -> list[Area]:
    """Run every probe in a world that stands in a throw-away database."""
    areas = [database.probe_models(world), whole.probe_export(world), whole.probe_import(world)]
    for what, probe in (
        ("the API", probe_api),
        ("the tools of agents", probe_tools),
        ("the console", probe_console),
        ("PostgreSQL alone", probe_postgres_alone),
        ("Python alone", probe_python_alone),
        ("mail, deliveries, jobs and commands", probe_work),
    ):
        tell(f"Probing {what}, after {sum(area.probes for area in areas):,} probes")
        areas += probe(world)
    return areas


def probe_api(world: World) -> list[Area]:
    """Ask the API with both walls up."""
    keys = api.callers(world)
    with unchanged(keys) as untouched:
        areas = [
            lists.probe_lists(keys, world),
            lists.probe_filters(keys, world),
            lists.probe_site(keys[0]),
            rights.probe_rights(world),
            links.probe_links(world),
            clashes.probe_clashes(world),
            api.probe_other_methods(api.hasty(keys[0], world.theirs), world),
            api.probe_every_id(keys[0], world),
            *api.probe_operations(keys, world),
        ]
    return [*areas, untouched]


def probe_tools(world: World) -> list[Area]:
    """Call the tools with both walls up."""
    agents = tools.agents(api.callers(world))
    with unchanged(agents, "Tools: what is foreign stays untouched") as untouched:
        areas = [tools.probe_routes(), *tools.probe_tools(agents, world)]
    return [*areas, untouched]


def probe_console(world: World) -> list[Area]:
    """Look at the console with both walls up."""
    people = console.sessions(world)
    with unchanged(people, "Console: what is foreign stays untouched") as untouched:
        areas = [*console.probe_console(people, world), console.probe_slugs(world)]
    return [*areas, untouched]


def probe_postgres_alone(world: World) -> list[Area]:
    """Take the wall in Python away."""
    return [database.probe_without_wall_one(world), database.probe_composite_keys(world)]


def probe_python_alone(world: World) -> list[Area]:
    """Take the wall in PostgreSQL away."""
    keys, people = [api.hasty(api.callers(world)[0])], console.sessions(world)[:1]
    with database.without_wall_two(), unchanged([*keys, *people], "what is foreign stays untouched") as untouched:
        areas = [
            lists.probe_lists(keys, world),
            lists.probe_filters(keys, world),
            links.probe_links(world),
            console.probe_rows(people[0], world),
            *tools.probe_tools(tools.agents(keys), world, controls=False),
            *api.probe_operations(keys, world, controls=False),
            untouched,
        ]
        control = database.wall_two_is_down(world)
    for area in areas:
        area.name = f"Wall two down: {area.name}"
    return [control, *areas]


def probe_work(world: World) -> list[Area]:
    """Let mail, events, jobs and commands do their work."""
    return [
        traffic.probe_reception(world),
        traffic.probe_threads(world),
        bounces.probe_bounces(world),
        traffic.probe_submission(world),
        departures.probe_departures(world),
        traffic.probe_deliveries(world),
        streams.probe_streams(world),
        chores.probe_jobs(world),
        chores.probe_commands(world),
        whole.probe_whole(world),
    ]


@contextmanager
def unchanged(callers: Sequence[Caller], name: str = "API: what is foreign stays untouched") -> Iterator[Area]:
    """Yield an area that, after the block, tells whose data changed that no caller may touch.

    A place that is home to one of the callers may have been changed by its own people.
    """
    area, homes = Area(name), {caller.home for caller in callers}
    victims = {victim for caller in callers for victim in caller.victims} - homes
    before = {victim: digest_of(victim) for victim in victims}
    yield area
    for victim in sorted(victims, key=lambda place: place.name):
        area.demand(f"everything of {victim.name}", changed(before[victim], digest_of(victim)))
