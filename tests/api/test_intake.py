"""Why did this mail not arrive? What GET /intake answers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from environments import clock
from environments.binding import inside
from environments.callers import SYSTEM
from environments.clock import written
from inboxes.services.domains import add_domain
from mail.intake import Attempt
from mail.models import Message
from mail.services.attempts import Attempts
from tests.world import World, error_of

pytestmark = pytest.mark.django_db


def refuse(world: World, address: str, **fields: Any) -> None:
    """Let a mail for an address at acme.example, which is development's, be turned away."""
    told = {"reason": "unknown_recipient", "reply": "550 5.1.1 There is no such address here", "stage": "rcpt"}
    told |= {"envelope_sender": "bounce-7@list.example", "recipient": None, "size": None} | fields
    who = {"peer": "192.0.2.9", "helo": "mx.list.example", "tls": True, "transaction": uuid4(), "at": clock.now()}
    Attempts().note([Attempt(address=address, **told, **who)])


@pytest.fixture
def ledger(acme: World) -> World:
    """Return acme, where support@acme.example is an inbox that had a mail, and others were turned away."""
    with inside(acme.development):
        add_domain(acme.development, "acme.example", actor=SYSTEM, is_trusted=True)
    inbox = acme.inbox(email="support@acme.example")
    acme.deliver(inbox, acme.mail(From="Eve <Eve@Author.example>"), sender="Sender@List.example")
    refuse(acme, "suport@acme.example")
    refuse(acme, "support+case7@acme.example", reason="inbound_paused", reply="451 4.3.2 Later")
    return acme


FILTERS = [  # the query, and the recipients of what it finds, the newest first
    ("", ["support+case7", "suport", "support"]),
    ("recipient=suport@acme.example", ["suport"]),
    ("recipient=support@acme.example", ["support+case7", "support"]),
    ("recipient=SUPPORT%2Bcase7@acme.example", ["support+case7"]),
    ("recipient=support%2Bother@acme.example", []),
    ("sender=sender@list.example", ["support"]),
    ("sender=eve@author.example", ["support"]),
    ("sender=bounce-7@list.example", ["support+case7", "suport"]),
    ("sender=bounce-7@list.example&outcome=deferred", ["support+case7"]),
    ("outcome=accepted", ["support"]),
    ("outcome=quarantined", []),
    ("after=2000-01-01", ["support+case7", "suport", "support"]),
    ("before=2000-01-01", []),
]


@pytest.mark.parametrize("nesting", ["", "/environments/development"])
@pytest.mark.parametrize(("query", "found"), FILTERS)
def test_entries_are_found_by_who_wrote_to_whom(ledger: World, query: str, found: list[str], nesting: str) -> None:
    rows = ledger.api(environments=[ledger.development]).items(f"{nesting}/intake?{query}")
    assert [row["recipient"].removesuffix("@acme.example") for row in rows] == found


def test_an_entry_tells_what_happened_and_why(ledger: World) -> None:
    api = ledger.api(environments=[ledger.development])
    [listed] = api.items("/intake?recipient=suport@acme.example")
    entry = api.get(f"/intake/{listed['id']}").json()
    assert entry == listed
    assert entry["explanation"] == "No inbox has this address."
    assert (entry["outcome"], entry["stage"], entry["reason"]) == ("refused", "rcpt", "unknown_recipient")
    assert (entry["reply"], entry["count"]) == ("550 5.1.1 There is no such address here", 1)
    assert (entry["peer"], entry["helo"], entry["tls"]) == ("192.0.2.9", "mx.list.example", True)
    assert (entry["inbox_id"], entry["message_id"], entry["size"]) == (None, None, None)


def test_an_entry_of_a_mail_that_arrived_leads_to_it(ledger: World) -> None:
    [entry] = ledger.api(environments=[ledger.development]).items("/intake?outcome=accepted")
    [message] = ledger.rows(Message)
    assert (entry["message_id"], entry["inbox_id"]) == (message.pk, message.inbox_id)
    assert (entry["from_email"], entry["envelope_sender"]) == ("eve@author.example", "sender@list.example")


def test_a_time_range_ends_before_its_end(ledger: World) -> None:
    later = written(datetime.now(UTC) + timedelta(minutes=1))
    api = ledger.api(environments=[ledger.development])
    assert len(api.items(f"/intake?before={later}")) == 3
    assert api.items(f"/intake?after={later}") == []


def test_nothing_of_it_is_in_another_environment(ledger: World) -> None:
    api = ledger.api(environments=[ledger.production])
    theirs = ledger.api(environments=[ledger.development]).items("/intake")[0]["id"]
    assert api.items("/intake?recipient=support@acme.example") == []
    assert api.get(f"/intake/{theirs}").status_code == 404


BAD_QUERIES = ["outcome=lost", "before=yesterday", "sender=" + "x" * 321, "recipient=%00"]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_query_that_makes_no_sense_is_refused(ledger: World, query: str) -> None:
    answer = ledger.api().get(f"/intake?environment_id=development&{query}")
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, query.partition("=")[0])
