"""Realtime: what a stream of one place carries, where its cursors are known, and what its tickets open."""

from agentpost_site.isolation.api import callers
from agentpost_site.isolation.digests import Marks
from agentpost_site.isolation.exchange import Request, compare
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import Place, World
from apikeys.models import ApiKey
from apikeys.streams import caller_now, issue_ticket, listener_of, redeem
from environments.binding import inside
from environments.errors import InvalidCursor, Unauthenticated
from environments.models import Environment
from inboxes.models import Inbox
from webhooks.models import Event
from webhooks.realtime import reading
from webhooks.services.events import Happening, publish

PAGE = reading.Page(1000, 2**24)
STREAM = "/api/v1/events/stream"


def probe_streams(world: World) -> Area:
    """Follow each place while all of them publish; name others' cursors; redeem tickets."""
    area = Area("Realtime: events, cursors and tickets of others")
    starts = {place.name: reading.start_of(_followed(place), None) for place in world.places}
    for place in (*world.places, *reversed(world.places)):
        _publish(place)
    for place in world.places:
        _read(area, place, starts[place.name], world)
        _name_cursors(area, place, world)
        _redeem(area, place, world)
    _resume(area, world)
    return area


def _followed(place: Place) -> reading.Place:
    return reading.Place(place.organization.pk, frozenset({place.environment.pk}))


def _publish(place: Place) -> None:
    with inside(place.environment):
        publish(place.environment.pk, [Happening("message.received", {"subject": place.canary}, place.first(Inbox))])


def _read(area: Area, place: Place, start: reading.Start, world: World) -> None:
    """Demand that a place's feed, live and past, carries its own two events and nothing of the others."""
    others = Marks(place, [other for other in world.places if other is not place])
    news = reading.read_news(_followed(place), start.number, PAGE)
    past, _ = reading.read_past(_followed(place), 0, news.upto, PAGE, reading.EVERYTHING)
    for what, events, least in (("live", news.events, 2), ("past", past, 3)):
        mark = others.seen_in("".join(f"{told.frame} {told.lines.decode()}" for told in events), ())
        area.demand(f"{what} events of {place.name}", f"shows {mark}" if mark else "")
        if len(events) < least:
            area.miss(f"{what} events of {place.name}: only {len(events)} were read")


def _name_cursors(area: Area, place: Place, world: World) -> None:
    for victim in world.places:
        cursor = victim.first(Event)
        try:
            reading.start_of(_followed(place), cursor)
            is_known = True
        except InvalidCursor:
            is_known = False
        difference = "" if is_known == (victim is place) else "is known" if is_known else "is unknown"
        area.demand(f"cursor of {victim.name} in {place.name}", difference)


def _redeem(area: Area, place: Place, world: World) -> None:
    """Demand that a ticket of a key that reaches a whole organization opens its own environment, once."""
    key = ApiKey.objects.in_organization(place.organization).filter(reaches_organization=True, kind="live").first()
    key = key or ApiKey.objects.in_organization(place.organization).filter(reaches_organization=True).first()
    ticket = issue_ticket(place.environment, key_id=key.pk, key_hash=bytes(key.secret_hash))
    listener = listener_of(ticket.secret)
    reached = caller_now(listener).reachable().values_list("pk", flat=True)
    strays = set(reached) - {place.environment.pk}
    area.demand(f"ticket of {place.name}", f"reaches {strays}" if strays else "")
    for other in world.places:
        if other is not place and caller_now(listener).reaches(Environment(pk=other.environment.pk)):
            area.demand(f"ticket of {place.name} in {other.name}", "opens it")
    redeem(ticket.secret)
    try:
        redeem(ticket.secret)
        area.demand(f"ticket of {place.name}, again", "opens a second stream")
    except Unauthenticated:
        area.demand(f"ticket of {place.name}, again")


def _resume(area: Area, world: World) -> None:
    """Resume by the header that browsers send, behind events of others."""
    for caller in callers(world):
        for victim in caller.victims:
            foreign, missing = victim.first(Event), world.missing[Event]
            theirs, none = (
                Request("GET", STREAM, headers=(("Last-Event-ID", cursor),), asked=(cursor,))
                for cursor in (foreign, missing)
            )
            compare(area, caller, f"(Last-Event-ID of {victim.name})", theirs, none)
