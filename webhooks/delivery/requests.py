"""The POST of one delivery: the exact bytes, signed twice, and what the delivery log shows of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from environments.ids import decode
from environments.telemetry import traces
from webhooks.delivery.claims import Due
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services.events import envelope
from webhooks.services.payload import payload
from webhooks.signing import sign

USER_AGENT = "AgentPost-Webhooks/1"
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Request:
    """What is handed to the transport.

    ``shown_headers`` are the same headers for whoever may read the delivery log: what the endpoint's own say is hidden.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    shown_headers: Mapping[str, str]


def request_of(delivery: Due | WebhookDelivery, at: datetime, span: int | None = None) -> Request:
    """Return the POST of a delivery, signed at this moment.

    ``span`` is that of the attempt, where there are traces. ``delivery`` comes with its endpoint, event and environment
    loaded. The endpoint's own headers are sent too, unless they bear the name of one of ours. Raises ValueError when
    the endpoint's secret is malformed, and TypeError when the event cannot be written as JSON.
    """
    endpoint, event = delivery.endpoint, delivery.event
    body = payload(envelope(event, delivery.environment), settings.AGENTPOST_PUBLIC_URL)
    ours = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **sign(secrets_of(endpoint, at), event.pk, body, at),
    }
    if span is not None:
        ours["traceparent"] = traces.traceparent(decode("evt", event.pk), span)
    theirs = {name: value for name, value in endpoint.headers.items() if name.lower() not in ours}
    return Request(endpoint.url, body, {**theirs, **ours}, {**dict.fromkeys(theirs, HIDDEN), **ours})


def secrets_of(endpoint: WebhookEndpoint, at: datetime) -> list[str]:
    """Return the secrets that are valid at this moment, the newest first."""
    expiry = endpoint.previous_secret_expires_at
    if endpoint.previous_secret and expiry is not None and expiry > at:
        return [endpoint.secret, endpoint.previous_secret]
    return [endpoint.secret]
