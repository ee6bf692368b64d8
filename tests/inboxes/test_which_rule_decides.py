"""The most specific filter rule decides; an allow makes a list of its direction, and needs a proven sender."""

import time
from dataclasses import dataclass

import pytest

from inboxes.matching import MOST_ADDRESSES, candidates, decide, normalised

OURS, THEIRS = "inb_ours", "inb_theirs"


@dataclass(frozen=True)
class Written:
    """A rule as the tables below write it: ``block @spam.example``, ``own allow *.example.com``."""

    pk: str
    inbox_id: str | None
    action: str
    match_type: str
    value: str


def rule(text: str) -> Written:
    *whose, action, value = text.split()
    inbox_id = {"own": OURS, "other": THEIRS}.get("".join(whose))
    if value.startswith("@"):
        return Written(text, inbox_id, action, "domain", value[1:])
    if value.startswith("*."):
        return Written(text, inbox_id, action, "subdomain_wildcard", value[2:])
    return Written(text, inbox_id, action, "address", value)


DECISIONS = [  # rules, address, allowed, the rule that decided
    ([], "a@x.example", True, None),
    (["block a@x.example"], "a@x.example", False, "block a@x.example"),
    (["block a@x.example"], "A@X.Example", False, "block a@x.example"),
    (["block a@x.example"], "aa@x.example", True, None),
    (["block @x.example"], "a@x.example", False, "block @x.example"),
    (["block @x.example"], "a@mail.x.example", True, None),
    (["block @x.example"], "a@ax.example", True, None),
    (["block *.x.example"], "a@x.example", True, None),
    (["block *.x.example"], "a@m.x.example", False, "block *.x.example"),
    (["block *.x.example"], "a@deep.m.x.example", False, "block *.x.example"),
    (["block *.x.example"], "a@mx.example", True, None),
    (["block *.example"], "a@x.example", False, "block *.example"),
    (["block @xn--bcher-kva.example"], "a@Bücher.example", False, "block @xn--bcher-kva.example"),
    (["block @x.example"], "a@x.example.", False, "block @x.example"),
    # the most specific wins
    (["block @x.example", "allow a@x.example"], "a@x.example", True, "allow a@x.example"),
    (["allow @x.example", "block a@x.example"], "a@x.example", False, "block a@x.example"),
    (["block *.example", "allow @x.example"], "a@x.example", True, "allow @x.example"),
    (["block *.example", "allow *.x.example"], "a@m.x.example", True, "allow *.x.example"),
    (["allow *.example", "block *.x.example"], "a@m.x.example", False, "block *.x.example"),
    (["allow a@x.example", "block a@x.example"], "a@x.example", False, "block a@x.example"),
    # an inbox's own before the environment's, however specific that is
    (["block a@x.example", "own allow *.example"], "a@x.example", True, "own allow *.example"),
    (["allow a@x.example", "own block *.example"], "a@x.example", False, "own block *.example"),
    (["other block a@x.example"], "a@x.example", True, None),
    # an allow makes a list
    (["allow @x.example"], "a@y.example", False, None),
    (["own allow @x.example"], "a@y.example", False, None),
    (["other allow @x.example"], "a@y.example", True, None),
    (["allow @x.example", "own allow @y.example"], "a@x.example", True, "allow @x.example"),
    # what is no address
    (["block @x.example"], "", True, None),
    (["block @x.example"], "x.example", False, "block @x.example"),
    (["allow @x.example"], "a@" + "x" * 5000, False, None),
    (["block @x.example"], "\udcff@\udcff", True, None),
]


@pytest.mark.parametrize(("rules", "address", "allowed", "by"), DECISIONS)
def test_the_most_specific_rule_decides(rules: list[str], address: str, allowed: bool, by: str | None) -> None:
    for written in (rules, rules[::-1]):
        decision = decide(map(rule, written), [address], inbox_id=OURS)
        assert (decision.allowed, decision.rule_id) == (allowed, by)
        assert decision.reason.endswith(".")


UNPROVEN = [  # rules about a sender who failed alignment, allowed, the rule that decided
    (["allow a@x.example"], False, None),
    (["own allow a@x.example"], False, None),
    (["block @x.example"], False, "block @x.example"),
    (["allow a@x.example", "block @x.example"], False, "block @x.example"),
    (["own allow a@x.example", "block *.example"], False, "block *.example"),
    ([], True, None),
    (["other allow a@x.example"], True, None),
]


@pytest.mark.parametrize(("rules", "allowed", "by"), UNPROVEN)
def test_an_allow_is_for_proven_senders_only(rules: list[str], allowed: bool, by: str | None) -> None:
    decision = decide(map(rule, rules), ["a@x.example"], inbox_id=OURS, aligned=False)
    assert (decision.allowed, decision.rule_id) == (allowed, by)


def test_a_sender_on_the_list_who_is_not_proven_is_told_apart_from_one_who_is_not_on_it() -> None:
    rules = [rule("allow a@x.example")]
    known, unknown = (decide(rules, [who], inbox_id=OURS, aligned=False) for who in ("a@x.example", "b@x.example"))
    assert "DMARC" in known.reason
    assert "DMARC" not in unknown.reason


SEVERAL = [  # rules, addresses, allowed, the rule that decided
    (["block b@x.example"], ["a@x.example", "b@x.example"], False, "block b@x.example"),
    (["allow a@x.example"], ["a@x.example", "b@x.example"], False, None),
    (["allow @x.example"], ["a@x.example", "b@x.example"], True, "allow @x.example"),
    (["allow @x.example", "block b@x.example"], ["c@y.example", "b@x.example"], False, "block b@x.example"),
    (["allow @x.example"], [], False, None),
    (["block @x.example"], [], True, None),
    (["allow @x.example"], ["a@x.example"] * (MOST_ADDRESSES + 1), False, None),
]


@pytest.mark.parametrize(("rules", "addresses", "allowed", "by"), SEVERAL)
def test_of_several_addresses_one_blocks_and_an_allow_covers_all(
    rules: list[str], addresses: list[str], allowed: bool, by: str | None
) -> None:
    decision = decide(map(rule, rules), addresses, inbox_id=OURS)
    assert (decision.allowed, decision.rule_id) == (allowed, by)


def test_a_rule_that_was_not_read_can_still_make_a_list() -> None:
    assert not decide([], ["a@x.example"], inbox_id=OURS, is_allow_list=True).allowed


def test_an_address_has_as_many_candidates_as_its_domain_has_labels() -> None:
    assert candidates("A@m.x.example") == [
        ("address", "a@m.x.example"),
        ("domain", "m.x.example"),
        ("subdomain_wildcard", "x.example"),
        ("subdomain_wildcard", "example"),
    ]


def test_addresses_made_to_cost_time_cost_little() -> None:
    hostile = ["a@" + "a." * 126 + "a", "ä" * 60_000 + "@" + "ü" * 60_000, "@" * 60_000, "a@" + "." * 60_000]
    began = time.perf_counter()
    for address in hostile * 25:
        candidates(address)
        normalised(address)
    assert time.perf_counter() - began < 2
