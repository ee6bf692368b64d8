"""The muzzle: whatever is asked, a real server sees only what the delivery mode permits."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck
from hypothesis import settings as budget
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from environments.binding import inside
from environments.callers import SYSTEM
from environments.errors import ValidationFailed
from environments.models import Environment
from mail.models import HandOver
from mail.parsing import Address
from mail.services.compose import Outgoing
from mail.services.send import RecipientBlocked, send
from tests.mail.sending.conftest import Post

HELD_BY_POSTGRESQL = [  # mode, what the environment names, state of the row, where it would go, whether it is refused
    ("capture", {}, "queued", "bob@example.com", True),
    ("capture", {}, "sending", "bob@example.com", True),
    ("capture", {}, "waiting", "", False),
    ("live", {}, "queued", "bob@example.com", False),
    ("allowlist", {}, "queued", "bob@example.com", True),
    ("allowlist", {"allowlist": ["bob@example.com"]}, "queued", "bob@example.com", False),
    ("allowlist", {"allowlist": ["example.com"]}, "sending", "bob@example.com", False),
    ("allowlist", {"allowlist": ["example.com"]}, "queued", "bob@evil.example.com", True),
    ("allowlist", {"allowlist": ["bob@example.com"]}, "queued", "bob@example.com.evil.example", True),
    ("allowlist", {"allowlist": ["example.com"]}, "queued", "eve%evil.example@example.com", True),
    ("allowlist", {"allowlist": ["example.com"]}, "queued", "evil.example!eve@example.com", True),
    ("allowlist", {"allowlist": ["example.com"]}, "queued", '"eve@evil.example"@example.com', True),
    ("allowlist", {"allowlist": ["example.com"]}, "queued", "eve@example.com@evil.example", True),
    ("redirect", {}, "queued", "bob@example.com", True),
    ("redirect", {}, "queued", "", True),
    ("redirect", {"redirect_address": "team@acme.example"}, "queued", "bob@example.com", True),
    ("redirect", {"redirect_address": "team@acme.example"}, "queued", "team@acme.example", False),
]


@pytest.mark.parametrize(("mode", "fields", "state", "to", "is_refused"), HELD_BY_POSTGRESQL)
def test_postgresql_refuses_a_row_that_the_mode_forbids(
    at_rest: Post, mode: str, fields: dict[str, Any], state: str, to: str, is_refused: bool
) -> None:
    message = at_rest.send()
    at_rest.mode(mode, **fields)
    row = HandOver(
        environment=at_rest.environment,
        inbox=at_rest.inbox,
        message_id=message["id"],
        state=state,
        envelope_recipient=to,
    )
    with inside(at_rest.environment):
        if is_refused:
            with pytest.raises(IntegrityError, match="lets no mail out"), transaction.atomic():
                row.save(force_insert=True)
        else:
            row.save(force_insert=True)


def test_a_row_cannot_be_moved_past_the_muzzle(at_rest: Post) -> None:
    at_rest.send()
    at_rest.mode("allowlist", allowlist=["example.com"])
    with inside(at_rest.environment):
        rows = HandOver.objects.in_environment(at_rest.environment)
        rows.update(state="sending")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(envelope_recipient="eve@evil.example")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(state="queued", envelope_recipient="eve@evil.example")


def test_without_the_walls_of_python_the_sender_still_lets_nothing_out(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last decision in Python is taken out; PostgreSQL refuses to mark the row, so no byte leaves."""
    post.send()
    monkeypatch.setattr("mail.sending.door._still_leaves", lambda *_: True)
    post.mode("capture")
    post.run(times=2)
    assert post.reached() == []


SECOND_SPELLINGS = [
    "bob%evil.example@example.com",
    "evil.example!bob@example.com",
    '"bob"@example.com',
    '"bob@evil.example"@example.com',
    '"b\\ob"@example.com',
    "@evil.example:bob@example.com",
]


@pytest.mark.parametrize("to", SECOND_SPELLINGS)
def test_an_address_that_a_relay_may_read_otherwise_is_not_sent_to(at_rest: Post, to: str) -> None:
    answer = at_rest.api.post(f"/inboxes/{at_rest.inbox.pk}/messages", {"to": to, "text_body": "Hi"})
    assert answer.status_code == 422
    with inside(at_rest.environment), pytest.raises(ValidationFailed):
        send(at_rest.environment, at_rest.inbox, Outgoing(to=[Address(to, "")]), actor=SYSTEM)


def test_rules_and_suppressions_see_the_domain_that_the_wire_sees(at_rest: Post) -> None:
    at_rest.api.post("/suppressions", {"email": "bob@example.com", "environment_id": at_rest.environment.pk})
    with inside(at_rest.environment), pytest.raises(RecipientBlocked):
        send(at_rest.environment, at_rest.inbox, Outgoing(to=[Address("bob@ex\u1d2cmple.com", "")]), actor=SYSTEM)


ADDRESSES = ("bob@example.com", "ann@example.org", "eve@evil.example")
TEAM = "team@acme.example"
LISTS: tuple[list[str], ...] = ([], ["example.com"], ["ann@example.org"], ["example.com", "ann@example.org"])


def permitted(mode: str, allowlist: list[str]) -> set[str]:
    if mode == "live":
        return set(ADDRESSES)
    if mode == "redirect":
        return {TEAM}
    if mode == "allowlist":
        return {email for email in ADDRESSES if email in allowlist or email.partition("@")[2] in allowlist}
    return set()


def machine(post: Post) -> type[RuleBasedStateMachine]:  # noqa: C901 - a rule for each thing that may happen
    class Muzzled(RuleBasedStateMachine):
        """Any sequence of calls, changes of mind and hours that pass."""

        def __init__(self) -> None:
            super().__init__()
            post.mode("capture", allowlist=[], redirect_address=TEAM, outbound_paused=False)
            post.make_due()
            post.run(times=4)
            post.sink.taken.clear()
            self.mode, self.allowlist, self.paused = "capture", [], False

        @rule(
            to=some.lists(some.sampled_from(ADDRESSES), min_size=1, max_size=3), kind=some.sampled_from(("to", "bcc"))
        )
        def send(self, to: list[str], kind: str) -> None:
            post.api.post(f"/inboxes/{post.inbox.pk}/messages", {kind: to, "text_body": "Hi"})

        @rule(to=some.sampled_from(ADDRESSES))
        def schedule(self, to: str) -> None:
            post.api.post(
                f"/inboxes/{post.inbox.pk}/messages", {"to": to, "text_body": "Hi", "send_at": "2026-12-01T00:00:00Z"}
            )

        @rule(mode=some.sampled_from(("capture", "allowlist", "redirect", "live")))
        def change_mode(self, mode: str) -> None:
            self.mode = mode
            post.mode(mode)

        @rule(entries=some.sampled_from(LISTS))
        def change_list(self, entries: list[str]) -> None:
            self.allowlist = entries
            Environment.everywhere.filter(pk=post.world.development.pk).update(allowlist=entries)

        @rule(paused=some.booleans())
        def pause(self, paused: bool) -> None:
            self.paused = paused
            post.pause(paused=paused)

        @rule(refusal=some.sampled_from(("451 4.3.0 Later", "550 5.7.1 No")))
        def misbehave(self, refusal: str) -> None:
            post.sink.once("end", refusal)

        @rule()
        def time_passes(self) -> None:
            post.make_due()

        @rule()
        def work(self) -> None:
            before = len(post.sink.taken)
            post.run()
            reached = {one for mail in post.sink.taken[before:] for one in mail.recipients}
            assert reached <= (set() if self.paused else permitted(self.mode, self.allowlist))

        @invariant()
        def nothing_leaves_between(self) -> None:
            assert len({id(mail) for mail in post.sink.taken}) == len(post.sink.taken)

    return Muzzled


def test_a_real_server_sees_only_what_the_mode_permits(post: Post) -> None:
    run_state_machine_as_test(
        machine(post),
        settings=budget(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
