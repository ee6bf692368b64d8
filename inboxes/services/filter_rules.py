"""Filter rules: made, changed, removed, and asked about a whole batch of mails in two queries."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from environments.callers import Actor
from environments.destinations import LONGEST_ADDRESS
from environments.errors import Conflict, PersonRequired, field_error
from environments.ids import encode
from environments.locks import lock
from environments.models import Environment
from environments.remembered import Remembered
from environments.services.audit import record
from inboxes import matching
from inboxes.matching import Decision
from inboxes.models import FilterRule, Inbox

LOCAL_PART = re.compile(r"[^\s@\x00-\x1f\x7f<>(),;:\\\"\[\]]{1,64}")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(rf"(?=.{{1,{matching.LONGEST_DOMAIN}}}$){LABEL}(?:\.{LABEL})*")
SHOWN = ("direction", "action", "match_type", "value", "inbox_id")
SEND, ALLOW = FilterRule.Direction.SEND, FilterRule.Action.ALLOW

NO_INBOX = encode("inb", UUID(int=0))

Mail = tuple[str, Sequence[str], bool]


def normalised_value(match_type: str, value: str) -> str:
    """Return what a rule is about as it is stored; raise ValidationFailed for what is no address, or no domain.

    Lower case, the domain in ASCII (RFC 5890), without ``@`` or ``*.`` in front of a domain.
    """
    value = value.strip()
    if match_type == matching.ADDRESS:
        address = matching.normalised(value)
        local, _, domain = address.rpartition("@")
        if not LOCAL_PART.fullmatch(local) or not DOMAIN.fullmatch(domain) or len(address) > LONGEST_ADDRESS:
            raise field_error("value", "Must be an address such as ann@example.com.")
        return address
    domain = matching.ascii_domain(value.removeprefix("@").removeprefix("*."))
    if not DOMAIN.fullmatch(domain):
        raise field_error("value", "Must be a domain such as example.com.")
    return domain


def create_rule(
    environment: Environment,
    *,
    actor: Actor,
    direction: str,
    action: str,
    match_type: str,
    value: str,
    inbox_id: str | None = None,
) -> tuple[FilterRule, bool]:
    """Create a rule, of one inbox of this environment or of all, or return the same one; second: whether it is new.

    Runs inside the environment. Raises ValidationFailed, Conflict where the same addresses have a rule that says the
    opposite, and PersonRequired for a key that would let mail out which a person's rules keep in.
    """
    rule = FilterRule(
        environment=environment,
        inbox_id=inbox_id,
        direction=direction,
        action=action,
        match_type=match_type,
        value=normalised_value(match_type, value),
        set_by_person=actor.is_person,
    )
    if existing := _about_the_same(rule, environment):
        return _again(existing, rule, environment, actor), False
    _demand_person_for_allowing(rule, environment, actor)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
            _record(rule, environment, actor, "created", after=_shown(rule))
    except IntegrityError:
        existing = _about_the_same(rule, environment)  # made by another request meanwhile
        if existing is None:
            raise
        return _again(existing, rule, environment, actor), False
    return rule, True


def _about_the_same(rule: FilterRule, environment: Environment) -> FilterRule | None:
    rows = FilterRule.objects.in_environment(environment)
    rows = rows.filter(inbox=rule.inbox_id) if rule.inbox_id else rows.filter(inbox__isnull=True)
    return rows.filter(direction=rule.direction, match_type=rule.match_type, value=rule.value).first()


def _again(existing: FilterRule, rule: FilterRule, environment: Environment, actor: Actor) -> FilterRule:
    """Return the rule that is there; a person who sets it again confirms it."""
    if existing.action != rule.action:
        raise _opposite(existing)
    if actor.is_person and not existing.set_by_person:
        return update_rule(existing, environment, {}, actor=actor)
    return existing


def _opposite(rule: FilterRule) -> Conflict:
    return Conflict(f"There is another rule about the same addresses: {rule.pk}.", fix="Change or delete that one.")


def update_rule(rule: FilterRule, environment: Environment, changes: Mapping[str, Any], *, actor: Actor) -> FilterRule:
    """Change ``action``, ``match_type`` or ``value``; from a person's change on, the rule is a person's.

    Raises ValidationFailed, Conflict when another rule is about the same, NotFound when the rule has gone, and
    PersonRequired for a key that would let mail out which a person's rules keep in.
    """
    with transaction.atomic():
        lock(rule, FilterRule.objects.in_environment(environment))
        before = _shown(rule)
        _demand_person_for_changing(rule, actor)
        for name, value in changes.items():
            setattr(rule, name, value)
        rule.value = normalised_value(rule.match_type, rule.value)
        rule.set_by_person = rule.set_by_person or actor.is_person
        after = _shown(rule)
        if after != before:
            _demand_person_for_allowing(rule, environment, actor)
            _save(rule)
            _record(rule, environment, actor, "updated", before=before, after=after)
    return rule


def _save(rule: FilterRule) -> None:
    try:
        with transaction.atomic():
            rule.save(update_fields=["action", "match_type", "value", "set_by_person"])
    except IntegrityError as problem:
        raise Conflict(
            "There is another rule about the same addresses already.", fix="Change or delete that one."
        ) from problem


def delete_rule(rule: FilterRule, environment: Environment, *, actor: Actor) -> None:
    """Delete a rule. Raises NotFound when it has gone, and PersonRequired for a key and a person's send rule."""
    with transaction.atomic():
        lock(rule, FilterRule.objects.in_environment(environment))
        _demand_person_for_changing(rule, actor)
        _record(rule, environment, actor, "deleted", before=_shown(rule))
        rule.delete()


def _demand_person_for_changing(rule: FilterRule, actor: Actor) -> None:
    if rule.direction == SEND and rule.set_by_person and not actor.is_person:
        raise PersonRequired(
            "A person set this rule about outgoing mail; only a person may change it.",
            fix="Ask a person to change it in the console.",
        )


def _demand_person_for_allowing(rule: FilterRule, environment: Environment, actor: Actor) -> None:
    """Raise PersonRequired where a key's allow could outdo what people decided about outgoing mail."""
    if rule.direction != SEND or rule.action != ALLOW or actor.is_person:
        return
    theirs = FilterRule.objects.in_environment(environment).filter(direction=SEND, set_by_person=True)
    if theirs.exists():
        raise PersonRequired(
            "People have set rules about outgoing mail here; a key may add blocks to them, and no allow.",
            fix="Ask a person to add it in the console.",
        )


def _shown(rule: FilterRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in (*SHOWN, "set_by_person")}


def _record(rule: FilterRule, environment: Environment, actor: Actor, verb: str, **details: Any) -> None:
    action = f"filter_rule.{verb}"
    record(environment.organization_id, actor, action, rule.pk, environment=environment, **details)


class Rules:
    """The rules of one direction that can be about these addresses, whatever else the environment has: two queries."""

    def __init__(
        self, environment: Environment, direction: str, inbox_ids: Iterable[str], addresses: Iterable[str]
    ) -> None:
        """Read them, inside the environment."""
        inboxes = sorted(set(inbox_ids))
        values = sorted({value for address in addresses for _, value in matching.candidates(address)})
        self._environment, self._direction = environment, direction
        self._rules = _ABOUT(environment.pk, direction, values, inboxes or [NO_INBOX])
        self._lists = {row[0] for row in _ALLOW_LISTS(environment.pk, direction, inboxes)}

    def decide(self, inbox_id: str, addresses: Sequence[str], *, aligned: bool = True) -> Decision:
        """Return what ``matching.decide`` says about a mail of this inbox."""
        is_list = inbox_id in self._lists
        return matching.decide(self._rules, addresses, inbox_id=inbox_id, aligned=aligned, is_allow_list=is_list)

    def decide_anywhere(self, addresses: Sequence[str], *, aligned: bool = True) -> Decision:
        """Return the decision in an inbox that has no rules of its own; one more query."""
        is_list = _allows(self._environment.pk, self._direction).filter(inbox__isnull=True).exists()
        return matching.decide(self._rules, addresses, inbox_id="", aligned=aligned, is_allow_list=is_list)


def _of_direction(environment_id: str, direction: str) -> QuerySet[FilterRule]:
    return FilterRule.objects.in_environment(Environment(pk=environment_id)).filter(direction=direction)


def _allows(environment_id: str, direction: str) -> QuerySet[FilterRule]:
    return _of_direction(environment_id, direction).filter(action=ALLOW)


def _about(environment_id: str, direction: str, values: Sequence[str], inbox_ids: Sequence[str]) -> Any:
    reach = Q(inbox__isnull=True) | Q(inbox__in=inbox_ids)
    return _of_direction(environment_id, direction).filter(reach, value__in=values)


def _allow_lists(environment_id: str, direction: str, inbox_ids: Sequence[str]) -> Any:
    """Return those of the inboxes that an allow rule, their own or the environment's, makes an allow-list of."""
    allows = _allows(environment_id, direction)
    own, common = allows.filter(inbox=OuterRef("pk")), allows.filter(inbox__isnull=True)
    inboxes = Inbox.objects.in_environment(Environment(pk=environment_id)).filter(pk__in=inbox_ids)
    return inboxes.filter(Exists(own) | Exists(common)).values_list("pk")


_ABOUT = Remembered(_about, "env", str, [str], ["inb"])
_ALLOW_LISTS = Remembered(_allow_lists, "env", str, ["inb"])


def receive_decisions(environment: Environment, mails: Sequence[Mail]) -> list[Decision]:
    """Decide about a batch of arriving mails, each ``(inbox_id, From addresses, whether DMARC alignment passed)``.

    Two queries, whatever the batch and the number of rules. Runs inside the environment.
    """
    if not mails:
        return []
    addresses = [address for _, senders, _ in mails for address in senders[: matching.MOST_ADDRESSES]]
    rules = Rules(environment, FilterRule.Direction.RECEIVE, [inbox_id for inbox_id, *_ in mails], addresses)
    return [rules.decide(inbox_id, senders, aligned=aligned) for inbox_id, senders, aligned in mails]


def send_decisions(environment: Environment, inbox_id: str, recipients: Sequence[str]) -> list[Decision]:
    """Decide about each recipient of a mail that is to go out. Two queries. Runs inside the environment."""
    [decisions] = send_decisions_of_each(environment, [(inbox_id, recipients)])
    return decisions


def send_decisions_of_each(
    environment: Environment, mails: Sequence[tuple[str, Sequence[str]]]
) -> list[list[Decision]]:
    """Decide about each recipient of several mails, each ``(inbox_id, recipients)``, with the same two queries."""
    addresses = {recipient for _, recipients in mails for recipient in recipients}
    rules = Rules(environment, SEND, {inbox_id for inbox_id, _ in mails}, addresses)
    return [[rules.decide(inbox_id, [recipient]) for recipient in recipients] for inbox_id, recipients in mails]


def foretell(
    environment: Environment, direction: str, address: str, *, inbox_id: str | None = None, aligned: bool = True
) -> Decision:
    """Return what the rules say about one address, in this inbox, or in any that has no rules of its own.

    The same decision as for mail, for whoever wonders. At most three queries. Runs inside the environment.
    """
    rules = Rules(environment, direction, [inbox_id] if inbox_id else [], [address])
    if inbox_id:
        return rules.decide(inbox_id, [address], aligned=aligned)
    return rules.decide_anywhere([address], aligned=aligned)
