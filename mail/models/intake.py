"""The intake ledger: what came to the door, and what became of it."""

from typing import ClassVar

from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from inboxes.models import Inbox
from mail.models.messages import Message


class Intake(models.Model):
    """What a peer wanted for one recipient, and what became of it: a line of the intake ledger."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        QUARANTINED = "quarantined"
        REFUSED = "refused"
        DEFERRED = "deferred"

    class Stage(models.TextChoices):
        """How far the transaction came."""

        MAIL = "mail"
        RCPT = "rcpt"
        DATA = "data"
        POLICY = "policy"
        STORE = "store"

    peer = models.GenericIPAddressField(null=True)
    helo = models.CharField(max_length=255, blank=True, default="")
    tls = models.BooleanField(default=False)
    envelope_sender = models.CharField(max_length=320, blank=True, default="")
    recipient = models.CharField(max_length=320, blank=True, default="", help_text="As given in RCPT, in lower case.")
    size = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=11, choices=Outcome.choices)
    stage = models.CharField(max_length=6, choices=Stage.choices)
    reason = models.CharField(max_length=40)
    explanation = models.TextField(blank=True, default="")
    reply = models.TextField(blank=True, default="")
    count = models.BigIntegerField(default=1, help_text="How many times the same was refused in about a minute.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.outcome} {self.recipient}"


class IntakeEntry(Intake, EnvironmentOwned):
    """A line of the ledger that is one environment's: the mail was for its inbox, or for an address at its domain."""

    id = PrefixedIDField("itk", primary_key=True)
    transaction_id = models.UUIDField(help_text="The same for the recipients of one mail within the environment.")
    mailbox = models.CharField(max_length=320, blank=True, default="", help_text="The recipient without its plus tag.")
    inbox = SameEnvironmentForeignKey(Inbox, models.SET_NULL, null=True)
    message = SameEnvironmentForeignKey(Message, models.SET_NULL, null=True)
    from_email = models.CharField(max_length=320, blank=True, default="")
    message_id_header = models.TextField(blank=True, default="")
    rule_id = models.CharField(max_length=40, blank=True, default="", help_text="It may be deleted by now.")
    verdicts = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "mailbox", "-id"], name="intake_by_recipient"),
            models.Index(fields=["environment", "envelope_sender", "-id"], name="intake_by_envelope_sender"),
            models.Index(fields=["environment", "from_email", "-id"], name="intake_by_author"),
            models.Index(fields=["environment", "inbox", "-id"], name="intake_of_inbox"),
            models.Index(fields=["environment", "message"], name="intake_of_message"),
            models.Index(
                fields=["environment", "outcome", "-id"],
                condition=~models.Q(outcome="accepted"),
                name="intake_not_accepted",
            ),
        ]
        verbose_name_plural = "intake entries"


class StrayIntake(Intake):
    """A line of the ledger that is nobody's: the address was foreign, or a free one on the shared domain.

    It belongs to the platform; operators alone read it.
    """

    application_privileges = "SELECT, INSERT, UPDATE (count), DELETE"

    id = PrefixedIDField("sit", primary_key=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["recipient", "-id"], name="strays_by_recipient")]
        verbose_name_plural = "stray intakes"
