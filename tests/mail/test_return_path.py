"""Return paths: a token that says what a bounce is about, and leads nowhere else."""

from datetime import timedelta
from uuid import UUID

import pytest

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.ids import decode, encode, new_id
from inboxes.models import Domain
from inboxes.services.domains import add_domain
from mail.intake import Refused
from mail.models import HandOver
from mail.services.recipients import UNKNOWN, recipient_of
from mail.services.return_path import address_for, read, token_of
from tests.mail.sent import Sent, sent
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(acme: World) -> Sent:
    with inside(acme.development):
        add_domain(acme.development, "acme.example", actor=SYSTEM, is_trusted=True)
    return sent(acme.development, acme.inbox(email="support@acme.example"), "bob@example.com")


def path_of(mail: Sent, *, has_return_path: bool = True) -> str:
    return address_for(mail.hand_overs["bob@example.com"], mail.inbox, has_return_path)


@pytest.mark.parametrize(
    ("has_return_path", "start", "end"),
    [(True, "bounces+", "@bounces.acme.example"), (False, "support+", "@acme.example")],
)
def test_it_leads_to_the_inbox_that_the_mail_was_sent_from(
    mail: Sent, has_return_path: bool, start: str, end: str
) -> None:
    address = path_of(mail, has_return_path=has_return_path)
    assert (address.startswith(start), address.endswith(end), len(address.rpartition("@")[0]) <= 64) == (True,) * 3
    for written in (address, address.upper()):
        found = recipient_of(written)
        assert encode("env", found.environment_id) == mail.environment.pk
        assert encode("inb", found.inbox_id) == mail.inbox.pk
        assert read(written).hand_over_id == mail.hand_overs["bob@example.com"].pk


def test_a_name_that_leaves_no_room_for_a_token_is_used_as_it_is(mail: Sent) -> None:
    mail.inbox.email = f"{'a' * 30}@acme.example"
    assert path_of(mail, has_return_path=False) == mail.inbox.email
    assert len(path_of(mail).rpartition("@")[0]) <= 64


def refused(address: str) -> str:
    with pytest.raises(Refused) as refusal:
        recipient_of(address)
    return refusal.value.reply


def flipped(token: str, place: int) -> str:
    return token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]


@pytest.mark.parametrize("place", [0, 10, 25, 26, 38])
@pytest.mark.parametrize("has_return_path", [True, False])
def test_a_forged_token_is_an_unknown_address(mail: Sent, place: int, has_return_path: bool) -> None:
    local, _, domain = path_of(mail, has_return_path=has_return_path).partition("@")
    name, _, token = local.partition("+")
    assert refused(f"{name}+{flipped(token, place)}@{domain}") == UNKNOWN


def test_a_token_signed_with_another_secret_is_an_unknown_address(mail: Sent, settings: object) -> None:
    address = path_of(mail)
    settings.SECRET_KEY = "another"
    assert refused(address) == UNKNOWN


def test_a_genuine_token_at_an_address_it_was_not_made_for_is_unknown(mail: Sent, acme: World) -> None:
    token = token_of(mail.hand_overs["bob@example.com"].pk)
    other = acme.inbox(acme.production, username="other")
    for address in (
        f"bounces+{token}@bounces.other.example",
        f"bounces+{token}@acme.example",
        f"{other.username}+{token}@{other.domain_name}",
        f"nobody+{token}@acme.example",
    ):
        assert refused(address) == UNKNOWN


def test_a_token_of_a_hand_over_that_is_not_there_is_unknown(mail: Sent) -> None:
    assert refused(f"bounces+{token_of(new_id('hov'))}@bounces.acme.example") == UNKNOWN


def test_a_token_ends_a_month_after_its_mail_was_done(mail: Sent) -> None:
    rows = HandOver.objects.in_environment(mail.environment)
    for days, is_known in ((29, True), (31, False)):
        with inside(mail.environment):
            rows.update(finished_at=clock.now() - timedelta(days=days))
        assert (UNKNOWN if not is_known else "") == (refused(path_of(mail)) if not is_known else "")
        if is_known:
            assert isinstance(recipient_of(path_of(mail)).inbox_id, UUID)


def test_a_domain_that_is_no_longer_ours_takes_no_more_bounces(mail: Sent) -> None:
    with inside(mail.environment):
        Domain.objects.in_environment(mail.environment).update(status="suspended")
    assert refused(path_of(mail)) == UNKNOWN


def test_an_ordinary_tag_stays_one(mail: Sent) -> None:
    assert recipient_of("support+case7@acme.example").inbox_id == decode("inb", mail.inbox.pk)
