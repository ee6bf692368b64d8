"""Departures: what the sender claims stands in one environment, and what it makes of it shows and changes no other."""

from collections.abc import Sequence

from agentpost_site.isolation.digests import Marks, digest_of
from agentpost_site.isolation.findings import Area, changed
from agentpost_site.isolation.world import Place, World
from environments import clock
from environments.binding import inside
from mail.models import HandOver, Message
from mail.sending.claims import Claim, claim_due, give_back
from mail.sending.door import jobs_of
from mail.sending.parcels import parcel_of

State = HandOver.State
MOST = 1000


def probe_departures(world: World) -> Area:
    """Let mail wait in each place, claim it as the sender does, and look at what would leave."""
    area = Area("Departures: hand-overs of others")
    for place in world.places:
        _queue(place)
    claims = claim_due(MOST, MOST)
    for place in world.places:
        ours = [claim for claim in claims if claim.environment_id == place.environment.pk]
        if not ours:
            area.miss(f"no hand-over was claimed in {place.name}")
        _carry_on(area, place, [other for other in world.places if other is not place], ours)
    return area


def _queue(place: Place) -> None:
    """Let a mail wait for the next decision; where mail may leave, let another one be on its way."""
    states = (State.WAITING, State.QUEUED) if place.environment.is_live else (State.WAITING,)
    with inside(place.environment):
        rows = Message.objects.in_environment(place.environment).filter(direction="outbound")
        message = rows.select_related("inbox").order_by("pk").first()
        for state in states:
            HandOver.objects.in_environment(place.environment).create(
                environment=place.environment,
                inbox=message.inbox,
                message=message,
                envelope_recipient="" if state == State.WAITING else message.to_addresses[0]["email"],
                state=state,
                next_attempt_at=clock.now(),
            )


def _carry_on(area: Area, place: Place, others: Sequence[Place], claims: Sequence[Claim]) -> None:
    before = {other.name: digest_of(other) for other in others}
    marks = Marks(place, list(others))
    for job in jobs_of(claims):
        homes = {job.environment.pk, job.inbox.environment_id, job.message.environment_id}
        area.demand(
            f"hand-over {job.hand_overs[0].pk}", "" if homes == {place.environment.pk} else f"stands in {homes}"
        )
        parcel = parcel_of(job, signed=True)
        leaving = f"{parcel.envelope_sender} {parcel.recipients} {parcel.raw.decode('utf-8', 'replace')}"
        mark = marks.seen_in(leaving, ())
        area.demand(f"what would leave of {job.message.pk}", f"shows {mark}" if mark else "")
    give_back(claims)
    for other in others:
        area.demand(
            f"{other.name} after the sender's work in {place.name}", changed(before[other.name], digest_of(other))
        )
