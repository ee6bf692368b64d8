"""What was sent lately, as far as quotas and brakes must know."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from inboxes.models import Inbox


class SendingWindow(EnvironmentOwned):
    """How many mails left an environment, an inbox, or for a recipient's domain, in an hour or a day of UTC.

    There is one only where there is a limit. ``most`` is the limit when it was counted last, ``warned`` the percentage
    of it that was told of.
    """

    class Kind(models.TextChoices):
        DOMAIN = "domain"
        ENVIRONMENT = "environment"
        INBOX = "inbox"

    class Period(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    id = PrefixedIDField("swn", primary_key=True)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    subject = models.CharField(max_length=253, help_text="The id of the environment or inbox, or the domain.")
    period = models.CharField(max_length=4, choices=Period.choices)
    start = models.DateTimeField()
    count = models.BigIntegerField()
    most = models.BigIntegerField()
    warned = models.SmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "kind", "subject", "period", "start"], name="one_sending_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.period} {self.start:%Y-%m-%d %H}h: {self.count}"


class RecipientHour(EnvironmentOwned):
    """Fingerprints of what an inbox sent to one recipient in an hour, oldest first: what the runaway brake looks at."""

    id = PrefixedIDField("rch", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    recipient = models.CharField(max_length=320)
    hour = models.DateTimeField()
    fingerprints = ArrayField(models.BigIntegerField())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "inbox", "recipient", "hour"], name="one_recipient_hour_per_inbox"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recipient} {self.hour:%Y-%m-%d %H}h: {len(self.fingerprints)}"
