"""The plain list, which makes no models, shows each kind of message as the call for that one message does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from environments.binding import inside
from mail.api.listing import NAMES
from mail.api.present import BODIES, MessageOutput
from mail.models import Message
from mail.services import labels
from tests.api.routes import mail_with_file
from tests.world import Api, World

OF_ONE_ALONE = {*BODIES, "text_for_model"}
MOMENT = datetime(2026, 3, 3, 10, 0, 0, 123999, tzinfo=UTC)
REASON = {"code": "spam", "explanation": 'A "rule" \\ says \U0001f600 so.', "rule_id": None}
KINDS: list[dict[str, Any]] = [
    *({"status": status} for status in Message.Status.values if status != Message.Status.QUARANTINED),
    *({"automatic": kind} for kind in ("", *Message.Automatic.values)),
    {"report": {"kind": "bounce", "recipients": [{"email": "x@example.com", "detail": "\u2028\\u0000"}]}},
    {"report": {}},
    {"authentication": {}},
    {"authentication": {"spf": "pass", "aligned": False, "details": {"spf": ["why", None, 1.5]}}},
    {"flags": ["prompt_injection"], "flag_evidence": {"prompt_injection": ['Ignore "all" of it\n']}},
    {"quarantine_reasons": [REASON]},
    {"metadata": {"b": 1, "a": None, "large": 2**53, "point": 0.1, "empty": "", "yes": True}},
    {"send_at": MOMENT},
    {"date": None, "subject": "", "from_email": "", "from_name": "", "to_addresses": [], "message_id_header": ""},
    {"date": MOMENT, "in_reply_to": "<a@b>", "references": ["<a@b>", '<"c d">'], "cc_addresses": [{"email": "c@d"}]},
    {"headers": {"x-odd": ["\u00fc", ""]}, "bcc_addresses": [{"email": "b@d", "name": "B"}], "size": 2**40},
]


@pytest.fixture
def filled(acme: World, api: Api) -> int:
    """Fill an inbox with a message of each kind, and some that came and went as they do; return how many there are."""
    inbox = acme.inbox(acme.production)
    acme.deliver(inbox, mail_with_file(acme), *(acme.mail() for _ in KINDS))
    mail = {"to": ["a@example.com"], "bcc": ["b@example.com"], "text_body": "Hi", "metadata": {"order": 7}}
    first = api.post(f"/inboxes/{inbox.pk}/messages", mail).json()["id"]
    assert api.post(f"/messages/{first}/reply", {"text_body": "Well"}).status_code == 201
    with inside(acme.production):
        rows = Message.objects.in_environment(acme.production)
        plain = list(rows.filter(direction="inbound", has_attachments=False).order_by("pk"))
        for message, kind in zip(plain, KINDS, strict=True):
            rows.filter(pk=message.pk).update(**kind)
        labels.add(acme.production, plain[::2], ["b", "a"])
    return len(KINDS) + 3


@pytest.mark.parametrize("query", ["", "?limit=9"])
def test_the_list_shows_what_the_call_for_one_shows(filled: int, api: Api, query: str) -> None:
    listed, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/messages{query or '?limit=100'}&cursor={cursor}".removesuffix("&cursor=")).json()
        listed, cursor = [*listed, *page["data"]], page["next_cursor"]
    assert len(listed) == filled
    for shown in listed:
        alone = api.get(f"/messages/{shown['id']}").json()
        assert shown == {name: value for name, value in alone.items() if name not in OF_ONE_ALONE}


def test_every_column_that_is_shown_is_read() -> None:
    told = {"from_address", "labels", "attachments", "recipients", "replies_to_message_id", "one_time_codes", "links"}
    assert {*MessageOutput().fields} - OF_ONE_ALONE - told == {*NAMES} - {"from_email", "from_name", "answers_id"}
