"""How a message leaves: what is handed over to a transport, and what was decided and seen on the way."""

from typing import ClassVar

from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from environments.triggers import Trigger
from inboxes.models import Inbox
from mail.models.messages import Message

# The muzzle, held by PostgreSQL: whatever the program does, a row that may leave is one that the environment's delivery
# mode lets out. A row that waits may not leave, so it may wait in any mode.
THE_MUZZLE = Trigger(
    name="the_muzzle",
    when="BEFORE INSERT OR UPDATE OF state, envelope_recipient, environment_id",
    body=r"""
    DECLARE
        mode text;
        allowed text[];
        redirected text;
    BEGIN
        IF NEW.state NOT IN ('queued', 'sending') THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.state = 'sending' AND NEW.state = 'queued'
           AND (OLD.environment_id, OLD.envelope_recipient) = (NEW.environment_id, NEW.envelope_recipient)
        THEN
            RETURN NEW;  -- back in the line: it must pass here again before it leaves
        END IF;
        SELECT e.delivery_mode, e.allowlist, e.redirect_address INTO mode, allowed, redirected
          FROM environments_environment e WHERE e.id = NEW.environment_id;
        IF mode = 'live'
           OR (mode = 'allowlist' AND (NEW.envelope_recipient = ANY (allowed)
                                       OR (NEW.envelope_recipient ~ '^[^@%!:"\\[:space:]]+@[^@]+$'
                                           AND split_part(NEW.envelope_recipient, '@', 2) = ANY (allowed))))
           OR (mode = 'redirect' AND redirected <> '' AND NEW.envelope_recipient = redirected)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'delivery mode % lets no mail out to this recipient', coalesce(mode, 'unknown')
              USING ERRCODE = 'check_violation', CONSTRAINT = 'the_muzzle';
    END
    """,
)


class HandOver(EnvironmentOwned):
    """One mail to one address on its way to a transport.

    It ``waits`` while it is scheduled, paused or held up, is ``queued`` once it may leave, and ``sending`` from just
    before its bytes go out. ``next_attempt_at`` is empty when it is done. A claim moves it ahead by a lease and signs
    with ``claim``; who has not got the claim any more records nothing.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        WITHHELD = "withheld"

    id = PrefixedIDField("hov", primary_key=True)
    inbox = SameEnvironmentForeignKey(Inbox, models.CASCADE)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    envelope_recipient = models.CharField(max_length=320)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    transport = models.CharField(max_length=40, blank=True, default="", help_text="What took it, or was tried last.")
    provider_id = models.CharField(max_length=255, blank=True, default="", help_text="What a provider calls it.")
    last_reply = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    triggers: ClassVar = [THE_MUZZLE]

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "message"], name="hand_overs_of_message"),
            models.Index(
                fields=["environment", "next_attempt_at", "id"],
                name="hand_overs_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["environment", "next_attempt_at"],
                name="hand_overs_under_way",
                condition=models.Q(claim__isnull=False),
            ),
            models.Index(fields=["environment", "provider_id"], name="hand_overs_by_provider_id"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.envelope_recipient}"


class Step(EnvironmentOwned):
    """Something that was decided about an outgoing message, or happened to it, and why: a line of its timeline."""

    id = PrefixedIDField("stp", primary_key=True)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    email = models.CharField(max_length=320, blank=True, default="", help_text="The recipient; empty for all of them.")
    status = models.CharField(max_length=11, choices=Message.Status.choices)
    reason = models.CharField(max_length=40)
    explanation = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["environment", "message", "id"], name="steps_of_message")]

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"
