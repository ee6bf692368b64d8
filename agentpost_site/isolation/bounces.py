"""Bounces: a token leads to the environment that made it, and a report changes nothing in any other."""

from agentpost_site.isolation.digests import digest_of
from agentpost_site.isolation.findings import Area, changed
from agentpost_site.isolation.furniture import arrival
from agentpost_site.isolation.world import Place, World
from environments.binding import inside
from environments.ids import encode
from inboxes.models import Inbox
from mail.intake import Refused
from mail.models import HandOver, Message
from mail.services import simulated_reports
from mail.services.receive import receive
from mail.services.recipients import recipient_of
from mail.services.return_path import address_for, token_of


def probe_bounces(world: World) -> Area:
    """Send reports on a victim's mail to inboxes elsewhere; demand that the victim stays as it is."""
    area = Area("Bounces: tokens and Message-IDs of others")
    handed = {place.name: _hand_over(place) for place in world.places}
    for place in world.places:
        area.demand(f"return path of {place.name}", _leads_home(place, handed[place.name]))
        for victim in world.places:
            if victim is not place:
                _report(area, place, victim, handed[victim.name])
    return area


def _hand_over(place: Place) -> HandOver:
    """Return a mail of the place on its way to somebody."""
    with inside(place.environment):
        rows = Message.objects.in_environment(place.environment).filter(direction="outbound")
        message = rows.select_related("inbox").order_by("pk").first()
        return HandOver.objects.in_environment(place.environment).create(
            environment=place.environment,
            inbox=message.inbox,
            message=message,
            envelope_recipient=message.to_addresses[0]["email"],
            state=HandOver.State.SENT,
        )


def _leads_home(place: Place, hand_over: HandOver) -> str:
    with inside(place.environment):
        address = address_for(hand_over, hand_over.inbox, has_return_path=False)
    found = recipient_of(address)
    where = encode("env", found.environment_id), encode("inb", found.inbox_id)
    right = (place.environment.pk, hand_over.inbox_id)
    return "" if where == right else f"leads to {where}, not to {right}"


def _report(area: Area, place: Place, victim: Place, hand_over: HandOver) -> None:
    """Put the victim's token behind the place's own address, at RCPT and, as if that had let it in, in the mail."""
    inbox = inbox_of(place)
    token = token_of(hand_over.pk)
    address = f"{inbox.username}+{token}@{inbox.domain_name}"
    area.demand(f"token of {victim.name} at {place.name}", _is_taken(address))
    before = digest_of(victim)
    message, email = hand_over.message, hand_over.envelope_recipient
    bounce = simulated_reports.bounce(message, email, address, "smtp; 550 5.1.1 User unknown")
    complaint = simulated_reports.complaint(message, email, f"bounces+{token}@bounces.{inbox.domain_name}")
    inbox.email = address
    receive([arrival(inbox, bounce), arrival(inbox, complaint)])
    area.demand(f"{victim.name} after reports in {place.name}", changed(before, digest_of(victim)))


def inbox_of(place: Place) -> Inbox:
    """Return the first inbox of a place."""
    with inside(place.environment):
        return Inbox.objects.in_environment(place.environment).order_by("pk").first()


def _is_taken(address: str) -> str:
    try:
        found = recipient_of(address)
    except Refused:
        return ""
    return f"is taken in, for {found.inbox_id}"
