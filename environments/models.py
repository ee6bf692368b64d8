"""Who owns what: organizations, their people, their environments, and the record of what was done."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments import clock
from environments.fields import SameOrganizationForeignKey
from environments.ids import PrefixedIDField
from environments.managers import EnvironmentManager, OrganizationManager
from environments.telemetry.models import Beat  # noqa: F401 - so that Django finds it


class UserManager(DjangoUserManager["User"]):
    """Users sign in with their e-mail address."""

    def _create_user(self, email: str, password: str | None, **fields: Any) -> "User":
        user: User = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        """Create a person; without a password they cannot sign in until they set one."""
        return self._create_user(email, password, **fields)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        """Create an operator of the platform."""
        return self._create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractUser):
    """A person who signs in to the console."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()  # type: ignore[misc]

    def __str__(self) -> str:
        return self.email


class Timestamped(models.Model):
    """Rows that know when they came and when they last changed."""

    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            self.updated_at = clock.now()
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "updated_at"}
        super().save(**options)


class Organization(Timestamped):
    """A tenant: it owns environments, members and keys. It always has exactly one default environment."""

    id = PrefixedIDField("org", primary_key=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)

    def __str__(self) -> str:
        return self.name


class OrganizationOwned(models.Model):
    """A row of one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)

    everywhere = models.Manager()
    objects = OrganizationManager()

    class Meta:
        abstract = True


class Member(OrganizationOwned, Timestamped):
    """A Django user's place in an organization."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"

    id = PrefixedIDField("mem", primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_place_per_user"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(role="owner"), name="one_owner_per_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def reaches_every_environment(self) -> bool:
        """Return whether this member needs no membership to reach an environment."""
        return self.role in {self.Role.OWNER, self.Role.ADMIN}


class Invitation(OrganizationOwned, Timestamped):
    """A place offered to an e-mail address; the token in the link is stored hashed."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REVOKED = "revoked"
        EXPIRED = "expired"

    id = PrefixedIDField("inv", primary_key=True)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Member.Role.choices, default=Member.Role.MEMBER)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    token_hash = models.BinaryField(max_length=32, editable=False, unique=True)
    invited_by = models.CharField(max_length=100, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(status="pending"),
                name="one_pending_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.status_now})"

    @property
    def status_now(self) -> str:
        """Return the status; what has run out is expired, written down or not."""
        has_run_out = self.status == self.Status.PENDING and self.expires_at <= clock.now()
        return self.Status.EXPIRED if has_run_out else self.status


class Environment(OrganizationOwned, Timestamped):
    """The wall and the muzzle: everything below it is seen from nowhere else, and mails nobody outside unless live."""

    class DeliveryMode(models.TextChoices):
        CAPTURE = "capture"
        ALLOWLIST = "allowlist"
        REDIRECT = "redirect"
        LIVE = "live"

    class AuthenticationPolicy(models.TextChoices):
        """What becomes of mail that fails DMARC."""

        ACCEPT = "accept"
        QUARANTINE = "quarantine"
        REJECT = "reject"

    class ContentPolicy(models.TextChoices):
        """What becomes of mail in which something hostile was found."""

        FLAG = "flag"
        QUARANTINE = "quarantine"

    id = PrefixedIDField("env", primary_key=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63)
    description = models.TextField(blank=True, default="")
    is_default = models.BooleanField(default=False, editable=False)
    delivery_mode = models.CharField(max_length=10, choices=DeliveryMode.choices, default=DeliveryMode.CAPTURE)
    is_locked = models.BooleanField(default=False, help_text="A locked environment can never go live.")
    outbound_paused = models.BooleanField(default=False)
    inbound_paused = models.BooleanField(default=False)
    webhooks_paused = models.BooleanField(default=False)
    pauses_by_people = ArrayField(models.CharField(max_length=10), default=list, blank=True, editable=False)
    pause_reasons = models.JSONField(
        default=dict, db_default={}, blank=True, editable=False, help_text="Who paused what, since when, and why."
    )
    authentication_policy = models.CharField(
        max_length=10,
        choices=AuthenticationPolicy.choices,
        default=AuthenticationPolicy.QUARANTINE,
        db_default=AuthenticationPolicy.QUARANTINE,
        help_text="What becomes of incoming mail that fails DMARC.",
    )
    content_policy = models.CharField(
        max_length=10,
        choices=ContentPolicy.choices,
        default=ContentPolicy.FLAG,
        db_default=ContentPolicy.FLAG,
        help_text="What becomes of incoming mail with hostile content.",
    )
    storage_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Bytes of mail kept, at the most; empty for no limit."
    )
    allowlist = ArrayField(
        models.CharField(max_length=320),
        default=list,
        blank=True,
        db_default=[],
        editable=False,
        help_text="Addresses and domains that mail may leave to in the mode allowlist, in lower case.",
    )
    redirect_address = models.CharField(
        max_length=320,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Where all mail goes in the mode redirect.",
    )
    hourly_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in an hour, at the most; empty for no limit."
    )
    daily_sending_quota = models.BigIntegerField(
        null=True, blank=True, help_text="Mails sent in a day, at the most; empty for no limit."
    )
    quota_warning_percent = models.SmallIntegerField(
        default=80, db_default=80, help_text="At how much of a quota quota.reached is told first."
    )
    recipient_domain_hourly_limit = models.BigIntegerField(
        null=True, blank=True, help_text="Mails to one domain in an hour, at the most; empty for no limit."
    )
    repetition_limit = models.SmallIntegerField(
        null=True,
        blank=True,
        default=20,
        db_default=20,
        help_text="Mails of nearly the same content to one recipient in an hour, before sending is paused.",
    )
    deliverability_floor = models.SmallIntegerField(
        null=True,
        blank=True,
        default=50,
        db_default=50,
        help_text="The deliverability score below which sending is paused; empty for never.",
    )
    deliverability_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="What lies before this moment brakes the environment no more."
    )
    event_retention_days = models.SmallIntegerField(
        default=30, db_default=30, help_text="How many days an event stays in the log."
    )
    message_retention_days = models.SmallIntegerField(
        null=True, blank=True, help_text="How many days mail is kept; empty for ever."
    )
    metadata = models.JSONField(default=dict, blank=True)
    client_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - absent is not empty: it is unique

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "slug"], name="one_slug_per_organization"),
            models.UniqueConstraint(fields=["organization", "client_id"], name="one_environment_per_client_id"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="one_default_per_organization"
            ),
            models.CheckConstraint(
                condition=models.Q(is_locked=False) | ~models.Q(delivery_mode="live"), name="locked_is_never_live"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_live(self) -> bool:
        """Return whether mail may leave to anybody."""
        return self.delivery_mode == self.DeliveryMode.LIVE


class EnvironmentMembership(OrganizationOwned, Timestamped):
    """A member's right to one environment. Of the organization, since it is read before an environment is chosen."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        MEMBER = "member"

    environment = SameOrganizationForeignKey(Environment, models.CASCADE)
    member = SameOrganizationForeignKey(Member, models.CASCADE, db_index=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "member"], name="one_membership_per_member")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.environment_id}"


class EnvironmentOwned(models.Model):
    """A row of one environment, for ever: behind both walls."""

    environment = models.ForeignKey(Environment, models.DO_NOTHING, related_name="+", db_index=False)

    everywhere = models.Manager()
    objects = EnvironmentManager()

    class Meta:
        abstract = True

    @classmethod
    def before_erasure(cls, environment: Environment) -> None:
        """Do what must be done before all rows of an environment go; the transaction is bound to it."""


class AuditEntry(OrganizationOwned):
    """What was done, by whom, on what. Append-only, each entry holding the hash of the one before it."""

    application_privileges = "SELECT, INSERT"

    id = PrefixedIDField("aud", primary_key=True)
    sequence = models.BigIntegerField()
    environment_id = PrefixedIDField("env", null=True)  # no foreign key: the record outlives what it tells of
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=100, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    action = models.CharField(max_length=60)
    target_id = models.CharField(max_length=100)
    address = models.GenericIPAddressField(null=True)
    reason = models.TextField(blank=True, default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="one_chain_per_organization")
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="audit_newest_first"),
            models.Index(fields=["organization", "environment_id", "-id"], name="audit_of_environment"),
            models.Index(fields=["organization", "action", "-id"], name="audit_by_action"),
            models.Index(fields=["organization", "target_id", "-id"], name="audit_by_target"),
            models.Index(fields=["organization", "actor_name", "-id"], name="audit_by_actor"),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.target_id}"


class UsageHour(EnvironmentOwned):
    """What an environment used in one hour.

    Each process counts in one of 64 slots, so that two of them seldom wait for one another's row; a reader adds the
    slots up.
    """

    COUNTERS: ClassVar[tuple[str, ...]] = (
        "messages_in",
        "messages_out",
        "messages_captured",
        "messages_sent",
        "messages_delivered",
        "messages_bounced",
        "messages_complained",
        "bytes_stored",
        "webhook_deliveries",
        "api_calls",
    )

    id = PrefixedIDField("use", primary_key=True)
    hour = models.DateTimeField()
    slot = models.SmallIntegerField()
    messages_in = models.BigIntegerField(default=0)
    messages_out = models.BigIntegerField(default=0)
    messages_captured = models.BigIntegerField(default=0)
    messages_sent = models.BigIntegerField(default=0, db_default=0)
    messages_delivered = models.BigIntegerField(default=0, db_default=0)
    messages_bounced = models.BigIntegerField(default=0)
    messages_complained = models.BigIntegerField(default=0, db_default=0)
    bytes_stored = models.BigIntegerField(default=0)
    webhook_deliveries = models.BigIntegerField(default=0)
    api_calls = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "hour", "slot"], name="one_row_per_hour_and_slot")
        ]

    def __str__(self) -> str:
        return f"{self.environment_id} {self.hour:%Y-%m-%d %H}h"


class Export(EnvironmentOwned):
    """An archive of all that an environment held at one moment, made by the worker; it goes after a week."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        FAILED = "failed"
        EXPIRED = "expired"

    UNFINISHED: ClassVar = (State.WAITING, State.RUNNING)

    id = PrefixedIDField("exp", primary_key=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    requested_by = models.CharField(max_length=254, blank=True, default="")
    manifest = models.JSONField(default=dict, blank=True, help_text="What is in it.")
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    error = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_export_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"export of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def object_key(self) -> str:
        """Return where the archive lies in the object store: in the environment's folder, so that it goes with it."""
        return f"{self.environment_id}/exports/{self.id}.zip"
