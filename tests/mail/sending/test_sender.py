"""The sender: what is accepted leaves once, in order, and everything that happens to it is told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from environments import clock
from environments.binding import inside
from environments.encryption import CannotOpen
from environments.models import Environment, UsageHour
from inboxes.models import Inbox, Suppression
from mail.models import HandOver, Step
from mail.sending import door, sender
from mail.sending.claims import claim_due
from tests.mail.sending.conftest import Post
from tests.mail.sink import DROP, Slow, wait_until


def test_a_mail_goes_out_once_and_is_told_of(post: Post) -> None:
    message = post.send("bob@example.com", bcc=["hidden@example.com"])
    assert message["status"] == "queued"
    assert post.run() == 2
    assert post.run() == 0
    assert sorted(post.reached()) == ["bob@example.com", "hidden@example.com"]
    assert all(b"hidden" not in mail.raw for mail in post.sink.taken)
    assert post.read(message)["status"] == "sent"
    assert {row["status"] for row in post.read(message)["recipients"]} == {"sent"}
    assert sorted(email for told in post.events("message.sent") for email in told["sent_recipients"]) == [
        "bob@example.com",
        "hidden@example.com",
    ]
    assert post.steps(message)[-1] == ("sent", "handed_over")


def test_one_address_gets_a_mail_once_however_often_it_is_named(post: Post) -> None:
    message = post.send("bob@example.com", cc=["BOB@example.com"])
    post.run()
    assert post.reached() == ["bob@example.com"]
    assert [row["status"] for row in post.read(message)["recipients"]] == ["sent", "sent"]


def test_what_is_paused_waits_and_leaves_in_order(post: Post) -> None:
    post.pause(paused=True)
    messages = [post.send(subject=str(number)) for number in range(3)]
    assert [message["status"] for message in messages] == ["queued"] * 3
    assert post.run() == 0
    post.pause(paused=False)
    post.run()  # each is decided on and queued
    post.run(times=3, most=1)
    assert [mail.message_id for mail in post.sink.taken] == [message["message_id_header"] for message in messages]


def test_a_paused_inbox_holds_its_own_mail_only(post: Post) -> None:
    other = post.world.inbox(email="other@dev.agentpost.localhost")
    held = post.send()
    post.api.patch(f"/inboxes/{post.inbox.pk}", {"send_paused": True})
    answer = post.api.post(f"/inboxes/{other.pk}/messages", {"to": "ann@example.com", "text_body": "Hi"})
    post.run(times=2)
    assert post.reached() == ["ann@example.com"]
    assert post.read(answer.json())["status"] == "sent"
    assert post.read(held)["status"] == "queued"
    post.api.patch(f"/inboxes/{post.inbox.pk}", {"send_paused": False})
    post.run(times=2)
    assert post.reached() == ["ann@example.com", "bob@example.com"]


def test_a_scheduled_mail_leaves_when_it_is_due(post: Post) -> None:
    at = clock.now() + timedelta(hours=1)
    message = post.send(send_at=clock.written(at))
    assert (message["status"], message["send_at"]) == ("scheduled", clock.written(at))
    assert post.run() == 0
    post.make_due()
    post.run(times=2)
    assert post.read(message)["status"] == "sent"


def test_a_waiting_mail_can_be_called_back_once(post: Post) -> None:
    message = post.send(send_at=clock.written(clock.now() + timedelta(hours=1)))
    answer = post.api.post(f"/messages/{message['id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert post.steps(message)[-1] == ("failed", "cancelled")
    assert post.api.post(f"/messages/{message['id']}/cancel").json()["error"]["code"] == "nothing_to_cancel"
    post.make_due()
    post.run(times=2)
    assert post.reached() == []


def test_what_was_sent_cannot_be_called_back(post: Post) -> None:
    message = post.send()
    post.run()
    assert post.api.post(f"/messages/{message['id']}/cancel").status_code == 409


def test_a_temporary_refusal_is_tried_again(post: Post) -> None:
    post.sink.once("end", "451 4.3.0 Later")
    message = post.send()
    post.run()
    assert post.read(message)["status"] == "queued"
    assert post.steps(message)[-1] == ("queued", "deferred")
    assert post.run() == 0
    post.make_due()
    post.run()
    assert (post.read(message)["status"], len(post.sink.taken)) == ("sent", 1)


def test_what_is_refused_for_five_days_bounces_softly(post: Post) -> None:
    post.sink.always("rcpt", "450 4.2.1 Try later")
    message = post.send()
    post.run()
    with inside(post.environment):
        HandOver.objects.in_environment(post.environment).update(created_at=clock.now() - timedelta(days=5))
    post.make_due()
    post.run()
    assert post.read(message)["status"] == "bounced"
    [told] = post.events("message.bounced")
    assert told["bounce_type"] == "soft"
    assert post.world.rows(Suppression) == []


@pytest.mark.parametrize(
    ("reply", "is_suppressed"),
    [("550 5.1.1 No such user", True), ("550 No such user", True), ("550 5.7.1 Not wanted", False)],
)
def test_a_refusal_bounces_and_a_bad_address_is_not_mailed_again(post: Post, reply: str, is_suppressed: bool) -> None:
    post.sink.always("rcpt bob@example.com", reply)
    message = post.send("bob@example.com", "ann@example.com")
    post.run()
    statuses = {row["email"]: row["status"] for row in post.read(message)["recipients"]}
    assert statuses == {"bob@example.com": "bounced", "ann@example.com": "sent"}
    [told] = post.events("message.bounced")
    assert told["bounce_type"] == "hard"
    assert told["bounced_recipients"][0]["email_address"] == "bob@example.com"
    assert "550" in told["bounced_recipients"][0]["diagnostic_code"] or "No" in str(told["bounced_recipients"])
    [hour] = post.world.rows(UsageHour)
    assert hour.messages_bounced == 1
    assert [row.email for row in post.world.rows(Suppression)] == (["bob@example.com"] if is_suppressed else [])


def test_a_lost_answer_is_no_refusal(post: Post) -> None:
    post.sink.once("end", DROP)
    message = post.send()
    post.run()
    assert post.read(message)["status"] == "queued"
    post.make_due()
    post.run()
    assert post.read(message)["status"] == "sent"
    assert [mail.acknowledged for mail in post.sink.taken] == [False, True]
    assert len({mail.message_id for mail in post.sink.taken}) == 1


CHANGES_OF_MIND = [  # what happens while the mail waits, what becomes of it, and whom the sink sees
    ("capture", {}, "captured", []),
    ("allowlist", {"allowlist": ["example.org"]}, "captured", []),
    ("allowlist", {"allowlist": ["example.com"]}, "sent", ["bob@example.com"]),
    ("redirect", {"redirect_address": "team@acme.example"}, "sent", ["team@acme.example"]),
]


@pytest.mark.parametrize(("mode", "fields", "status", "reached"), CHANGES_OF_MIND)
def test_the_mode_at_the_last_moment_counts(
    post: Post, mode: str, fields: dict[str, object], status: str, reached: list[str]
) -> None:
    message = post.send()
    post.mode(mode, **fields)
    post.run(times=3)
    assert (post.read(message)["status"], post.reached()) == (status, reached)


def test_a_redirected_mail_names_nobody_else_as_its_recipient(post: Post) -> None:
    post.mode("redirect", redirect_address="team@acme.example")
    message = post.send("bob@example.com", cc=["ann@example.com"], bcc=["dan@example.com"])
    post.run()
    [mail] = post.sink.taken
    assert mail.recipients == ["team@acme.example"]
    head = mail.raw.partition(b"\r\n\r\n")[0]
    assert b"\r\nTo: team@acme.example" in head
    assert b"\r\nCc:" not in head
    assert b"\r\nAgentPost-Original-To: bob@example.com" in head
    assert b"\r\nAgentPost-Original-Cc: ann@example.com" in head
    assert b"dan@example.com" not in mail.raw
    assert post.read(message)["status"] == "sent"


def test_a_server_that_says_what_cannot_be_stored_gets_a_mail_once(post: Post) -> None:
    post.sink.once("end", "250 2.0.0 Taken\x00\x07")
    message = post.send()
    for _ in range(3):
        post.run()
        post.make_due()
    assert (post.read(message)["status"], len(post.sink.taken)) == ("sent", 1)


def test_what_was_accepted_to_be_captured_does_not_leave_after_going_live(post: Post) -> None:
    post.mode("capture")
    message = post.send(send_at=clock.written(clock.now() + timedelta(hours=1)))
    post.mode("live")
    post.make_due()
    post.run(times=2)
    assert (post.read(message)["status"], post.reached()) == ("captured", [])


def test_a_mail_that_is_redirected_while_it_waits_goes_out_once(post: Post) -> None:
    message = post.send("bob@example.com", "ann@example.com", "carl@example.com")
    post.mode("redirect", redirect_address="team@acme.example")
    post.run(times=6)
    assert (post.reached(), post.read(message)["status"]) == (["team@acme.example"], "sent")


def test_a_message_that_cannot_be_decided_on_holds_nobody_else_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = post.send(send_at=clock.written(clock.now() + timedelta(hours=1)))
    sound = post.send(send_at=clock.written(clock.now() + timedelta(hours=1)))
    decided = door.decide

    def decide(environment: Environment, inbox: Inbox, wanted: Any) -> Any:
        if Step.objects.in_environment(environment).filter(message=poison["id"]).exists() and not seen.get("poison"):
            seen["poison"] = True
            raise RuntimeError("poison")
        return decided(environment, inbox, wanted)

    seen: dict[str, bool] = {}
    monkeypatch.setattr(door, "decide", decide)
    post.make_due()
    post.run(times=3)
    assert seen == {"poison": True}
    assert sorted(post.read(one)["status"] for one in (poison, sound)) in (["queued", "sent"], ["scheduled", "sent"])


def test_a_transport_that_cannot_be_used_holds_nobody_else_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    held, production = post.send(), post.world.production
    Environment.everywhere.filter(pk=production.pk).update(delivery_mode="live")
    inbox = post.world.inbox(production, email="sales@shop.agentpost.localhost")
    answer = post.world.api().post(f"/inboxes/{inbox.pk}/messages", {"to": "ann@example.com", "text_body": "Hi"})
    found = sender.transport_of

    def transport_of(environment: Environment) -> Any:
        if environment.pk == post.world.development.pk:
            raise CannotOpen("another secret")
        return found(environment)

    monkeypatch.setattr(sender, "transport_of", transport_of)
    assert answer.status_code == 201
    post.run(times=2)
    assert (post.reached(), post.read(held)["status"]) == (["ann@example.com"], "queued")


def test_one_environment_does_not_take_all_the_places(post: Post) -> None:
    for _ in range(4):
        post.send("a@example.com", "b@example.com", "c@example.com", "d@example.com")
    assert len(claim_due(50, 10)) == 10
    assert claim_due(50, 10) == []


async def send_beyond_a_lease(post: Post) -> None:
    async with sender.Sender() as ours:
        await ours.claim()
        await asyncio.to_thread(wait_until, post.sink, 1)
        await ours._workers[0].run(post.make_due)
        await ours.claim()
        await ours.finish()


def test_what_is_still_under_way_when_its_lease_ends_goes_out_once(post: Post) -> None:
    message = post.send()
    post.sink.once("end", Slow(0.5))
    asyncio.run(send_beyond_a_lease(post))
    assert (post.read(message)["status"], post.sink.copies(message["message_id_header"])) == ("sent", 1)
