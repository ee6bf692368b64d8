"""Addresses: the domains an environment may use, and its inboxes."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import Environment, EnvironmentOwned, Timestamped
from environments.sealed import SealedBytes


class Domain(EnvironmentOwned, Timestamped):
    """A domain of an environment: its own, or a subdomain of the shared one that it claimed."""

    class Kind(models.TextChoices):
        CUSTOM = "custom"
        SUBDOMAIN = "subdomain"

    class Status(models.TextChoices):
        PENDING = "pending"
        VERIFIED = "verified"
        SUSPENDED = "suspended"

    id = PrefixedIDField("dom", primary_key=True)
    name = models.CharField(max_length=253)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUSTOM)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique
    ownership_token = models.CharField(max_length=64, editable=False)
    is_trusted = models.BooleanField(default=False, help_text="An operator vouched for it; DNS is not asked.")
    catch_all = SameEnvironmentForeignKey("inboxes.Inbox", models.SET_NULL, null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    checks = models.JSONField(
        default=dict, db_default={}, blank=True, editable=False, help_text="What DNS said of each record, last time."
    )
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    failed_checks = models.SmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "name"], name="one_claim_per_environment"),
            models.UniqueConstraint(fields=["environment", "client_id"], name="one_domain_per_client_id"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(status="verified"), name="one_verified_holder_per_domain"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SigningKey(EnvironmentOwned):
    """A DKIM key of an environment's domain.

    It is ``pending`` until its public half is seen in DNS, signs while ``active``, is left in DNS while ``retiring``,
    so that mail on its way can still be verified, and without its private half once ``retired``.
    """

    class Algorithm(models.TextChoices):
        RSA = "rsa"
        ED25519 = "ed25519"

    class State(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        RETIRING = "retiring"
        RETIRED = "retired"

    PURPOSE: ClassVar = "dkim key"  # of what is sealed
    OVERLAP: ClassVar = timedelta(days=7)

    id = PrefixedIDField("sgk", primary_key=True)
    domain = SameEnvironmentForeignKey(Domain, models.CASCADE)
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=7, choices=Algorithm.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    sealed_private = SealedBytes(
        editable=False, help_text="PKCS #8, sealed; empty once it is retired.", purpose=PURPOSE
    )
    public = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    retires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "domain", "selector"], name="one_key_per_selector"),
            models.UniqueConstraint(
                fields=["environment", "domain", "algorithm"],
                condition=models.Q(state="active"),
                name="one_active_key_per_algorithm",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey"


class Inbox(EnvironmentOwned, Timestamped):
    """One address and what arrives there.

    ``domain`` is empty for an address on the shared domain itself, which is unique on the whole server; any other is
    unique in its environment, and its domain has one verified holder.
    """

    id = PrefixedIDField("inb", primary_key=True)
    email = models.CharField(max_length=320)
    display_name = models.CharField(max_length=200, blank=True, default="")
    domain = SameEnvironmentForeignKey(Domain, models.RESTRICT, null=True, blank=True)
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique
    send_paused = models.BooleanField(default=False)
    paused_by_person = models.BooleanField(default=False, db_default=False, editable=False)
    pause_reason = models.JSONField(
        null=True, blank=True, editable=False, help_text="Who paused sending, since when, and why."
    )
    hourly_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in an hour, at the most; empty for no limit."
    )
    daily_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in a day, at the most; empty for no limit."
    )
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "email"], name="one_inbox_per_address"),
            models.UniqueConstraint(fields=["environment", "client_id"], name="one_inbox_per_client_id"),
            models.UniqueConstraint(
                fields=["email"], condition=models.Q(domain=None), name="one_holder_per_shared_address"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["email"], name="inboxes_by_address"),
            models.Index(fields=["environment", "domain"], name="inboxes_of_domain"),
        ]
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return self.email

    @classmethod
    def before_erasure(cls, environment: Environment) -> None:
        """Hold every address of an environment that is about to be erased."""
        emails = cls.objects.in_environment(environment).values_list("email", flat=True)
        AddressHold.objects.bulk_create(AddressHold.of(email, environment) for email in emails)

    @property
    def username(self) -> str:
        """Return what stands before the @."""
        return self.email.rpartition("@")[0]

    @property
    def domain_name(self) -> str:
        """Return what stands after the @."""
        return self.email.rpartition("@")[2]


class FilterRule(EnvironmentOwned, Timestamped):
    """Whom an environment, or one inbox of it, takes mail from or sends mail to."""

    class Direction(models.TextChoices):
        SEND = "send"
        RECEIVE = "receive"

    class Action(models.TextChoices):
        ALLOW = "allow"
        BLOCK = "block"

    class MatchType(models.TextChoices):
        ADDRESS = "address"
        DOMAIN = "domain"
        SUBDOMAIN_WILDCARD = "subdomain_wildcard"

    id = PrefixedIDField("rul", primary_key=True)
    inbox = SameEnvironmentForeignKey(
        Inbox, models.CASCADE, null=True, blank=True, help_text="Left empty, the rule holds for the whole environment."
    )
    direction = models.CharField(max_length=7, choices=Direction.choices)
    action = models.CharField(max_length=5, choices=Action.choices)
    match_type = models.CharField(max_length=18, choices=MatchType.choices)
    value = models.CharField(max_length=320, help_text="ann@example.com, or example.com for a domain or a wildcard.")
    set_by_person = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "inbox", "direction", "match_type", "value"],
                nulls_distinct=False,
                name="one_rule_about_the_same",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "inbox", "-id"], name="rules_of_inbox"),
            models.Index(fields=["environment", "direction", "value", "inbox"], name="rules_by_value"),
            models.Index(
                fields=["environment", "direction", "inbox"],
                name="rules_that_allow",
                condition=models.Q(action="allow"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.direction} {self.match_type} {self.value}"


class Suppression(EnvironmentOwned):
    """An address that the environment sends no mail to any more, and why."""

    class Reason(models.TextChoices):
        """The last one outweighs those before it."""

        HARD_BOUNCE = "hard_bounce"
        UNSUBSCRIBED = "unsubscribed"
        MANUAL = "manual"
        COMPLAINT = "complaint"

    id = PrefixedIDField("sup", primary_key=True)
    email = models.CharField(max_length=320, help_text="In lower case.")
    reason = models.CharField(max_length=12, choices=Reason.choices, default=Reason.MANUAL)
    source = models.CharField(
        max_length=40, blank=True, default="", editable=False, help_text="The message that it came of; it may be gone."
    )
    explanation = models.CharField(max_length=500, blank=True, default="", help_text="For whoever wonders later.")
    set_by_person = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "email"], name="one_suppression_per_address")
        ]
        indexes: ClassVar = [models.Index(fields=["environment", "reason", "-id"], name="suppressions_by_reason")]

    def __str__(self) -> str:
        return self.email


class AddressHold(models.Model):
    """An address given up, not to be given to another environment before ``until``.

    It outlives its environment, so it is not owned by one; the application writes it, asks the gate
    ``address_is_held``, and lets go of what is over, but cannot read whose it is.
    """

    LENGTH = timedelta(days=30)
    application_privileges = "INSERT, SELECT (id), SELECT (until), DELETE"

    email = models.CharField(max_length=320)
    environment_id = PrefixedIDField("env")
    until = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["email"], name="holds_by_address")]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def of(cls, email: str, environment: Environment) -> "AddressHold":
        """Return a hold, not yet saved, that begins now."""
        return cls(email=email, environment_id=environment.pk, until=clock.now() + cls.LENGTH)
