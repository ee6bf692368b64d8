"""The event log and everyone who listens to it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned, Timestamped
from environments.sealed import SealedJSON, SealedText

EVENT_TYPES = (
    "message.received",
    "message.quarantined",
    "message.sent",
    "message.delivered",
    "message.bounced",
    "message.complained",
    "message.rejected",
    "message.captured",
    "draft.submitted",
    "draft.approved",
    "draft.rejected",
    "domain.verified",
    "domain.unverified",
    "inbox.created",
    "inbox.deleted",
    "webhook_endpoint.disabled",
    "api_key.created",
    "api_key.revoked",
    "environment.paused",
    "environment.resumed",
    "quota.reached",
)


def types_asked_for(asked: Iterable[str]) -> list[str]:
    """Return the plain event types behind names that may be families such as ``message.*``, or ``*``."""
    wanted = set(asked)
    return [name for name in EVENT_TYPES if wanted & {"*", name, name.partition(".")[0] + ".*"}]


EVENT_NUMBERS = "webhooks_event_numbers"  # a sequence
NEXT_NUMBER = RawSQL(f"nextval('{EVENT_NUMBERS}')", [])  # noqa: S611 - all of it is ours


class Event(EnvironmentOwned):
    """Something that happened, written in the transaction in which it happened.

    ``number`` is its place in the log. Events commit in another order than they are numbered in, so readers take only
    what lies below every transaction of the environment that is still publishing: see ``webhooks.services.log``.
    """

    id = PrefixedIDField("evt", primary_key=True)
    type = models.CharField(max_length=40, choices=[(name, name) for name in EVENT_TYPES])
    inbox_id = PrefixedIDField("inb", null=True)  # no foreign key: inbox.deleted outlives its inbox
    data = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    number = models.BigIntegerField(db_default=NEXT_NUMBER, editable=False)
    is_test = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Made to try one endpoint; not in the log."
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "number"], name="events_by_number"),
            models.Index(fields=["environment", "type", "-id"], name="events_by_type"),
            models.Index(fields=["environment", "inbox_id", "-id"], name="events_of_inbox"),
            models.Index(fields=["environment", "id"], name="events_of_tests", condition=models.Q(is_test=True)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class WebhookEndpoint(EnvironmentOwned, Timestamped):
    """A URL that is told of events."""

    id = PrefixedIDField("whe", primary_key=True)
    url = models.URLField(max_length=2048)
    events = ArrayField(models.CharField(max_length=40), help_text="Event types; * and message.* are accepted.")
    description = models.TextField(blank=True, default="")
    inbox_ids = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    headers = SealedJSON(default=dict, blank=True, purpose="webhook headers")
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique
    secret = SealedText(max_length=200, editable=False, purpose="webhook secret")
    previous_secret = SealedText(
        max_length=200, blank=True, default="", editable=False, purpose="previous webhook secret"
    )
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    consecutive_failures = models.IntegerField(default=0, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "client_id"], name="one_endpoint_per_client_id")
        ]

    def __str__(self) -> str:
        return self.url

    def wants(self, event_type: str, inbox_id: str | None) -> bool:
        """Return whether this endpoint asked for events of this type and inbox."""
        family = event_type.partition(".")[0] + ".*"
        if not {"*", family, event_type}.intersection(self.events):
            return False
        return not self.inbox_ids or inbox_id in self.inbox_ids


LEASE = timedelta(seconds=60)  # of a claim


class WebhookDelivery(EnvironmentOwned):
    """One event on its way to one endpoint."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = PrefixedIDField("whd", primary_key=True)
    endpoint = SameEnvironmentForeignKey(WebhookEndpoint, models.CASCADE)
    event = SameEnvironmentForeignKey(Event, models.CASCADE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.SmallIntegerField(default=0)
    attempts_before = models.SmallIntegerField(
        default=0, db_default=0, editable=False, help_text="Attempts made before it was last asked to be sent again."
    )
    next_attempt_at = models.DateTimeField(null=True, default=clock.now, help_text="A claim moves it past its lease.")
    created_at = models.DateTimeField(default=clock.now)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "event", "endpoint"], name="one_delivery_of_event_to_endpoint"
            ),
            # The release before names these two in its ON CONFLICT: to be dropped a release later, not sooner.
            models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_per_event_and_endpoint"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["environment", "next_attempt_at"],
                name="deliveries_waiting",
                condition=models.Q(state="pending"),
            ),
            models.Index(fields=["environment", "endpoint", "-id"], name="deliveries_of_endpoint"),
            models.Index(fields=["environment", "-id"], name="deliveries_failed", condition=models.Q(state="failed")),
        ]
        verbose_name_plural = "webhook deliveries"

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.state}"


class DeliveryAttempt(EnvironmentOwned):
    """One POST of a delivery, and what came back."""

    id = PrefixedIDField("wha", primary_key=True)
    delivery = SameEnvironmentForeignKey(WebhookDelivery, models.CASCADE)
    number = models.SmallIntegerField()
    at = models.DateTimeField(default=clock.now)
    request_url = models.CharField(max_length=2048, blank=True, default="", db_default="")
    request_headers = models.JSONField(default=dict, db_default={}, blank=True)
    status = models.SmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True, default="")
    duration_ms = models.IntegerField()
    response_body = models.TextField(blank=True, default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["environment", "delivery", "number"], name="attempts_of_delivery")]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}: {self.status or self.error}"

    def as_json(self) -> dict[str, Any]:
        """Return the attempt as the API shows it inside its delivery."""
        return {
            "attempted_at": clock.written(self.at),
            "request": self.request_json(),
            "status": self.status,
            "error": self.error or None,
            "duration_ms": self.duration_ms,
            "response_body": self.response_body,
        }

    def request_json(self) -> dict[str, Any] | None:
        """Return what was sent, without its body, which the delivery shows; None where nothing could be built."""
        if not self.request_url:
            return None
        return {"method": "POST", "url": self.request_url, "headers": self.request_headers}
