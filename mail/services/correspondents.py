"""Correspondents: with whom an environment has had to do, and who would hear from it for the first time."""

from collections.abc import Sequence

from django.db.models import Exists, Q

from environments.models import Environment
from mail.models import Message, MessageRecipient
from mail.services.rows import storable_address

MOST_ASKED = 100


def first_contacts(environment: Environment, emails: Sequence[str]) -> set[str]:
    """Return those of the first hundred addresses, as stored, that no mail of the environment came from or went to.

    One query, inside the environment. What is in quarantine makes nobody known.
    """
    asked = list(dict.fromkeys(storable_address(email) for email in emails))[:MOST_ASKED]
    if not asked:
        return set()
    came = Message.objects.in_environment(environment).exclude(status=Message.Status.QUARANTINED)
    went = MessageRecipient.objects.in_environment(environment)
    met = {
        f"met_{number}": Q(Exists(came.filter(from_email=email))) | Q(Exists(went.filter(email=email)))
        for number, email in enumerate(asked)
    }
    rows = Environment.objects.in_organization(environment.organization_id).filter(pk=environment.pk)
    known = rows.annotate(**met).values_list(*met).get()
    return {email for email, is_met in zip(asked, known, strict=True) if not is_met}
