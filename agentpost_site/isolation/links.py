"""Signed links: good for one attachment, one upload or one recipient of one environment, and for nothing else."""

from http import HTTPStatus

from agentpost_site.isolation.exchange import Caller, Request, client_with, compare
from agentpost_site.isolation.findings import Area
from agentpost_site.isolation.world import Place, World
from environments.binding import inside
from inboxes.models import Inbox
from mail.models import Attachment, Upload
from mail.services import links, uploads
from mail.services.unsubscribe import token_for

REACHED = HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY


def probe_links(world: World) -> Area:
    """Put tokens and attachments of two places together; nothing but a place's own pair opens anything."""
    area = Area("API: download links")
    ours, anybody = world.ours, Caller("link of ours", world.ours, [world.theirs, world.stranger], client_with())
    missing = world.missing[Attachment]
    for victim in (world.theirs, world.stranger):
        for attachment in victim.ids(Attachment):
            compare(area, anybody, "(our token)", _link(attachment, _token(ours)), _link(missing, _token(ours)))
        own, theirs = ours.ids(Attachment)[0], _token(victim)
        compare(area, anybody, "(their token)", _link(own, theirs), _link(missing, theirs))
        forged = theirs.replace(victim.environment.pk, ours.environment.pk)
        compare(area, anybody, "(forged token)", _link(victim.ids(Attachment)[0], forged), _link(missing, forged))
        for upload in victim.ids(Upload):
            there, nowhere = _upload(upload, ours), _upload(world.missing[Upload], ours)
            compare(area, anybody, "(our upload's token)", there, nowhere)
    _control(area, anybody, ours)
    return area


def _control(area: Area, anybody: Caller, place: Place) -> None:
    status = anybody.ask(_link(place.ids(Attachment)[0], _token(place))).status
    area.demand("own link", "" if status == HTTPStatus.OK else f"status {status}")
    for what, request in (
        ("own upload", _upload(place.ids(Upload)[0], place)),
        ("own link to unsubscribe", _unsubscribing(place)),
    ):
        status = anybody.ask(request).status
        area.demand(what, "" if status < HTTPStatus.BAD_REQUEST or status in REACHED else f"status {status}")


def _token(place: Place) -> str:
    """Return a token for the place's first attachment."""
    with inside(place.environment):
        attachment = Attachment.objects.in_environment(place.environment).order_by("pk").first()
    return links.sign(attachment)[0]


def _link(attachment: str, token: str) -> Request:
    path = f"/api/v1/attachments/{attachment}/download"
    return Request("GET", path, query=(("token", token),), asked=(attachment, token))


def _upload(upload: str, place: Place) -> Request:
    """Return the request to put the bytes of an upload again, with the token of the place's first."""
    with inside(place.environment):
        first = Upload.objects.in_environment(place.environment).order_by("pk").first()
    signed = f"{place.environment.pk}.{first.pk}.{first.size}"
    token = uploads.SIGNER.sign(signed).replace(":", "~")
    return Request("PUT", f"/api/v1/uploads/{upload}", query=(("token", token),), body={}, asked=(upload, token))


def _unsubscribing(place: Place) -> Request:
    with inside(place.environment):
        inbox = Inbox.objects.in_environment(place.environment).order_by("pk").first()
    return Request("GET", f"/api/v1/unsubscribe/{token_for(inbox, 'somebody@example.com')}")
