"""Which filter rule decides about an address: the most specific one. No database, and linear in what strangers send.

A rule of the inbox comes before one of its environment; then an address before a domain before a wildcard, and of two
wildcards the longer one. On the very same footing a block beats an allow.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from environments import domain_names
from environments.destinations import LONGEST_ADDRESS

ADDRESS, DOMAIN, WILDCARD = "address", "domain", "subdomain_wildcard"
RANK = {ADDRESS: 2, DOMAIN: 1, WILDCARD: 0}
LONGEST_DOMAIN = 253
MOST_ADDRESSES = 100
Pattern = tuple[str, str]

NO_RULE = "No filter rule is about this address."
NOT_LISTED = "Only allowed addresses get through here, and no allow rule is about this one."
UNPROVEN = "Only allowed addresses get through here; this one is allowed, but its sender is not proven by DMARC."
TOO_MANY = f"Only allowed addresses get through here, and this mail names more than {MOST_ADDRESSES}."
NOBODY = "Only allowed addresses get through here, and this mail names none."


class Rule(Protocol):
    """What a rule says; ``inbox_id`` is None where it holds for the whole environment."""

    @property
    def pk(self) -> str: ...
    @property
    def inbox_id(self) -> str | None: ...
    @property
    def action(self) -> str: ...
    @property
    def match_type(self) -> str: ...
    @property
    def value(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a mail gets through, the rule that decided (None for no rule), and the reason in a sentence."""

    allowed: bool
    rule_id: str | None
    reason: str


def ascii_domain(domain: str) -> str:
    """Return a domain as rules name it, in lower-case ASCII. What cannot be one comes back in lower case only."""
    domain = domain.strip().rstrip(".")
    try:
        return domain_names.ascii_domain(domain) if len(domain) <= LONGEST_DOMAIN else domain.lower()
    except ValueError:
        return domain.lower()


def normalised(address: str) -> str:
    """Return an address as rules name it: in lower case, its domain in ASCII."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.lower()}@{ascii_domain(domain)}"


def candidates(address: str) -> list[Pattern]:
    """Return match type and value of every rule that could be about an address, the most specific first."""
    address = normalised(address)
    domain = address.rpartition("@")[2]
    if not domain or len(domain) > LONGEST_DOMAIN or len(address) > LONGEST_ADDRESS:
        return []
    return [(ADDRESS, address), (DOMAIN, domain), *((WILDCARD, parent) for parent in _parents(domain))]


def _parents(domain: str) -> Iterator[str]:
    while domain := domain.partition(".")[2]:
        yield domain


def decide(
    rules: Iterable[Rule], addresses: Sequence[str], *, inbox_id: str, aligned: bool = True, is_allow_list: bool = False
) -> Decision:
    """Decide about a mail of ``inbox_id`` from, or to, all of these addresses.

    ``rules`` are those of one direction that can be about them; rules of other inboxes play no part. An allow counts
    only when ``aligned`` (pass True for recipients). Where one of the rules allows, or ``is_allow_list`` says that some
    rule of the inbox or its environment does, whatever no rule allows is blocked. One blocked address blocks the mail.
    Only the first ``MOST_ADDRESSES`` are looked at, and no allow covers a mail that names more.
    """
    ours = [rule for rule in rules if rule.inbox_id in {None, inbox_id}]
    is_list = is_allow_list or any(rule.action == "allow" for rule in ours)
    if not addresses or (is_list and len(addresses) > MOST_ADDRESSES):
        return Decision(not is_list, None, _without_looking(addresses) if is_list else NO_RULE)
    by_pattern: dict[Pattern, list[Rule]] = {}
    for rule in ours:
        by_pattern.setdefault((rule.match_type, rule.value), []).append(rule)
    found = [_about(address, by_pattern, aligned=aligned, is_list=is_list) for address in addresses[:MOST_ADDRESSES]]
    blocked = [decision for decision in found if not decision.allowed]
    by_a_rule = [decision for decision in blocked or found if decision.rule_id]
    return next(iter([*by_a_rule, *blocked, *found]))


def _without_looking(addresses: Sequence[str]) -> str:
    return TOO_MANY if addresses else NOBODY


def _about(address: str, rules: Mapping[Pattern, Sequence[Rule]], *, aligned: bool, is_list: bool) -> Decision:
    matching = [rule for pattern in candidates(address) for rule in rules.get(pattern, ())]
    counting = [rule for rule in matching if aligned or rule.action == "block"]
    if counting:
        rule = max(counting, key=_weight)
        return Decision(rule.action == "allow", rule.pk, _told(rule))
    if is_list:
        return Decision(allowed=False, rule_id=None, reason=UNPROVEN if matching else NOT_LISTED)
    return Decision(allowed=True, rule_id=None, reason=NO_RULE)


def _weight(rule: Rule) -> tuple[bool, int, int, bool]:
    return rule.inbox_id is not None, RANK[rule.match_type], len(rule.value), rule.action == "block"


def _told(rule: Rule) -> str:
    verb = "allows" if rule.action == "allow" else "blocks"
    whose = "the inbox" if rule.inbox_id else "the environment"
    shown = {ADDRESS: rule.value, DOMAIN: f"@{rule.value}", WILDCARD: f"*.{rule.value}"}[rule.match_type]
    return f"A filter rule of {whose} {verb} {shown}."
