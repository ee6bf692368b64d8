"""Mail that has left: what reports on it are about."""

from dataclasses import dataclass
from typing import Any

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment, UsageHour
from inboxes.models import Inbox, Suppression
from mail.models import HandOver, Message, MessageRecipient, Step
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.send import send
from mail.services.simulators import is_simulator
from webhooks.models import Event


@dataclass
class Sent:
    """A message that was handed over to each of its recipients."""

    environment: Environment
    inbox: Inbox
    message: Message
    hand_overs: dict[str, HandOver]

    def rows(self, model: Any) -> list[Any]:
        with inside(self.environment):
            return list(model.objects.in_environment(self.environment).order_by("pk"))

    @property
    def statuses(self) -> dict[str, str]:
        rows = self.rows(MessageRecipient)
        return {row.email: row.status for row in rows if row.message_id == self.message.pk}

    @property
    def events(self) -> list[str]:
        """The types of the events since it left."""
        return [event.type for event in self.rows(Event) if event.type not in {"inbox.created", "message.captured"}]

    @property
    def suppressions(self) -> dict[str, str]:
        return {row.email: row.reason for row in self.rows(Suppression)}

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [
            (row.email, row.status, row.reason) for row in self.rows(Step) if row.status not in {"captured", "queued"}
        ]

    def counted(self, name: str) -> int:
        return sum(getattr(row, name) for row in self.rows(UsageHour))


def sent(environment: Environment, inbox: Inbox, *to: str, envelope: str = "") -> Sent:
    """Send a mail as if the environment let it out; ``envelope`` is where it was redirected to."""
    with inside(environment):
        message = send(
            environment,
            inbox,
            Outgoing([Address(email) for email in to], subject="Offer", text_body="Hi"),
            actor=SYSTEM,
        )
        hand_overs = {}
        rows = MessageRecipient.objects.in_environment(environment).filter(message=message)
        if all(is_simulator(email) for email in to):
            played = {row.email: row.hand_over for row in rows.select_related("hand_over")}
            return Sent(environment, inbox, message, played)
        for email in to:
            hand_overs[email] = HandOver.objects.in_environment(environment).create(
                environment=environment,
                inbox=inbox,
                message=message,
                envelope_recipient=envelope or email,
                state=HandOver.State.SENT,
            )
            rows.filter(email=email).update(status="sent", hand_over=hand_overs[email])
        Message.objects.in_environment(environment).filter(pk=message.pk).update(status="sent")
        message.status = "sent"
    return Sent(environment, inbox, message, hand_overs)
