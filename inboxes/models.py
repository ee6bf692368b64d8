"""Addresses: the domains an environment may use, and its inboxes."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import Environment, EnvironmentOwned, Timestamped


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


class AddressHold(models.Model):
    """An address given up, not to be given to another environment before ``until``.

    It outlives its environment, so it is not owned by one; the application writes it and asks the gate
    ``address_is_held``, but cannot read it.
    """

    LENGTH = timedelta(days=30)
    application_privileges = "INSERT, SELECT (id)"

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
