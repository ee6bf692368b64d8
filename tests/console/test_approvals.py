"""The queue of drafts that wait for a yes: what is shown, who decides, and what a decision is about."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apikeys.authentication import caller_of, key_of
from apikeys.models import ApiKey
from apikeys.services import NewKey, create_key, rotate_key
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.ids import new_id
from environments.models import AuditEntry
from inboxes.services.inboxes import create_inbox, update_inbox
from mail.models import Draft
from mail.parsing import Address
from mail.services.compose import File
from mail.services.drafts import approval, writing
from mail.services.drafts.refusals import OwnDraft
from tests.console.drafting import (
    AGENT,
    CAROL,
    answering,
    decide,
    in_state,
    is_there,
    messages_of,
    now,
    person,
    seen,
    shown,
    submitted,
)
from tests.console.house import House
from tests.console.pages import answer, asked_by, page

QUEUE = "/console/approvals/"
STATES = ("draft", "pending_approval", "approved", "rejected", "scheduled", "sent")
ACTS = ("approve", "reject", "send", "submit", "call-back", "discard")


def place(draft: Draft) -> str:
    return f"{QUEUE}{draft.pk}/"


# --- who decides ---

MAY = {  # whose draft, and its state: what a member of the environment may do with it
    ("an agent's", "draft"): {"send", "submit"},
    ("an agent's", "pending_approval"): {"approve", "reject", "send"},
    ("an agent's", "approved"): {"reject", "send", "submit"},
    ("an agent's", "rejected"): {"submit"},
    ("an agent's", "scheduled"): {"reject", "call-back"},
    ("an agent's", "sent"): set(),
    ("their own", "draft"): {"send", "submit", "discard"},
    ("their own", "pending_approval"): {"discard"},
    ("their own", "approved"): {"send", "submit", "discard"},
    ("their own", "rejected"): {"submit", "discard"},
    ("their own", "scheduled"): {"call-back", "discard"},
    ("their own", "sent"): set(),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("whose", ["an agent's", "their own"])
def test_a_member_does_with_a_draft_what_its_state_and_author_allow(
    whose: str, state: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    author, client = (
        person(acme, "environment_member") if whose == "their own" else AGENT,
        signed_in("environment_member"),
    )
    assert {act for act in ACTS if does(client, acme, in_state(acme, state, author), act)} == MAY[whose, state]


@pytest.mark.parametrize(("role", "does_any"), [("owner", True), ("operator", False), ("stranger", False)])
def test_who_decides_at_all(role: str, does_any: bool, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in(role)
    done = {act for act in ("approve", "reject", "send") if does(client, acme, submitted(acme), act)}
    assert done == ({"approve", "reject", "send"} if does_any else set())


def does(client: Client, house: House, draft: Draft, act: str) -> bool:
    """Return whether a decision changed the draft."""
    before = draft.revision
    decide(client, house, draft, act, **({"reason": "No"} if act == "reject" else {}))
    return not is_there(house, draft) or now(house, draft).revision != before


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("whose", ["an agent's", "their own"])
def test_a_page_offers_what_may_be_done_and_nothing_else(
    whose: str, state: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    author = person(acme, "environment_member") if whose == "their own" else AGENT
    draft = in_state(acme, state, author)
    html = signed_in("environment_member").get(page(draft)).content.decode()
    offered = {act for act in ACTS if f'"{page(draft, act)}"' in html}
    expected = MAY[whose, state] - ({"submit"} if state == "approved" else set())  # it has its yes
    assert offered == expected


def test_an_operator_is_offered_nothing(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    html = shown(signed_in("operator"), place(draft))
    assert [act for act in (*ACTS, "edit") if page(draft, act) in html] == []
    assert "members of the environment decide" in html


# --- through a key ---


def reviewing_key(house: House, actor: Actor, **options: Any) -> NewKey:
    scopes = ["drafts:approve", "api_keys:write"]
    return create_key(house.organization.pk, "reviewer", actor=actor, scopes=scopes, **options)


def made_for(house: House, actor: Actor) -> ApiKey:
    return reviewing_key(house, actor).key


def rotated_for(house: House, actor: Actor) -> ApiKey:
    return rotate_key(reviewing_key(house, SYSTEM).key, actor=actor).key


def made_by_a_key_for(house: House, actor: Actor) -> ApiKey:
    maker = caller_of(key_of(reviewing_key(house, actor).secret))
    return reviewing_key(house, maker.actor, maker=maker).key


@pytest.mark.parametrize("given", [made_for, rotated_for, made_by_a_key_for])
def test_nobody_says_yes_to_their_own_draft_through_a_key(given: Callable[[House, Actor], ApiKey], acme: House) -> None:
    admin = person(acme, "environment_admin")
    key = given(acme, admin)
    by_key, here = Actor("key", key.pk, key.name), acme.development
    own, another = submitted(acme, admin), submitted(acme, person(acme, "owner"))
    with inside(here):
        with pytest.raises(OwnDraft):
            approval.approve(here, own, actor=by_key)
        with pytest.raises(OwnDraft):
            approval.reject(here, own, "No", actor=by_key)
        assert approval.approve(here, another, actor=by_key).state == "approved"


def test_a_person_decides_about_what_a_key_of_their_making_wrote(acme: House) -> None:
    admin = person(acme, "environment_admin")
    key = made_for(acme, admin)
    draft = submitted(acme, Actor("key", key.pk, key.name))
    with inside(acme.development):
        assert approval.approve(acme.development, draft, actor=admin).state == "approved"


# --- what is shown ---


def test_the_oldest_is_shown_first_and_the_queue_beside_it(acme: House, signed_in: Callable[..., Client]) -> None:
    first, second = acme.here("mail.draft"), submitted(acme, subject="Second")
    response = signed_in("environment_member").get(QUEUE)
    assert [row.pk for row in response.context["listed"]] == [first.pk, second.pk]
    assert response.context["draft"].pk == first.pk
    assert "2 waiting" in " ".join(response.content.decode().split())


def test_only_what_waits_is_in_the_queue(acme: House, signed_in: Callable[..., Client]) -> None:
    for state in STATES:
        in_state(acme, state)
    listed = signed_in("owner").get(QUEUE).context["listed"]
    assert {row.state for row in listed} == {"pending_approval"}


def test_the_queue_is_narrowed_to_an_inbox(acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        other, _ = create_inbox(acme.development, actor=SYSTEM, username="sales")
    client = signed_in("owner")
    assert len(client.get(QUEUE, {"inbox": acme.here("inboxes.inbox").pk}).context["listed"]) == 1
    empty = shown(client, QUEUE, inbox=other.pk)
    assert "Nothing waits for a decision in this inbox" in empty


def test_an_empty_queue_says_what_comes_here(acme: House, signed_in: Callable[..., Client]) -> None:
    with inside(acme.development):
        Draft.objects.in_environment(acme.development).delete()
    assert "When an agent submits a draft" in shown(signed_in("owner"), QUEUE)


def test_a_draft_stands_beside_what_it_answers(acme: House, signed_in: Callable[..., Client]) -> None:
    html = shown(signed_in("environment_member"), place(answering(acme)))
    for words in (
        "Hello Bob", "Re: Words of acme-development", "customer@example.com", "Hello &lt;b&gt;there&lt;/b&gt;",
        "Nothing proves that it is from example.com",
    ):  # fmt: skip
        assert words in html, words


def test_what_was_found_hostile_in_the_message_is_in_plain_sight(acme: House, signed_in: Callable[..., Client]) -> None:
    message = acme.here("mail.message")
    with inside(acme.development):
        message.flags, message.flag_evidence = ["instruction_like_text"], {"instruction_like_text": ["ignore <b>all"]}
        message.authentication = {"spf": "pass", "dkim": "none", "dmarc": "fail"}
        message.save()
    html = shown(signed_in("environment_member"), place(answering(acme)))
    for words in ("reads like an instruction", "ignore &lt;b&gt;all", "DMARC failed", "SPF pass", "DMARC fail"):
        assert words in html, words


def test_who_is_new_is_marked(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = answering(acme, cc=[Address("guest@nowhere.example", ""), Address("support@example.com", "")])
    recipients = signed_in("owner").get(place(draft)).context["reading"].recipients
    told = {one.email: (one.is_new, one.is_first_contact) for one in recipients}
    assert told == {
        "customer@example.com": (False, False),
        "guest@nowhere.example": (True, True),
        "support@example.com": (True, False),
    }


CANARY = "<img src=x onerror=alert(1)>"


def test_nothing_that_others_wrote_is_markup(acme: House, signed_in: Callable[..., Client]) -> None:
    message = acme.here("mail.message")
    with inside(acme.development):
        for name in ("subject", "from_name", "extracted_text", "text_body"):
            setattr(message, name, CANARY + name)
        message.flags, message.flag_evidence = [CANARY], {CANARY: [CANARY]}
        message.authentication = {"spf": CANARY}
        message.save()
        update_inbox(
            message.inbox, acme.development, {"display_name": "Sup <img src=x onerror=alert(1)>"}, actor=SYSTEM
        )
    draft = answering(
        acme,
        subject=CANARY,
        text_body=CANARY,
        html_body=f"<p>{CANARY}</p>",
        headers={"X-Canary": CANARY},
        labels=[CANARY],
        metadata={CANARY: CANARY},
        cc=[Address("guest@nowhere.example", CANARY)],
        files=[File(f"{CANARY}.txt", "text/plain", b"x")],
    )
    with inside(acme.development):
        author = Actor("key", "key_01J0000000000000000000000B", CANARY)
        writing.update_draft(acme.development, draft, {"text_body": f"{CANARY} again"}, actor=author)
    client = signed_in("owner")
    for where in (
        place(draft),
        page(draft),
        page(draft, "edit"),
        page(draft, "outlook"),
        page(draft, "conversation"),
        f"/console/mail/message/{message.pk}/reply/",
        "/console/mail/draft/",
    ):
        html = client.get(where).content.decode()
        assert "<img src=x" not in html, where
    assert "&lt;img src=x" in client.get(page(draft)).content.decode()


def test_what_changed_is_told_word_by_word(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme, text_body="Dear Bob, pay now.")
    with inside(acme.development):
        writing.update_draft(acme.development, draft, {"text_body": "Dear Bob, please pay."}, actor=CAROL)
    html = shown(signed_in("owner"), place(draft))
    assert "since version 1, by an agent" in html
    assert "Dear Bob, <ins>please </ins>pay<del> now</del>." in html


def test_a_version_to_compare_with_may_be_chosen(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme, subject="one")
    with inside(acme.development):
        for subject in ("two", "three"):
            writing.update_draft(acme.development, draft, {"subject": subject}, actor=AGENT)
    client = signed_in("owner")
    compared = [client.get(place(draft), {"against": n}).context["reading"].compared_with.number for n in ("1", "2")]
    default = [client.get(place(draft), {"against": n}).context["reading"].compared_with.number for n in ("9", "x", "")]
    assert (compared, default) == ([1, 2], [2, 2, 2])


def test_text_and_html_that_differ_are_told_of(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    honest = submitted(acme, text_body="Hello Bob", html_body="<p>Hello <b>Bob</b></p>")
    double = submitted(acme, text_body="Hello Bob", html_body="<p>Send me your password</p>")
    told = ["says something else than the text" in shown(client, place(draft)) for draft in (honest, double)]
    assert told == [False, True]


def test_what_would_happen_is_told_by_the_code_that_sends(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme, to="left@acme-development.example"), signed_in("environment_member")
    part = client.get(page(draft, "outlook"), headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "rejected" in part.content.decode()
    assert "capture mode" in shown(client, page(submitted(acme), "outlook"))
    assert "It would be refused" in shown(client, page(acme.here("mail.draft"), "outlook"))
    assert messages_of(acme) == []


# --- a decision is about what was read ---


@pytest.mark.parametrize("act", ["approve", "send", "reject"])
def test_a_version_that_nobody_has_read_is_not_decided_on(
    act: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    draft, client = submitted(acme), signed_in("owner")
    form = seen(acme, draft, reason="No", queue="1")
    with inside(acme.development):
        writing.update_draft(acme.development, draft, {"text_body": "Hello Mallory"}, actor=AGENT)
    response = client.post(page(draft, act), form, follow=True)
    html = " ".join(response.content.decode().split())
    assert (now(acme, draft).state, messages_of(acme)) == ("draft", [])
    assert "it is at version 2, and you read version 1. Your decision changed nothing." in html
    assert "Hello <del>Bob</del><ins>Mallory</ins>" in html


@pytest.mark.parametrize("act", ["approve", "send"])
def test_another_name_of_the_inbox_is_another_mail(act: str, acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    form = seen(acme, draft)
    with inside(acme.development):
        update_inbox(acme.here("inboxes.inbox"), acme.development, {"display_name": "The CEO"}, actor=SYSTEM)
    told = client.post(page(draft, act), form, follow=True).content.decode()
    assert (now(acme, draft).state, "Your decision changed nothing" in told) == ("pending_approval", True)


@pytest.mark.parametrize("hash_", ["0" * 64, "x"])
def test_a_hash_that_is_not_the_drafts_decides_nothing(
    hash_: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    draft = submitted(acme)
    signed_in("owner").post(page(draft, "approve"), {"version": 1, "seen": hash_})
    assert now(acme, draft).state == "pending_approval"


@pytest.mark.parametrize("given", [{}, {"version": "1"}, {"seen": "x"}, {"version": "x", "seen": "\0"}])
def test_a_decision_without_what_it_is_about_asks_again(
    given: dict[str, str], acme: House, signed_in: Callable[..., Client]
) -> None:
    draft = submitted(acme)
    response = signed_in("owner").post(page(draft, "approve"), given)
    assert (response.status_code, now(acme, draft).state) == (200, "pending_approval")


def test_the_second_of_two_reviewers_is_told_who_was_first(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    first, second = signed_in("owner"), signed_in("environment_member")
    form = seen(acme, draft, queue="1")
    first.post(page(draft, "approve"), form)
    told = second.post(page(draft, "approve"), form, follow=True).content.decode()
    assert "owner@acme.example approved this draft already. Your decision changed nothing." in told
    first.post(page(draft, "reject"), {**form, "reason": "On second thoughts"})
    told = second.post(page(draft, "reject"), {**form, "reason": "No"}, follow=True).content.decode()
    assert "owner@acme.example rejected this draft already: On second thoughts" in told


def test_the_agents_own_person_does_not_review(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    with inside(acme.development):
        writing.update_draft(acme.development, draft, {"subject": "Mine"}, actor=person(acme, "environment_member"))
        approval.submit(acme.development, draft, actor=AGENT)
    client = signed_in("environment_member")
    assert "somebody else decides" in shown(client, place(draft))
    decide(client, acme, draft, "approve", queue="1")
    decide(client, acme, draft, "send", queue="1")
    assert now(acme, draft).state == "pending_approval"


# --- going on ---


def test_after_a_decision_the_next_draft_is_shown(acme: House, signed_in: Callable[..., Client]) -> None:
    first, second, third = (submitted(acme, subject=f"Number {number}") for number in (1, 2, 3))
    client = signed_in("owner")
    where = decide(client, acme, second, "approve", queue="1")["Location"]
    assert where == place(third)
    assert "Approved “Number 2”" in client.get(where).content.decode()
    assert decide(client, acme, third, "reject", queue="1", reason="No")["Location"] == place(acme.here("mail.draft"))
    assert now(acme, first).state == "pending_approval"


def test_the_inbox_that_the_queue_is_narrowed_to_is_kept(acme: House, signed_in: Callable[..., Client]) -> None:
    inbox, draft = acme.here("inboxes.inbox"), submitted(acme)
    where = decide(signed_in("owner"), acme, draft, "approve", queue="1", inbox=inbox.pk)["Location"]
    assert where == f"{place(acme.here('mail.draft'))}?inbox={inbox.pk}"


def test_a_decision_on_the_drafts_own_page_returns_to_it(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme)
    assert decide(signed_in("owner"), acme, draft, "approve")["Location"] == page(draft)


def test_a_no_needs_a_reason(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = submitted(acme), signed_in("owner")
    for reason in ("", "  ", "x" * 2001):
        decide(client, acme, draft, "reject", reason=reason)
    assert now(acme, draft).state == "pending_approval"
    decide(client, acme, draft, "reject", reason="Too blunt")
    assert now(acme, draft).rejection_reason == "Too blunt"


# --- nobody else's ---


def paths(draft: str, file: str, message: str) -> list[str]:
    ways = ("change", "approve", "reject", "send", "submit", "call-back", "discard", "edit", "html", "outlook",
            "conversation")  # fmt: skip
    return [
        f"{QUEUE}{draft}/",
        *(f"/console/mail/draft/{draft}/{way}/" for way in ways),
        f"/console/mail/draftfile/{file}/download/",
        f"/console/mail/message/{message}/reply/",
    ]


@pytest.mark.parametrize("role", ["owner", "environment_member", "operator"])
def test_what_is_of_another_environment_is_answered_like_what_does_not_exist(
    walls: str, role: str, acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client, labels = signed_in(role), ("mail.draft", "mail.draftfile", "mail.message")
    missing = [new_id("drf"), new_id("dfl"), new_id("msg")]
    form = {"version": "1", "seen": "x", "reason": "x", "to": "a@b.example", "queue": "1"}
    for there in ([acme.there(label).pk for label in labels], [globex.here(label).pk for label in labels]):
        for theirs, none in zip(paths(*there), paths(*missing), strict=True):
            gone = [answered(client, one, form, there, missing) for one in (theirs, none)]
            assert gone[0] == gone[1], theirs


def answered(client: Client, where: str, form: dict[str, str], *ids: list[str]) -> list[tuple]:
    responses = [client.get(where), client.post(where, form)]
    leave_out = next(one for group in ids for one in group if one in where)
    return [answer(response, leave_out=leave_out) for response in responses]


def test_an_inbox_of_another_environment_narrows_the_queue_like_one_that_does_not_exist(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    foreign, absent = acme.there("inboxes.inbox").pk, new_id("inb")
    told = [answer(client.get(QUEUE, {"inbox": pk}), leave_out=pk) for pk in (foreign, absent)]
    assert told[0] == told[1]
    assert client.get(QUEUE, {"inbox": "nonsense"}).status_code == 200


def test_the_queue_holds_its_own_environment_only(walls: str, acme: House, signed_in: Callable[..., Client]) -> None:
    html = shown(signed_in("owner"), QUEUE)
    assert ("Draft of acme-development" in html, "Draft of acme-production" in html) == (True, False)


def test_a_stranger_sees_no_queue(acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("stranger").get(QUEUE).status_code == 302


@pytest.mark.parametrize("part", ["", "change", "html", "outlook", "conversation"])
def test_an_operators_look_at_a_draft_is_recorded(part: str, acme: House, signed_in: Callable[..., Client]) -> None:
    draft = answering(acme)
    signed_in("operator").get(page(draft, part) if part else place(draft))
    looked = AuditEntry.objects.in_organization(acme.organization).filter(action="operator.looked")
    assert {(entry.target_id, entry.after["model"]) for entry in looked} == {(draft.pk, "mail.draft")}


# --- frames and files ---


def test_the_html_is_shown_shut_in(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme, html_body='<p>Hi</p><script>alert(1)</script><img src="https://x.example/a.png">')
    client = signed_in("environment_member")
    frame = client.get(page(draft, "html"))
    assert "sandbox" in frame["Content-Security-Policy"]
    assert (b"<p>Hi</p>" in frame.content, b"script" in frame.content, b"x.example" in frame.content) == (
        True, False, False,
    )  # fmt: skip
    assert b"x.example" in client.get(page(draft, "html"), {"remote": "1"}).content


def test_a_file_is_handed_out_to_be_kept(acme: House, signed_in: Callable[..., Client]) -> None:
    draft = submitted(acme, files=[File("a\u202eb.html", "text/html", b"<script>alert(1)</script>")])
    client = signed_in("environment_member")
    file = client.get(place(draft)).context["reading"].files[0]
    got = client.get(page(file, "download"))
    assert (got.content, got["Content-Type"]) == (b"<script>alert(1)</script>", "application/octet-stream")
    assert got["Content-Disposition"].endswith("filename*=UTF-8''a%E2%80%AEb.html")
    assert got["X-Content-Type-Options"] == "nosniff"


# --- cheap ---


def test_every_page_is_cheap_and_no_dearer_with_more(acme: House, signed_in: Callable[..., Client]) -> None:
    draft, client = full(acme, 0), signed_in("environment_member")
    wheres = [
        QUEUE,
        place(draft),
        *(page(draft, part) for part in ("change", "outlook", "conversation", "edit")),
        "/console/mail/draft/",
        "/console/mail/draft/compose/",
        f"/console/mail/message/{acme.here('mail.message').pk}/reply/",
    ]
    for where in wheres:
        client.get(where)  # content types and the like are asked for once in a process
    before = {where: queries(client, where) for where in wheres}
    for number in range(1, 20):
        full(acme, number)
    with inside(acme.development):
        for number in range(5):
            writing.update_draft(acme.development, draft, {"subject": f"Again {number}"}, actor=AGENT)
    after = {where: queries(client, where) for where in wheres}
    assert after == before
    assert {where: count for where, count in before.items() if count >= 15} == {}


def full(house: House, number: int) -> Draft:
    """Return a draft with everything that a page shows, in two versions."""
    files = [File(f"{name}.txt", "text/plain", b"x") for name in range(number + 1)]
    cc = [Address(f"guest{guest}@nowhere.example", "") for guest in range(number + 1)]
    draft = answering(house, files=files, cc=cc)
    with inside(house.development):
        writing.update_draft(house.development, draft, {"text_body": f"Version {number}"}, actor=CAROL)
        return approval.submit(house.development, draft, actor=AGENT)


def queries(client: Client, where: str) -> int:
    """Return how many questions a page asks; savepoints are the test's own."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(asked_by(captured))
