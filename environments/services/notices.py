"""Mail of the platform to its own people, and to nobody else: whom it concerns follows from their memberships."""

import logging
from collections.abc import Collection, Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid

from django.conf import settings
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from procrastinate.contrib.django import app

from environments.mailboxes import is_of_agents, on_the_envelope
from environments.models import Environment, EnvironmentMembership, Member
from environments.relay import Relay

logger = logging.getLogger(__name__)

SENDER = "noreply"
JOB = "environments.tasks.mail_notice"


def notify_admins(environment: Environment, notice: str, facts: Mapping[str, str]) -> None:
    """Have a notice mailed to everybody who administers the environment, once the open transaction has committed.

    ``notice`` names a template in ``templates/notices``, whose first line is the subject. ``facts`` are what it tells;
    they wait in the queue as they are, so no secrets.
    """
    told = {"environment": environment.slug, "organization": environment.organization.slug, **facts}
    jobs = [
        {"organization_id": environment.organization_id, "member_id": member_id, "notice": notice, "facts": told}
        for member_id in admins_of(environment).values_list("pk", flat=True)
    ]
    app.configure_task(JOB).batch_defer(*jobs)  # type: ignore[arg-type]


def admins_of(environment: Environment) -> QuerySet[Member]:
    """Return the owner and the admins of the organization, and the environment's own admins."""
    places = EnvironmentMembership.objects.in_organization(environment.organization_id)
    admins = places.filter(environment=environment, role=EnvironmentMembership.Role.ADMIN)
    members = Member.objects.in_organization(environment.organization_id).filter(user__is_active=True)
    everywhere = Q(role__in=[Member.Role.OWNER, Member.Role.ADMIN])
    return members.filter(everywhere | Q(pk__in=admins.values("member"))).order_by("pk")


def mail_to(member: Member, notice: str, facts: Mapping[str, str]) -> bool:
    """Mail a notice to one member through the operator's relay; return whether it was, which without one it is not.

    Raises RelayTrouble.
    """
    relay = Relay.of(settings.AGENTPOST_RELAY_URL)
    if relay is None:
        logger.warning("no relay, so %s is not told: %s", member.pk, notice)
        return False
    relay.post(message_to(member, notice, facts))
    return True


def mail_link(
    address: str, whose: str, notice: str, facts: Mapping[str, str], *, organization_ids: Collection[str], instead: str
) -> bool:
    """Mail a link that lets a person into these organizations; return whether it was.

    It is not without a relay, and never to a domain of this server's agents, whether or not there is such an inbox by
    now: no key makes itself a person. The log then says what a person can do ``instead``, and neither address nor
    link. Raises RelayTrouble.
    """
    relay = Relay.of(settings.AGENTPOST_RELAY_URL)
    envelope = on_the_envelope(address)  # what is judged is what the relay is told
    reason = "no relay" if relay is None else _refused(envelope, organization_ids)
    if relay is None or envelope is None or reason:
        logger.warning("%s, so no link is mailed to %s (%s): %s", reason, whose, notice, instead)
        return False
    relay.post(message_for(envelope, notice, facts))
    return True


def _refused(envelope: str | None, organization_ids: Collection[str]) -> str:
    """Return why no link goes there; empty where one may."""
    if envelope is None:
        return "an address that mail servers may read in two ways"
    is_agents = is_of_agents(envelope.rpartition("@")[2], organization_ids)
    return "a domain of this server, whose mail agents read" if is_agents else ""


def message_to(member: Member, notice: str, facts: Mapping[str, str]) -> EmailMessage:
    """Return the mail to a member, in plain text; each fact is made one line of it."""
    return message_for(member.user.email, notice, facts)


def message_for(address: str, notice: str, facts: Mapping[str, str]) -> EmailMessage:
    """Return the mail to an address, in plain text; each fact is made one line of it."""
    lines = {name: " ".join(value.split()) for name, value in facts.items()}
    text = render_to_string(f"notices/{notice}.txt", {**lines, "public_url": settings.AGENTPOST_PUBLIC_URL})
    subject, _, body = text.partition("\n\n")
    message = EmailMessage()
    message["From"] = Address("AgentPost", SENDER, settings.AGENTPOST_SHARED_DOMAIN)
    message["To"] = Address(addr_spec=address)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=settings.AGENTPOST_SHARED_DOMAIN)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(body)
    return message
