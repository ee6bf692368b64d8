"""Which environment a request is in: PRODUCT.md section 2, as a table."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apikeys.services import create_key
from environments.binding import inside
from environments.callers import SYSTEM, Actor
from environments.models import Environment
from environments.services.environments import create_environment, set_delivery_mode
from environments.services.organizations import create_organization
from inboxes.services.inboxes import create_inbox

PLACES = ("path", "body", "query", "header")
NOWHERE = "env_00000000000000000000000000"
REFUSED = {
    "not_found": 404,
    "environment_conflict": 400,
    "environment_required": 400,
    "validation_error": 422,
}


@dataclass
class House:
    """An organization with a default environment and three more, another's, and keys to them."""

    environments: dict[str, Environment]
    inboxes: dict[str, str]
    keys: dict[str, str]

    def named(self, name: str) -> str:
        """Return an id where the table says ``#slug``, and the text itself otherwise."""
        return self.environments[name[1:]].pk if name.startswith("#") else name


@pytest.fixture
def house(db: None) -> House:
    acme, production, _ = create_organization("Acme", "owner@acme.example")
    globex, foreign, _ = create_organization("Globex", "owner@globex.example")
    made = {name: create_environment(acme, name, actor=SYSTEM)[0] for name in ("staging", "development", "public")}
    foreign, _ = create_environment(globex, "foreign", actor=SYSTEM)
    environments = {"production": production, **made, "foreign": foreign}
    reach = {"wide": None, "one": ["staging"], "two": ["staging", "development"]}
    keys = {
        name: create_key(
            acme.pk, name, actor=SYSTEM, scopes=["*"], environments=slugs and [environments[slug] for slug in slugs]
        ).secret
        for name, slugs in reach.items()
    }
    person = Actor("member", name="owner@acme.example")
    environments["public"] = set_delivery_mode(environments["public"], "live", actor=person, reason="It is time.")
    return House(environments, {name: _inbox(where) for name, where in environments.items()}, keys)


def _inbox(environment: Environment) -> str:
    with inside(environment):
        return create_inbox(environment, actor=SYSTEM)[0].pk


def call(house: House, key: str, path: str, places: dict[str, str], *, creates: bool) -> HttpResponse:
    """List or create inboxes, or read one, with the environment named in these places."""
    named = {place: house.named(name) for place, name in places.items()}
    prefix = f"/environments/{named['path']}" if "path" in named else ""
    headers = {"Authorization": f"Bearer {house.keys[key]}"}
    if "header" in named:
        headers["AgentPost-Environment"] = named["header"]
    options: dict[str, Any] = {"headers": headers}
    if "query" in named:
        options["query_params"] = {"environment_id": named["query"]}
    url, client = f"/api/v1{prefix}{path}", Client(raise_request_exception=False)
    if not creates:
        return client.get(url, **options)
    body = {"environment_id": named["body"]} if "body" in named else {}
    return client.post(url, body, content_type="application/json", **options)


def outcome(house: House, answer: HttpResponse) -> str:
    """Return the slug of the environment that the answer is from, or the code of its refusal."""
    told = answer.json()
    if "error" in told:
        assert answer.status_code == REFUSED[told["error"]["code"]]
        return told["error"]["code"]
    rows = told.get("data", [told])
    [environment_id] = {row["environment_id"] for row in rows}
    return next(slug for slug, where in house.environments.items() if where.pk == environment_id)


CASES = [  # the key, where the environment is named, and the environment that follows, or the refusal
    ("wide", {}, "production"),
    ("one", {}, "staging"),
    ("two", {}, "environment_required"),
    *(("wide", {place: "staging"}, "staging") for place in PLACES),
    *(("wide", {place: "#staging"}, "staging") for place in PLACES),
    *(("two", {place: "development"}, "development") for place in PLACES),
    *(("wide", {place: "foreign"}, "not_found") for place in PLACES),
    *(("wide", {place: "#foreign"}, "not_found") for place in PLACES),
    *(("wide", {place: "nowhere"}, "not_found") for place in PLACES),
    *(("wide", {place: NOWHERE}, "not_found") for place in PLACES),
    *(("wide", {place: "Not A Slug"}, "not_found") for place in PLACES),
    *(("one", {place: "production"}, "not_found") for place in PLACES),
    *(("one", {place: "#production"}, "not_found") for place in PLACES),
    *(("wide", {place: "public"}, "not_found") for place in PLACES),  # a dev key, and the environment went live
    *(("wide", {first: "staging", second: "#staging"}, "staging") for first, second in combinations(PLACES, 2)),
    *(
        ("wide", {first: "staging", second: "development"}, "environment_conflict")
        for first, second in combinations(PLACES, 2)
    ),
    *(("wide", {first: "staging", second: "#foreign"}, "not_found") for first, second in combinations(PLACES, 2)),
    ("wide", dict.fromkeys(PLACES, "staging"), "staging"),
]


@pytest.mark.parametrize(("key", "places", "expected"), CASES)
def test_a_create_is_in(key: str, places: dict[str, str], expected: str, house: House) -> None:
    assert outcome(house, call(house, key, "/inboxes", places, creates=True)) == expected


@pytest.mark.parametrize(("key", "places", "expected"), [case for case in CASES if "body" not in case[1]])
def test_a_list_is_in(key: str, places: dict[str, str], expected: str, house: House) -> None:
    assert outcome(house, call(house, key, "/inboxes", places, creates=False)) == expected


ITEMS = [  # the key, whose inbox, where the environment is named, and what follows
    ("wide", "production", {}, "production"),
    ("wide", "staging", {}, "staging"),
    ("two", "development", {}, "development"),
    ("one", "staging", {}, "staging"),
    ("one", "production", {}, "not_found"),
    ("wide", "foreign", {}, "not_found"),
    ("wide", "public", {}, "not_found"),
    *(("wide", "staging", {place: "staging"}, "staging") for place in ("path", "query", "header")),
    *(("wide", "staging", {place: "#staging"}, "staging") for place in ("path", "query", "header")),
    *(("wide", "staging", {place: "development"}, "not_found") for place in ("path", "query", "header")),
    *(("wide", "foreign", {place: "staging"}, "not_found") for place in ("path", "query", "header")),
    *(("wide", "foreign", {place: "#foreign"}, "not_found") for place in ("path", "query", "header")),
    *(("wide", "staging", {place: "nowhere"}, "not_found") for place in ("path", "query", "header")),
    ("wide", "staging", {"path": "staging", "header": "development"}, "environment_conflict"),
    ("wide", "staging", {"query": "staging", "header": "development"}, "environment_conflict"),
]


@pytest.mark.parametrize(("key", "whose", "places", "expected"), ITEMS)
def test_an_item_is_in(key: str, whose: str, places: dict[str, str], expected: str, house: House) -> None:
    path = f"/inboxes/{house.inboxes[whose]}"
    assert outcome(house, call(house, key, path, places, creates=False)) == expected


def test_below_an_item_is_where_the_item_is(house: House) -> None:
    path = f"/inboxes/{house.inboxes['staging']}/messages"
    sent = call(house, "wide", path, {}, creates=True)
    assert (sent.status_code, sent.json()["error"]["code"]) == (422, "validation_error")  # found, and nobody to send to
    assert call(house, "one", path, {}, creates=False).json()["data"] == []


def test_an_environment_is_named_by_a_string(house: House) -> None:
    answer = Client().post(
        "/api/v1/inboxes",
        {"environment_id": 7},
        content_type="application/json",
        headers={"Authorization": f"Bearer {house.keys['wide']}"},
    )
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "environment_id")
