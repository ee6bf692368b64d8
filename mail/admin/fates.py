"""What became of outgoing mail at each recipient, as it was written down: nothing is decided anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from environments.models import Environment
from mail.models import Message, MessageRecipient, Step

LEADS: Mapping[str, str] = {  # by the reason of the decision
    "capture": "Would have gone to",
    "not_on_allowlist": "Would have gone to",
    "redirect": "Meant for",
    "allowlist": "For",
    "filter_rule": "Not sent to",
    "suppressed": "Not sent to",
    "simulated": "Played for",
}
TOLD_IN_LISTS = ("capture", "not_on_allowlist", "redirect")
MOST_IN_A_LIST = 500  # decisions that one page of a list reads
NAMED = 3  # recipients in a line


@dataclass(frozen=True)
class Fate:
    """A recipient, what was decided, and how it stands now."""

    email: str
    kind: str
    status: str
    lead: str
    decision: str
    latest: str


def fates(environment: Environment, message: Message) -> list[Fate]:
    """Return what became of an outgoing message at each recipient, in their order."""
    recipients = MessageRecipient.objects.in_environment(environment).filter(message=message).order_by("pk")
    steps = Step.objects.in_environment(environment).filter(message=message, reason__in=LEADS).order_by("-pk")
    decided = {step.email: step for step in steps}  # the first for each address stays
    return [_fate(row, decided.get(row.email)) for row in recipients]


def _fate(row: MessageRecipient, step: Step | None) -> Fate:
    reason = step.reason if step else row.reason
    decision = step.explanation if step else row.explanation
    latest = row.explanation if row.explanation != decision else ""
    return Fate(row.email, row.kind, row.status, LEADS.get(reason, "To"), decision, latest)


def in_lines(environment: Environment, messages: Sequence[Message]) -> dict[str, str]:
    """Return a sentence for each of these messages that the delivery mode kept, or sent elsewhere, by id."""
    outgoing = [message.pk for message in messages if message.direction == Message.Direction.OUTBOUND]
    if not outgoing:
        return {}
    steps = Step.objects.in_environment(environment).filter(message__in=outgoing, reason__in=TOLD_IN_LISTS)
    told: dict[str, dict[str, list[str]]] = {}
    for message_id, reason, explanation, email in steps.order_by("pk").values_list(
        "message_id", "reason", "explanation", "email"
    )[:MOST_IN_A_LIST]:
        told.setdefault(message_id, {}).setdefault(f"{reason}\0{explanation}", []).append(email)
    return {pk: " ".join(_sentence(key, emails) for key, emails in by.items()) for pk, by in told.items()}


def _sentence(key: str, emails: Sequence[str]) -> str:
    reason, _, explanation = key.partition("\0")
    unique = list(dict.fromkeys(emails))
    more = f" and {len(unique) - NAMED} more" if len(unique) > NAMED else ""
    return f"{LEADS[reason]} {', '.join(unique[:NAMED])}{more}. {explanation}"
