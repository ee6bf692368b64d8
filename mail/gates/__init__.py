"""What is asked of mail through gates: which environment an item belongs to, what is due, what a search finds here."""

from environments.gates import environment_of
from mail.gates.search import MOST_MATCHES, NEWEST, SEARCH
from mail.gates.sending import (
    CLAIM_HAND_OVERS,
    DUE_DRAFTS,
    FIND_HAND_OVER,
    FIND_TRANSPORT,
    HAND_OVERS_WAITING,
    NEXT_HAND_OVER,
    WAITING_MAIL,
)

__all__ = ["GATES", "MOST_MATCHES", "NEWEST"]

GATES = [
    CLAIM_HAND_OVERS,
    NEXT_HAND_OVER,
    HAND_OVERS_WAITING,
    FIND_TRANSPORT,
    environment_of("mail.Message", "message"),
    environment_of("mail.Thread", "thread"),
    environment_of("mail.Attachment", "attachment"),
    SEARCH,
    environment_of("mail.IntakeEntry", "intakeentry"),
    FIND_HAND_OVER,
    environment_of("mail.Draft", "draft"),
    DUE_DRAFTS,
    WAITING_MAIL,
]
