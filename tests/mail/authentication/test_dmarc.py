"""DMARC: whose record counts, what alignment is, and what From must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mail.authentication.conftest import MAIL, OURS, STRANGERS

if TYPE_CHECKING:
    from tests.mail.authentication.conftest import World

REJECT = "v=DMARC1; p=reject"
ALIGNMENT = [  # record,                         envelope domain,    signer,            dmarc,  aligned
    (REJECT, "example.org", None, "pass", True),
    (REJECT, "bounces.example.org", None, "pass", True),
    (REJECT, None, "example.org", "pass", True),
    (REJECT, None, "mail.example.org", "pass", True),
    (REJECT, "sender.test", "signer.test", "fail", False),
    (REJECT, "sender.test", "example.org", "pass", True),
    (REJECT, None, None, "fail", False),
    ("v=DMARC1; p=reject; aspf=s", "bounces.example.org", None, "fail", False),
    ("v=DMARC1; p=reject; aspf=s", "example.org", None, "pass", True),
    ("v=DMARC1; p=reject; adkim=s", None, "mail.example.org", "fail", False),
    ("v=DMARC1; p=reject; adkim=s", None, "example.org", "pass", True),
    (None, "example.org", None, "none", True),
    (None, None, "mail.example.org", "none", True),
    (None, "sender.test", "signer.test", "none", False),
]
RECORDS = [  # records of the author's domain, of its organization,          dmarc,  policy
    ([], ["v=DMARC1; p=reject"], "fail", "reject"),
    ([], ["v=DMARC1; p=reject; sp=none"], "fail", "none"),
    (["v=DMARC1; p=quarantine"], ["v=DMARC1; p=reject"], "fail", "quarantine"),
    (["v=DMARC1;p=Quarantine;"], [], "fail", "quarantine"),
    (["v=DMARC1; p=none", "v=DMARC1; p=reject"], ["v=DMARC1; p=reject"], "none", None),
    (["v=spf1 -all"], ["v=DMARC1; p=reject"], "fail", "reject"),
    (["v=DMARC1; rua=mailto:a@example.org"], [], "fail", "none"),
    (["v=DMARC1; p=banana"], [], "none", None),
    (["v=DMARC1; nonsense"], [], "none", None),
    (["v=dmarc1; p=reject"], [], "none", None),
]
AUTHORS = [  # From fields,                                            dmarc,       aligned
    (b"From: a@example.org, b@example.org", "pass", True),
    (b"From: a@example.org, b@bank.test", "fail", False),
    (b"From: a@bank.test, b@example.org", "fail", False),
    (b"From: a@example.org\r\nFrom: b@bank.test", "fail", False),
    (b"From: a@example.org\r\nfrom : b@bank.test", "fail", False),
    (b"From: " + b", ".join(b"a@d%d.test" % number for number in range(9)), "fail", False),
    (b"From: nobody", "permerror", False),
    (b"From: undisclosed:;", "permerror", False),
    (b"X: y", "permerror", False),
    (b"From: a@[192.0.2.1]", "permerror", False),
    (b"From: b@bank.test\r\n (a@example.org)", "fail", False),
    ("From: jörg@bücher.test".encode(), "fail", False),
]


@pytest.mark.parametrize(("record", "envelope", "signer", "result", "aligned"), ALIGNMENT)
def test_spf_or_dkim_must_speak_for_the_author(
    world: World, record: str | None, envelope: str | None, signer: str | None, result: str, aligned: bool
) -> None:
    if record:
        world.dmarc("example.org", record)
    if envelope:
        world.spf(envelope, f"v=spf1 ip4:{OURS} -all")
    if signer:
        world.key(signer)
    raw = world.signed(domain=signer) if signer else MAIL
    found = world.check(raw, peer=OURS, envelope_sender=f"x@{envelope or 'unknown.test'}")
    assert (found.dmarc.result, found.aligned) == (result, aligned), found.dmarc.reason


@pytest.mark.parametrize(("own", "organization", "result", "policy"), RECORDS)
def test_the_policy_is_the_domains_or_its_organizations(
    world: World, own: list[str], organization: list[str], result: str, policy: str | None
) -> None:
    world.dmarc("news.example.co.uk", *own)
    world.dmarc("example.co.uk", *organization)
    verdict = world.check(MAIL.replace(b"example.org>", b"news.example.co.uk>")).dmarc
    assert (verdict.result, verdict.particulars.get("policy")) == (result, policy)


@pytest.mark.parametrize(("field", "result", "aligned"), AUTHORS)
def test_every_author_must_be_vouched_for(world: World, field: bytes, result: str, aligned: bool) -> None:
    for domain in ("example.org", "bank.test", "xn--bcher-kva.test", *(f"d{number}.test" for number in range(9))):
        world.dmarc(domain, REJECT)
    world.spf("example.org", f"v=spf1 ip4:{OURS} -all")
    found = world.check(field + b"\r\nSubject: x\r\n\r\nHello\r\n", peer=OURS)
    assert (found.dmarc.result, found.aligned) == (result, aligned), found.dmarc.reason


def test_the_address_that_readers_are_shown_must_be_vouched_for_too(world: World) -> None:
    world.spf("example.org", f"v=spf1 ip4:{OURS} -all")
    assert world.check(peer=OURS, shown_from="ann@example.org").aligned
    assert not world.check(peer=OURS, shown_from="ann@bank.test").aligned


def test_a_neighbour_below_a_shared_suffix_is_not_aligned(world: World) -> None:
    world.spf("eve.github.io", f"v=spf1 ip4:{OURS} -all")
    raw = MAIL.replace(b"example.org>", b"ann.github.io>")
    assert not world.check(raw, peer=OURS, envelope_sender="e@eve.github.io").aligned


def test_percent_is_told_and_no_dice_are_thrown(world: World) -> None:
    world.dmarc("example.org", "v=DMARC1; p=reject; pct=0")
    verdict = world.check().dmarc
    assert (verdict.result, verdict.particulars["policy"], verdict.particulars["percent"]) == ("fail", "reject", "0")


@pytest.mark.parametrize("name", ["_dmarc.example.org", "example.org"])
def test_silence_about_policy_or_proof_is_no_failure(world: World, name: str) -> None:
    world.dmarc("example.org", REJECT)
    world.names.failing.add(name)
    found = world.check(peer=OURS)
    assert (found.dmarc.result, found.aligned) == ("temperror", False)


def test_alignment_holds_while_only_the_policy_is_unknown(world: World) -> None:
    world.spf("example.org", f"v=spf1 ip4:{OURS} -all")
    world.names.failing.add("_dmarc.example.org")
    assert world.check(peer=OURS).aligned


def test_a_null_sender_is_aligned_by_its_greeting(world: World) -> None:
    world.dmarc("example.org", REJECT)
    world.spf("mx.example.org", f"v=spf1 ip4:{OURS} -all")
    assert world.check(peer=OURS, envelope_sender="").dmarc.result == "pass"


def test_a_forwarded_mail_passes_by_its_signature(world: World) -> None:
    world.dmarc("example.org", REJECT)
    world.spf("example.org", f"v=spf1 ip4:{OURS} -all")
    world.key("example.org")
    found = world.check(world.signed(), peer=STRANGERS)
    assert (found.spf.result, found.dkim.result, found.dmarc.result) == ("fail", "pass", "pass")


def test_a_message_shows_plain_results_and_reasons_beside_them(world: World) -> None:
    world.dmarc("example.org", REJECT)
    world.key("example.org")
    shown: dict[str, Any] = world.check(world.signed()).as_json()
    details = shown.pop("details")
    assert shown == {"spf": "none", "dkim": "pass", "dmarc": "pass", "arc": "none", "aligned": True}
    assert details["dkim"][0]["selector"] == "s"
    assert details["dmarc"]["policy"] == "reject"
    assert details["spf"]["domain"] == "example.org"
