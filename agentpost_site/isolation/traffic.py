"""Mail and events: what arrives for several places at once stays apart, and what happens in one is told to it alone."""

from collections.abc import Iterator

from agentpost_site.isolation.catalogue.reading import differs
from agentpost_site.isolation.digests import Marks, digest_of
from agentpost_site.isolation.findings import Area, changed
from agentpost_site.isolation.furniture import arrival
from agentpost_site.isolation.world import Place, World
from apikeys.services import create_key
from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import encode, new_id
from inboxes.models import Inbox
from mail.intake import Login, Refused
from mail.models import Attachment, Blob, IntakeEntry, Message, MessageRecipient, Thread
from mail.services import blobs
from mail.services.receive import receive
from mail.services.recipients import recipient_of
from mail.services.submission import admit
from webhooks.delivery.claims import Return, claim_due, give_back
from webhooks.delivery.requests import request_of
from webhooks.models import Event
from webhooks.services.events import Happening, publish

RAW = (
    "From: stranger@example.com\r\nTo: undisclosed-recipients:;\r\nSubject: {subject}\r\n"
    "Message-ID: <{identifier}@example.com>\r\n{more}\r\nhello\r\n"
)


def probe_reception(world: World) -> Area:
    """Receive one mail for three places in one transaction; demand that none learns of the others."""
    area = Area("Reception: one mail, several environments")
    inboxes = [_inbox(place) for place in world.places]
    for place, inbox in zip(world.places, inboxes, strict=True):
        found = recipient_of(inbox.email)
        where = encode("env", found.environment_id), encode("inb", found.inbox_id)
        right = (place.environment.pk, inbox.pk)
        area.demand(f"address of {place.name}", "" if where == right else f"leads to {where}, not to {right}")
    subject = new_id("several")
    raw = RAW.format(identifier=subject, subject=subject, more="").encode()
    receive([arrival(inboxes[0], raw, *inboxes[1:]), arrival(inboxes[1], raw, inboxes[2])])
    for place, inbox in zip(world.places, inboxes, strict=True):
        others = Marks(place, [other for other in world.places if other is not place])
        for what, text in _stored(place, inbox, subject):
            mark = others.seen_in(text, ())
            area.demand(f"{what} in {place.name}", f"shows {mark}" if mark else "")
    return area


def _inbox(place: Place) -> Inbox:
    with inside(place.environment):
        return Inbox.objects.in_environment(place.environment).order_by("pk").first()


def _stored(place: Place, inbox: Inbox, subject: str) -> Iterator[tuple[str, str]]:
    """Yield everything that the mail for several left in a place, as text."""
    environment = place.environment
    with inside(environment):
        messages = Message.objects.in_environment(environment).filter(inbox=inbox, subject=subject)
        [message] = messages
        yield "message", repr(messages.values().get())
        yield "raw bytes", blobs.read(message.raw).decode()
        yield "object key", message.raw.object_key
        for model in (MessageRecipient, Attachment, IntakeEntry):
            yield model._meta.verbose_name, repr(list(model.objects.in_environment(environment).values()))
        yield "thread", repr(Thread.objects.in_environment(environment).filter(pk=message.thread_id).values().get())
        yield "blob", repr(Blob.objects.in_environment(environment).filter(pk=message.raw_id).values().get())
        events = Event.objects.in_environment(environment).filter(data__message_id=message.pk)
        yield "event", repr(list(events.values()))


def probe_submission(world: World) -> Area:
    """Log in with a key of ours as an inbox of theirs; demand the answer that an inbox gets that nobody has."""
    area = Area("Submission: inboxes of others")
    ours = world.places[0]
    secret = create_key(
        ours.organization.pk, "submits", actor=SYSTEM, scopes=["messages:send"], environments=[ours.environment]
    ).secret
    area.demand("our own inbox", "" if _logged_in(_inbox(ours).email, secret) == "" else "is refused")
    nobodys = _logged_in("nobody@nowhere.example", secret)
    for place in world.places[1:]:
        answer = _logged_in(_inbox(place).email, secret)
        area.demand(f"an inbox of {place.name}", differs(nobodys, answer) if answer else "lets us in")
    return area


def _logged_in(address: str, secret: str) -> str:
    """Return what a login is refused with; empty where it is not."""
    try:
        admit(Login(address, secret, "192.0.2.1"))
    except Refused as refused:
        return refused.reply
    return ""


def probe_threads(world: World) -> Area:
    """Answer a victim's Message-ID from elsewhere; demand a thread of its own in the inbox that the answer is for."""
    area = Area("Threads: Message-IDs of others")
    for place in world.places:
        for victim in world.places:
            for inbox in _inboxes(place):
                before = digest_of(victim)
                thread, known = _answer(place, inbox, victim)
                is_own = victim is place and inbox.pk == known.get("inbox")
                joined = thread == known.get("thread")
                difference = "" if joined == is_own else f"joined the thread {thread}" if joined else "did not join"
                area.demand(f"answer in {place.name}, {inbox.email}, to a mail of {victim.name}", difference)
                if victim is not place:
                    area.demand(f"{victim.name} after an answer in {place.name}", changed(before, digest_of(victim)))
    return area


def _inboxes(place: Place) -> list[Inbox]:
    with inside(place.environment):
        return list(Inbox.objects.in_environment(place.environment).order_by("pk")[:2])


def _answer(place: Place, inbox: Inbox, victim: Place) -> tuple[str, dict[str, str]]:
    """Receive an answer to the victim's first mail; return its thread, and where that first mail is."""
    with inside(victim.environment):
        first = Message.objects.in_environment(victim.environment).filter(direction="inbound").order_by("pk").first()
    identifier = new_id("answer")
    more = f"In-Reply-To: {first.message_id_header}\r\nReferences: {first.message_id_header}\r\n"
    receive([arrival(inbox, RAW.format(identifier=identifier, subject="an answer", more=more).encode())])
    with inside(place.environment):
        rows = Message.objects.in_environment(place.environment)
        answer = rows.get(inbox=inbox, message_id_header=f"<{identifier}@example.com>")
    return answer.thread_id, {"inbox": first.inbox_id, "thread": first.thread_id}


def probe_deliveries(world: World) -> Area:
    """Publish in each place; demand deliveries to its own endpoints alone, carrying its own words alone."""
    area = Area("Deliveries: events of others")
    for place in world.places:
        others = [other for other in world.places if other is not place]
        before = {other.name: digest_of(other) for other in others}
        _publish(place)
        for other in others:
            area.demand(f"event of {place.name} in {other.name}", changed(before[other.name], digest_of(other)))
    _claim(area, world)
    return area


def _publish(place: Place) -> None:
    with inside(place.environment):
        publish(place.environment.pk, [Happening("message.received", {"subject": place.canary}, place.first(Inbox))])


def _claim(area: Area, world: World) -> None:
    """Claim everything due, as the deliverer does, and look at the requests that it would post."""
    by_environment = {place.environment.pk: place for place in world.places}
    claims = claim_due(1000)
    for claim in claims:
        delivery = claim.delivery
        place = by_environment[delivery.environment_id]
        homes = {delivery.environment_id, delivery.endpoint.environment_id, delivery.environment.pk}
        area.demand(f"claim {delivery.pk}", "" if len(homes) == 1 else f"stands in {homes}")
        request = request_of(delivery, clock.now())
        others = Marks(place, [other for other in world.places if other is not place])
        mark = others.seen_in(f"{request.url} {request.headers} {request.body.decode()}", ())
        area.demand(f"request of {delivery.pk}", f"shows {mark}" if mark else "")
    if {claim.delivery.environment_id for claim in claims} != set(by_environment):
        area.miss("deliveries were not claimed in every place")
    give_back([Return(claim) for claim in claims])
