"""The event log and everyone who listens to it."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned, Timestamped

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


class Event(EnvironmentOwned):
    """Something that happened, written in the transaction in which it happened.

    ``transaction`` is that transaction's number. Readers take only events below the oldest transaction still open
    (``pg_snapshot_xmin``), in ``(transaction, id)`` order, so that one that commits late is never skipped.
    """

    id = PrefixedIDField("evt", primary_key=True)
    type = models.CharField(max_length=40, choices=[(name, name) for name in EVENT_TYPES])
    inbox_id = PrefixedIDField("inb", null=True)  # no foreign key: inbox.deleted outlives its inbox
    data = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    transaction = models.BigIntegerField(db_default=RawSQL("(pg_current_xact_id()::text::bigint)", []), editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["environment", "transaction", "id"], name="events_in_commit_order")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class WebhookEndpoint(EnvironmentOwned, Timestamped):
    """A URL that is told of events."""

    id = PrefixedIDField("whe", primary_key=True)
    url = models.URLField(max_length=2048)
    events = ArrayField(models.CharField(max_length=40), help_text="Event types; * and message.* are accepted.")
    description = models.TextField(blank=True, default="")
    inbox_ids = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique
    secret = models.CharField(max_length=200, editable=False)
    previous_secret = models.CharField(max_length=200, blank=True, default="", editable=False)
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
    next_attempt_at = models.DateTimeField(null=True, default=clock.now, help_text="A claim moves it past its lease.")
    created_at = models.DateTimeField(default=clock.now)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_per_event_and_endpoint")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["environment", "next_attempt_at"],
                name="deliveries_waiting",
                condition=models.Q(state="pending"),
            ),
            models.Index(fields=["environment", "endpoint", "-id"], name="deliveries_of_endpoint"),
            models.Index(fields=["event"], name="deliveries_of_event"),
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
            "status": self.status,
            "error": self.error or None,
            "duration_ms": self.duration_ms,
            "response_body": self.response_body,
        }
