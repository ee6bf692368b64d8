"""What is sent of an event that is too long, and that nothing is taken from any other."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings as installation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from environments.ids import new_id
from tests.webhooks.conftest import Tenant
from tests.webhooks.receiver import Receiver
from tests.world import Api, World, build, object_store  # noqa: F401 - a fixture
from webhooks.services.payload import MOST_BYTES, payload

HERE = "https://mail.acme.example"
IDS = {name: new_id(prefix) for name, prefix in (("message_id", "msg"), ("thread_id", "thr"), ("inbox_id", "inb"))}


def envelope(**fields: Any) -> dict[str, Any]:
    return {"id": "evt_01J", "type": "message.received", "env_id": "env_01J", "data": {**IDS, **fields}}


def sent(told: dict[str, Any]) -> dict[str, Any]:
    body = payload(told, HERE)
    assert len(body) <= MOST_BYTES
    return orjson.loads(body)["data"]


def of_length(size: int, **fields: Any) -> dict[str, Any]:
    """Return an envelope that is exactly so many bytes long as JSON."""
    return envelope(extracted_text="x" * (size - len(orjson.dumps(envelope(extracted_text="", **fields)))), **fields)


def test_the_limit_is_256_kb() -> None:
    assert MOST_BYTES == 262_144


def test_what_fits_exactly_is_sent_as_it_is() -> None:
    told = of_length(MOST_BYTES)
    assert payload(told, HERE) == orjson.dumps(told)


def test_one_byte_more_leaves_the_body_out_and_says_so() -> None:
    assert sent(of_length(MOST_BYTES + 1, subject="Hello", from_address="bob@example.com")) == {
        **IDS,
        "subject": "Hello",
        "from_address": "bob@example.com",
        "omitted": ["extracted_text"],
        "links": {
            "event": f"{HERE}/api/v1/events/evt_01J",
            "message": f"{HERE}/api/v1/messages/{IDS['message_id']}",
        },
    }


def test_an_event_of_no_message_links_to_itself_alone() -> None:
    told = {"id": "evt_01J", "data": {"api_key_id": "key_01J", "scopes": ["x" * 100] * 4000}}
    assert sent(told)["links"] == {"event": f"{HERE}/api/v1/events/evt_01J"}


def test_no_more_is_left_out_than_must_be_the_largest_first() -> None:
    told = envelope(extracted_text="x" * 150_000, to_addresses=["bob@example.com"] * 9_000, reasons=["spam"] * 100)
    data = sent(told)
    assert data["omitted"] == ["to_addresses"]
    assert (len(data["extracted_text"]), len(data["reasons"])) == (150_000, 100)


def test_subject_and_sender_are_the_last_to_go() -> None:
    told = envelope(extracted_text="x", subject="s" * 200_000, from_address="a" * 100_000, to_addresses=["b"] * 100)
    data = sent(told)
    assert data["omitted"] == ["to_addresses", "extracted_text", "subject"]
    assert data["from_address"] == "a" * 100_000


SHORT = st.text(max_size=9)
TEXTS = SHORT | st.builds(lambda text, times: text * times, SHORT, st.integers(0, 60_000))
VALUES = TEXTS | st.lists(TEXTS, max_size=4) | st.dictionaries(SHORT, TEXTS, max_size=4)
NAMES = st.sampled_from(
    ["subject", "from_address", "to_addresses", "extracted_text", "reasons", "author", "omitted", "links", "bounced"]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, VALUES | st.integers() | st.booleans() | st.none(), max_size=9))
@example({"subject": "\x00" * MOST_BYTES, "from_address": "\x00" * MOST_BYTES})
@example({"omitted": ["x"] * MOST_BYTES, "links": {"event": "x" * MOST_BYTES}})
def test_whatever_it_tells_of_a_payload_fits_and_names_what_it_is_about(fields: dict[str, Any]) -> None:
    fields = {name: value for name, value in fields.items() if not isinstance(value, int) or abs(value) < 2**63}
    told = envelope(**fields)
    whole, data = orjson.dumps(told), sent(told)
    assert IDS.items() <= data.items()
    if len(whole) <= MOST_BYTES:
        assert orjson.dumps({**told, "data": data}) == whole
    else:
        assert data["links"]["event"].endswith("/evt_01J")
        assert all(
            data[name] == value for name, value in fields.items() if name in data and name not in {"omitted", "links"}
        )
        assert fields.keys() <= data.keys() | set(data["omitted"])


def test_it_takes_time_in_proportion_to_what_is_told() -> None:
    def seconds(size: int) -> float:
        told = envelope(**{f"part_{number}": ["x"] * (size // 400) for number in range(100)})
        return min(_seconds(lambda: payload(told, HERE)) for _ in range(5))

    assert seconds(16_000_000) < 40 * seconds(1_600_000)


def _seconds(act: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


@pytest.fixture
def house(transactional_db: None) -> World:
    return build()


def test_a_mail_of_400_kb_is_told_without_its_text_and_the_links_lead_to_it(
    house: World,
    receiver: Receiver,
    deliver: Callable[[], int],
    object_store: Path,  # noqa: F811
) -> None:
    inbox, api = house.inbox(), house.api()
    Tenant(house.development).endpoint(receiver.url("/hook"), events=["message.received"])
    text = "\n".join(f"{number} words of a long report." for number in range(14_000))
    [message_id] = house.deliver(inbox, house.mail("Report", text))
    assert deliver() == 1
    [received] = receiver.of("/hook")
    data = received.event["data"]
    assert len(received.body) < MOST_BYTES
    assert (data["omitted"], data["subject"], data["message_id"]) == (["extracted_text"], "Report", message_id)
    assert _follow(api, data["links"]["message"])["extracted_text"] == text
    assert _follow(api, data["links"]["event"])["data"]["extracted_text"] == text


def _follow(api: Api, link: str) -> Any:
    assert link.startswith(f"{installation.AGENTPOST_PUBLIC_URL}/api/v1/")
    return api.get(link.removeprefix(f"{installation.AGENTPOST_PUBLIC_URL}/api/v1")).json()
