"""ARC: chains made by dkimpy, and when a sealer's word outweighs a DMARC failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from mail.authentication import Trust
from tests.mail.authentication.conftest import MAIL

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

SEEN = (
    b"Authentication-Results: lists.test; spf=pass smtp.mailfrom=ann@example.org;"
    b" dmarc=pass header.from=example.org\r\n"
)
BREAKS = [  # what happens to a sealed mail,                                result
    (lambda mail: mail, "pass"),
    (lambda mail: b"Received: from x by y\r\n" + mail, "pass"),
    (lambda mail: mail.replace(b"Hello Bob", b"Hello Rob"), "fail"),
    (lambda mail: mail.replace(b"dmarc=pass", b"dmarc=fail", 1), "fail"),
    (lambda mail: mail.replace(b"cv=none", b"cv=pass", 1), "fail"),
    (lambda mail: mail.replace(b"ARC-Message-Signature", b"X-Gone", 1), "fail"),
    (lambda mail: mail.replace(b"i=1;", b"i=7;"), "fail"),
    (lambda mail: mail.replace(b"i=1;", b"i=x;"), "fail"),
    (lambda mail: mail[: mail.index(b"ARC-Message")] + mail, "fail"),
    (lambda mail: re.sub(rb"(?ms)^ARC-.*?\r\n(?=\S)", b"", mail), "none"),
]


@pytest.fixture
def lists(world: World) -> World:
    """A list that changed Ann's mail, with the authors' domain asking for rejection."""
    world.dmarc("example.org", "v=DMARC1; p=reject")
    for domain in ("lists.test", "relay.test", "evil.test"):
        world.key(domain)
    world.trust = Trust.of(authserv_ids=[], networks=[], arc_sealers=["Lists.test", "relay.test"])
    return world


@pytest.mark.parametrize(("change", "result"), BREAKS)
def test_a_chain_holds_exactly_while_nothing_sealed_changes(lists: World, change: Any, result: str) -> None:
    sealed = change(lists.sealed(SEEN + MAIL, "lists.test", "lists.test"))
    assert lists.check(sealed).arc.result == result


def test_a_chain_of_two_holds_and_names_the_last_sealer(lists: World) -> None:
    first = lists.sealed(SEEN + MAIL, "lists.test", "lists.test")
    told = b"Authentication-Results: relay.test; arc=pass; dmarc=fail header.from=example.org\r\n"
    found = lists.check(lists.sealed(told + first, "relay.test", "relay.test"))
    assert (found.arc.result, found.arc.domain, found.arc.particulars) == ("pass", "relay.test", {"instance": "2"})
    assert (found.dmarc.result, found.dmarc.particulars["override"], found.aligned) == ("pass", "arc", True)


def test_a_trusted_sealers_word_outweighs_a_failure_and_the_policy_stays_told(lists: World) -> None:
    found = lists.check(lists.sealed(SEEN + MAIL, "lists.test", "lists.test"))
    assert (found.dmarc.result, found.aligned, found.dmarc.particulars["policy"]) == ("pass", True, "reject")
    assert "lists.test" in found.dmarc.reason


@pytest.mark.parametrize(
    "seen",
    [
        SEEN.replace(b"dmarc=pass", b"dmarc=fail"),
        SEEN.replace(b"header.from=example.org", b"header.from=evil.test"),
        SEEN.replace(b" header.from=example.org", b""),
        SEEN.replace(b"dmarc=pass", b"(dmarc=pass) dmarc=none"),
    ],
)
def test_a_sealer_who_saw_no_pass_for_this_author_overrides_nothing(lists: World, seen: bytes) -> None:
    found = lists.check(lists.sealed(seen + MAIL, "lists.test", "lists.test"))
    assert (found.arc.result, found.dmarc.result, found.aligned) == ("pass", "fail", False)


def test_a_stranger_who_seals_last_takes_the_trust_away(lists: World) -> None:
    first = lists.sealed(SEEN + MAIL, "lists.test", "lists.test")
    told = b"Authentication-Results: evil.test; arc=pass; dmarc=pass header.from=example.org\r\n"
    found = lists.check(lists.sealed(told + first, "evil.test", "evil.test"))
    assert (found.arc.result, found.dmarc.result, found.aligned) == ("pass", "fail", False)


def test_a_broken_chain_overrides_nothing(lists: World) -> None:
    sealed = lists.sealed(SEEN + MAIL, "lists.test", "lists.test")
    found = lists.check(sealed.replace(b"Hello Bob", b"Hello Rob"))
    assert (found.arc.result, found.dmarc.result, found.aligned) == ("fail", "fail", False)


def test_a_second_from_is_not_excused_by_a_seal(lists: World) -> None:
    sealed = lists.sealed(SEEN + MAIL, "lists.test", "lists.test")
    assert lists.check(b"From: Eve <eve@evil.test>\r\n" + sealed).dmarc.result == "fail"


def test_a_key_that_cannot_be_fetched_leaves_the_chain_open(lists: World) -> None:
    lists.names.failing.add("s._domainkey.lists.test")
    assert lists.check(lists.sealed(SEEN + MAIL, "lists.test", "lists.test")).arc.result == "temperror"
