"""How long an environment keeps mail, and what goes when that time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import first_at
from environments.models import Environment
from environments.services.audit import record
from mail.models import UNFINISHED, Draft, Message
from mail.services.deletion import delete_messages
from mail.services.drafts.writing import delete_drafts

BATCH = 200  # messages, or drafts, of a transaction: mail that comes into their threads waits for its end
STILL_WANTED = (Draft.State.PENDING_APPROVAL, Draft.State.APPROVED, Draft.State.SCHEDULED, Draft.State.SENDING)


@dataclass
class Forgetting:
    """A run through one environment, a batch at a time; how much it has deleted so far.

    A message goes when it came, or was made, longer ago than the environment keeps mail, and nothing has become of it
    for as long: it was not sent, bounced or let out of quarantine since. A draft goes when nobody changed it for as
    long, and the message that it was sent as is gone. What is still to leave, waits for a decision or is in quarantine
    stays.
    """

    environment: Environment
    messages: int = 0
    drafts: int = 0

    def step(self) -> bool:
        """Delete a batch; return whether there may be more. The end of a run is on record, if it deleted anything.

        How long mail is kept is looked up each time: who changes it in the middle of a run is heard.
        """
        days = self._days()
        may_go_on = days is not None and self._delete(clock.now() - timedelta(days=days))
        if not may_go_on:
            self.conclude()
        return may_go_on

    def conclude(self) -> None:
        """Put on record what was deleted, if anything was."""
        if not (self.messages or self.drafts):
            return
        here, after = self.environment, {"messages": self.messages, "drafts": self.drafts}
        with inside(here):
            record(here.organization_id, SYSTEM, "environment.mail_forgotten", here.pk, environment=here, after=after)

    def _days(self) -> int | None:
        rows = Environment.objects.in_organization(self.environment.organization_id).filter(pk=self.environment.pk)
        return rows.values_list("message_retention_days", flat=True).first()

    def _delete(self, until: datetime) -> bool:
        """Delete a batch of what was made, and changed last, before this moment; return whether one was full."""
        here = self.environment
        with inside(here):
            rows = old_messages(here, until)
            message_ids = _first_of(rows)
            messages = delete_messages(here, rows.filter(pk__in=message_ids))  # what changed meanwhile stays
        self.messages += messages
        with inside(here):  # a transaction of its own: who sends a draft locks the draft first
            rows_of_drafts = old_drafts(here, until)
            draft_ids = _first_of(rows_of_drafts)
            drafts = delete_drafts(here, rows_of_drafts.filter(pk__in=draft_ids))
        self.drafts += drafts
        return BATCH in (len(message_ids), len(draft_ids))


def _first_of(rows: QuerySet[Any]) -> list[str]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def old_messages(environment: Environment, until: datetime) -> QuerySet[Message]:
    """Return the messages that are kept no longer."""
    rows = Message.objects.in_environment(environment).exclude(status=Message.Status.QUARANTINED)
    return rows.exclude(status__in=UNFINISHED).filter(pk__lt=first_at("msg", until), updated_at__lt=until)


def old_drafts(environment: Environment, until: datetime) -> QuerySet[Draft]:
    """Return the drafts that are kept no longer."""
    rows = Draft.objects.in_environment(environment).exclude(state__in=STILL_WANTED)
    return rows.filter(pk__lt=first_at("drf", until), updated_at__lt=until, message=None)
