"""Ids: what they look like, what is none, and that they sort by time."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.ids import decode, encode, first_at, new_id


@given(st.uuids())
def test_every_uuid_has_one_id_and_comes_back(value: uuid.UUID) -> None:
    identifier = encode("msg", value)
    assert decode("msg", identifier) == value
    assert len(identifier) == len("msg_") + 26


@given(st.uuids(), st.uuids())
def test_ids_sort_as_their_uuids_do(one: uuid.UUID, other: uuid.UUID) -> None:
    assert (encode("msg", one) < encode("msg", other)) == (one < other)


NO_IDS = [
    "",
    "msg",
    "msg_",
    "msg_01J",
    "thr_" + "0" * 26,
    "MSG_" + "0" * 26,
    "msg_" + "0" * 25,
    "msg_" + "0" * 27,
    "msg_" + "8" + "0" * 25,
    "msg_" + "0" * 25 + "U",
    "msg_" + "0" * 25 + "a",
    "msg_" + "0" * 25 + "_",
    "msg_" + "0" * 25 + "٣",
    "msg_" + "0" * 25 + " ",
    "msg_" + "0" * 25 + "\x00",
    "msg_" + "0" * 25 + "\ud800",
    "msg_" + "+" + "0" * 25,
    "msg_" + " " + "0" * 25,
    "msg_" + "0" + "_" + "0" * 24,
    "00000000-0000-0000-0000-000000000000",
]


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode("msg", text)


def test_fresh_ids_grow() -> None:
    made = [new_id("evt") for _ in range(1000)]
    assert made == sorted(set(made))


def test_a_moment_bounds_the_ids_made_at_it() -> None:
    before, after = datetime.now(UTC) - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1)
    assert first_at("msg", before) < new_id("msg") < first_at("msg", after)
