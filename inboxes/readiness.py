"""Whether an environment has addresses that can send and receive."""

from collections import Counter
from collections.abc import Iterator, Sequence

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists

from environments.models import Environment
from environments.readiness import Check, Checks, Verdict
from inboxes.models import Domain, Inbox

DOMAINS, INBOXES = "admin:inboxes_domain_changelist", "admin:inboxes_inbox_changelist"

MOST_DOMAINS = 100


def _addresses(environment: Environment) -> Iterator[Check]:
    has_inboxes, domains = _found(environment)
    yield from _inboxes(has_inboxes=has_inboxes)
    yield from _domains(domains)


def _found(environment: Environment) -> tuple[bool, list[str]]:
    """Return whether there is an inbox, and in which states its own domains are: one query."""
    inboxes = Inbox.objects.in_environment(environment)
    domains = Domain.objects.in_environment(environment).filter(kind=Domain.Kind.CUSTOM)
    here = Environment.objects.in_organization(environment.organization_id).filter(pk=environment.pk)
    found: tuple[bool, list[str]] = here.values_list(
        Exists(inboxes), ArraySubquery(domains.order_by().values("status")[:MOST_DOMAINS])
    ).get()
    return found


def _inboxes(*, has_inboxes: bool) -> Iterator[Check]:
    if has_inboxes:
        yield Check(Verdict.OK, "It has inboxes to send from.")
    else:
        yield Check(Verdict.PROBLEM, "It has no inbox yet: nothing can be sent or received.", INBOXES, "Inboxes")


def _domains(domains: Sequence[str]) -> Iterator[Check]:
    states = Counter(domains)
    verified, others = states.pop(Domain.Status.VERIFIED, 0), sum(states.values())
    if others:
        sentence = f"Domains of its own that are not verified: {others}. Inboxes there send nothing."
        yield Check(Verdict.PROBLEM, sentence, DOMAINS, "Domains")
    if verified:
        yield Check(Verdict.OK, f"Verified domains of its own: {verified}.", DOMAINS, "Domains")
    elif not others:
        sentence = "It has no domain of its own: mail leaves from addresses on this server's shared domain."
        yield Check(Verdict.NOTE, sentence, DOMAINS, "Domains")


CHECKS: Sequence[Checks] = (_addresses,)
