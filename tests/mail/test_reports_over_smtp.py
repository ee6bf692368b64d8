"""A bounce over real sockets: taken at RCPT by its token alone, and told of by its events."""

import smtplib
from collections.abc import Iterator

import pytest
from django.conf import settings

from mail.services.return_path import address_for
from tests.mail.sent import Sent, sent
from tests.mail.smtpd import Front, running_smtpd
from tests.mail.test_reports import BOB, sample
from tests.world import World, build

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(scope="module")
def front(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGENTPOST_SECRET_KEY", settings.SECRET_KEY)  # tokens are made here and read there
        with running_smtpd(tmp_path_factory.mktemp("smtpd")) as running:
            yield running


@pytest.fixture
def world(transactional_db: None) -> World:
    return build()


@pytest.fixture
def mail(world: World) -> Sent:
    return sent(world.development, world.inbox(username="ann"), BOB)


def rcpt(front: Front, address: str) -> int:
    with smtplib.SMTP("127.0.0.1", front.port, timeout=20) as client:
        client.ehlo()
        client.mail("<>")
        return client.rcpt(address)[0]


def test_a_bounce_to_the_return_path_changes_the_message_it_is_about(front: Front, mail: Sent) -> None:
    address = address_for(mail.hand_overs[BOB], mail.inbox, has_return_path=True)
    with smtplib.SMTP("127.0.0.1", front.port, timeout=20) as client:
        assert client.sendmail("", [address], sample("dsn_unknown_user")) == {}
    assert (mail.statuses, mail.events) == ({BOB: "bounced"}, ["message.bounced"])
    assert mail.suppressions == {BOB: "hard_bounce"}


def test_a_forged_token_is_answered_like_an_unknown_address(front: Front, mail: Sent) -> None:
    address = address_for(mail.hand_overs[BOB], mail.inbox, has_return_path=True)
    forged = f"bounces+{'a' * 39}@bounces.agentpost.localhost"
    assert [rcpt(front, one) for one in (address, forged, "nobody@agentpost.localhost")] == [250, 550, 550]
