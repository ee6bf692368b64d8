"""What a draft is, once it was sent: it follows its message until that has left."""

from django.db.models import F

from environments import clock
from environments.models import Environment
from mail.models import NEVER_LEFT, UNFINISHED, Draft, Message


def state_of(status: str) -> str:
    """Return the state of a draft whose message has this status."""
    if status in UNFINISHED:
        return Draft.State.SENDING
    return Draft.State.FAILED if status in NEVER_LEFT else Draft.State.SENT


def follow(environment: Environment, message: Message) -> None:
    """Bring the draft that a message was sent from, if there is one, to what became of the message."""
    rows = Draft.objects.in_environment(environment).filter(message=message, state=Draft.State.SENDING)
    rows.update(state=state_of(message.status), revision=F("revision") + 1, updated_at=clock.now())
