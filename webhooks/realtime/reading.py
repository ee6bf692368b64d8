"""What a stream reads of the log: settled events of some environments, in the order of their numbers, each from inside.

Numbers are one sequence over all environments, so that one cursor, the id of an event, stands for a place in the logs
of several of them. They are never told: they would tell how busy everybody else is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from environments.binding import inside
from environments.errors import InvalidCursor
from environments.models import Environment
from webhooks.models import Event
from webhooks.services.events import envelope
from webhooks.services.log import event_behind, settled_below, settled_events
from webhooks.services.payload import payload


@dataclass(frozen=True, slots=True)
class Place:
    """The environments of one organization that a stream follows."""

    organization_id: str
    environment_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of a place a stream is told of; no types means all of them."""

    types: frozenset[str] = frozenset()
    inbox_id: str | None = None

    def includes(self, told: "Told") -> bool:
        """Return whether this event is wanted."""
        return (not self.types or told.type in self.types) and self.inbox_id in {None, told.inbox_id}


EVERYTHING = Wanted()
BEYOND = 2**63 - 1  # every number


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it goes over the wire, written once for all who are told: a frame of WebSocket, lines of SSE."""

    number: int
    id: str
    type: str
    inbox_id: str | None
    frame: str
    lines: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """How much is read at once: so many events, and no more octets unless the first event alone has more."""

    events: int
    octets: int

    def of(self, found: list[Told]) -> tuple[list[Told], bool]:
        """Return the first events of a list that fit, and whether they are all that was asked for."""
        room = self.octets
        for count, told in enumerate(found[: self.events]):
            room -= len(told.lines)
            if room < 0 and count:
                return found[:count], False
        return found[: self.events], len(found) < self.events


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the logs: an event's number and its id, which is None before the first event."""

    number: int
    id: str | None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins: behind ``number``, which the cursor ``after`` names, unless the logs are empty.

    ``newest`` is the newest of the events up to ``settled``.
    """

    number: int
    settled: int
    after: str | None
    newest: Mark


@dataclass(frozen=True, slots=True)
class News:
    """Events in order, all there ever will be up to ``upto``; others can be read at once, or are held up."""

    events: list[Told]
    upto: int
    has_more: bool
    is_held_up: bool


def start_of(place: Place, after: str | None) -> Start:
    """Return where a stream begins: behind the event with the id ``after``, by default behind all that is settled now.

    Raises InvalidCursor for an event that is in none of the environments, or no longer.
    """
    settled = settled_below(place.environment_ids) - 1
    newest = Mark(*max(_newest(place, settled), default=(0, None)))
    if after is not None:
        return Start(_number_of(place, after), settled, after, newest)
    return Start(settled, settled, newest.id, newest)


def _number_of(place: Place, after: str) -> int:
    """Return the number of an event; if none of the environments has it, raise what the last of them says."""
    refusal = InvalidCursor()
    rows = Environment.objects.in_organization(place.organization_id).filter(pk__in=place.environment_ids)
    for environment in rows.order_by("event_retention_days", "pk"):
        try:
            with inside(environment):
                return event_behind(environment, after).number
        except InvalidCursor as problem:
            refusal = problem
    raise refusal


def _newest(place: Place, settled: int) -> Iterator[tuple[int, str | None]]:
    for environment_id in place.environment_ids:
        with inside(environment_id):
            rows = settled_events(Environment(pk=environment_id), above=0, below=settled + 1)
            yield from rows.reverse().values_list("number", "pk")[:1]


def read_news(place: Place, above: int, page: Page) -> News:
    """Return the next settled events with numbers above this one.

    What is committed beyond them is looked at as well: it is held up by an older transaction, whose rollback would wake
    nobody.
    """
    below = settled_below(place.environment_ids)
    found: list[Told] = []
    for environment_id in place.environment_ids:
        with inside(environment_id):
            found += _told(place.organization_id, environment_id, above, BEYOND, page.events)
    settled = sorted((told for told in found if told.number < below), key=lambda told: told.number)
    events, is_all = page.of(settled)
    upto = max(above, below - 1) if is_all else events[-1].number
    return News(events, upto, not is_all, is_held_up=len(settled) < len(found))


def read_past(place: Place, above: int, upto: int, page: Page, wanted: Wanted) -> tuple[list[Told], int]:
    """Return the next wanted events, and the number up to which they are all; up to ``upto`` all are settled."""
    found: list[Told] = []
    for environment_id in place.environment_ids:
        with inside(environment_id):
            found += _told(place.organization_id, environment_id, above, upto + 1, page.events, wanted)
    events, is_all = page.of(sorted(found, key=lambda told: told.number))
    return events, upto if is_all else events[-1].number


def _told(
    organization_id: str, environment_id: str, above: int, below: int, most: int, wanted: Wanted = EVERYTHING
) -> Iterator[Told]:
    rows = settled_events(Environment(pk=environment_id), above=above, below=below)
    if wanted.types:
        rows = rows.filter(type__in=wanted.types)
    if wanted.inbox_id:
        rows = rows.filter(inbox_id=wanted.inbox_id)
    events = list(rows[:most])
    found = Environment.objects.in_organization(organization_id).filter(pk=environment_id) if events else ()
    for environment in found:  # one, unless it was deleted meanwhile
        for event in events:
            yield _written(event, environment)


def _written(event: Event, environment: Environment) -> Told:
    body = payload(envelope(event, environment), settings.AGENTPOST_PUBLIC_URL)
    return Told(
        number=event.number,
        id=event.pk,
        type=event.type,
        inbox_id=event.inbox_id,
        frame=f'{{"type":"event","data":{body.decode()}}}',
        lines=b"id: %b\nevent: %b\ndata: %b\n\n" % (event.pk.encode(), event.type.encode(), body),
    )
