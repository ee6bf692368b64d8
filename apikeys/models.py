"""Who is calling: API keys and what they may reach."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments.fields import SameOrganizationForeignKey
from environments.ids import PrefixedIDField
from environments.models import Environment, EnvironmentOwned, Member, OrganizationOwned, Timestamped


class ApiKey(OrganizationOwned, Timestamped):
    """A machine's right to an organization, or to some of its environments. The secret is kept as its SHA-256 only."""

    class Kind(models.TextChoices):
        LIVE = "live"
        DEV = "dev"

    id = PrefixedIDField("key", primary_key=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    reaches_organization = models.BooleanField(default=False)
    secret_hash = models.BinaryField(max_length=32, editable=False, unique=True)
    hint = models.CharField(max_length=24, editable=False, help_text="How the secret starts, to recognise it by.")
    previous_hash = models.BinaryField(max_length=32, editable=False, null=True, unique=True)
    previous_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    made_by = SameOrganizationForeignKey(
        "self", models.CASCADE, null=True, blank=True, editable=False, help_text="The key that made it, if one did."
    )
    hourly_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in an hour, at the most; empty for no limit."
    )
    daily_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in a day, at the most; empty for no limit."
    )

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return self.name


class ApiKeyEnvironment(OrganizationOwned):
    """One environment that a key reaches."""

    key = SameOrganizationForeignKey(ApiKey, models.CASCADE)
    environment = SameOrganizationForeignKey(Environment, models.CASCADE, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "environment"], name="one_reach_per_key")]

    def __str__(self) -> str:
        return f"{self.key_id} reaches {self.environment_id}"


class KeyWindow(OrganizationOwned):
    """How many mails a key sent in an hour or a day, in all environments that it reaches; only where it has a quota.

    Of the organization, since a key is. ``most`` is the quota when it was counted last, ``warned`` the percentage of it
    that was told of.
    """

    id = PrefixedIDField("kwn", primary_key=True)
    key = SameOrganizationForeignKey(ApiKey, models.CASCADE)
    period = models.CharField(max_length=4)
    start = models.DateTimeField()
    count = models.BigIntegerField()
    most = models.BigIntegerField()
    warned = models.SmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "key", "period", "start"], name="one_key_window")
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.period} {self.start:%Y-%m-%d %H}h: {self.count}"


class StreamTicket(OrganizationOwned):
    """The right to open one stream of one environment's events, once and soon: of a key, or of a member.

    For browsers, which can send no header with a WebSocket. ``key_hash`` is of the secret that asked, so that a ticket
    ends with it. Of the organization, since it is redeemed before an environment is known.
    """

    id = PrefixedIDField("tkt", primary_key=True)
    environment = SameOrganizationForeignKey(Environment, models.CASCADE)
    key = SameOrganizationForeignKey(ApiKey, models.CASCADE, null=True)
    key_hash = models.BinaryField(max_length=32, editable=False, null=True)
    member = SameOrganizationForeignKey(Member, models.CASCADE, null=True)
    digest = models.BinaryField(max_length=32, editable=False, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(key=None, key_hash=None, member__isnull=False)
                | models.Q(key__isnull=False, key_hash__isnull=False, member=None),
                name="ticket_of_a_key_or_a_member",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key_id or self.member_id} may listen to {self.environment_id}"


class IdempotencyRecord(EnvironmentOwned):
    """The first answer to an Idempotency-Key, kept for a day."""

    id = PrefixedIDField("idm", primary_key=True)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True)
    body = models.JSONField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "key"], name="one_answer_per_idempotency_key")
        ]

    def __str__(self) -> str:
        return self.key


class RateWindow(models.Model):
    """Calls counted in one minute, for a key or an environment. Unlogged: a crash forgives at most a minute of them."""

    unlogged = True

    subject = models.UUIDField()
    minute = models.DateTimeField()
    calls = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "minute"], name="one_window_per_subject_and_minute")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.minute:%H:%M}: {self.calls}"
