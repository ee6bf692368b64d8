"""Keys: what they are made of, what they may hand on, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.models import ApiKey
from apikeys.scopes import ALL, APPROVE, expand
from apikeys.secrets import ALPHABET, is_well_formed, new_secret
from apikeys.services import create_key
from environments import clock
from environments.callers import SYSTEM
from environments.clock import written
from environments.errors import ValidationFailed
from environments.services.environments import create_environment, delete_environment
from tests.world import Api, World, error_of

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([], []),
        (["inboxes:read"], ["inboxes:read"]),
        (["inboxes:read", "inboxes:read"], ["inboxes:read"]),
        (["inboxes:*"], ["inboxes:read", "inboxes:write"]),
        (["messages:send"], ["messages:send"]),
        (["messages:write"], ["messages:send", "messages:write"]),
        (["messages:*"], ["messages:read", "messages:send", "messages:write"]),
        (["drafts:*"], ["drafts:read", "drafts:write"]),
        (["drafts:approve"], ["drafts:approve"]),
        (["*"], sorted(ALL - {APPROVE})),
        (["*", "drafts:approve"], sorted(ALL)),
    ],
)
def test_scopes_are_stored_expanded(api: Api, given: list[str], stored: list[str]) -> None:
    expanded = expand(given)
    assert expanded == stored
    answer = api.post("/api-keys", {"name": "k", "scopes": [scope for scope in given if scope != APPROVE]})
    assert answer.json()["scopes"] == [scope for scope in stored if scope != APPROVE]


@pytest.mark.parametrize("scope", ["", "inboxes", "inboxes:send", "nothing:read", "inboxes:read:write", "*:read", "**"])
def test_a_scope_that_does_not_exist_is_refused(api: Api, scope: str) -> None:
    with pytest.raises(ValidationFailed):
        expand([scope])
    assert api.post("/api-keys", {"name": "k", "scopes": [scope]}).status_code == 422


def test_a_key_is_not_made_wide_by_a_misspelt_environment(acme: World, api: Api) -> None:
    made = api.post("/api-keys", {"name": "n", "scopes": [], "environment_id": acme.development.pk})
    assert made.status_code == 422


def test_a_key_without_scopes_may_do_nothing_but_ask_what_it_is(acme: World) -> None:
    api = Api(acme.new_key([]).secret)
    assert api.get("/me").json()["scopes"] == []
    assert error_of(api.get("/inboxes"))["code"] == "missing_scope"


def test_a_key_is_told_what_it_is(acme: World) -> None:
    until = clock.now() + HOUR
    me = acme.api("inboxes:read", environments=[acme.development], expires_at=until).get("/me").json()
    assert me["organization"]["id"] == acme.organization.pk
    assert [environment["id"] for environment in me["environments"]] == [acme.development.pk]
    assert (me["scopes"], me["expires_at"]) == (["inboxes:read"], written(until))
    assert me["reaches_organization"] is False
    assert [found["slug"] for found in acme.api().get("/me").json()["environments"]] == ["production", "development"]


def test_the_secret_is_shown_once_and_kept_as_a_hash(acme: World, api: Api) -> None:
    made = api.post("/api-keys", {"name": "k", "scopes": ["inboxes:read"]}).json()
    secret = made["key"]
    assert Api(secret).get("/inboxes").status_code == 200
    assert "key" not in api.get(f"/api-keys/{made['id']}").json()
    assert secret not in api.get("/api-keys").content.decode()
    assert secret not in api.get("/audit").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text FROM apikeys_apikey k")
        assert all(secret[12:] not in row for (row,) in cursor.fetchall())
    assert secret.startswith(made["hint"].rstrip("…"))
    assert len(made["hint"].rstrip("…")) < len("ap_sk_live_") + 5


@pytest.mark.parametrize("kind", ["live", "dev"])
def test_a_mistyped_key_is_refused_without_a_query(acme: World, kind: str) -> None:
    secret = new_secret(kind)
    other = {character: ALPHABET[index - 1] for index, character in enumerate(ALPHABET)}
    places = range(len(f"ap_sk_{kind}_"), len(secret))
    mistyped = [secret[:place] + other[secret[place]] + secret[place + 1 :] for place in places]
    mistyped += [secret[:-1], secret + "0", secret.swapcase(), secret.replace(f"_{kind}_", "_test_")]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert {Api(wrong).get("/me").status_code for wrong in mistyped} == {401}
    assert len(queries) == 0
    assert is_well_formed(secret)


@pytest.mark.parametrize(("goes_live", "reach", "start"), [
    (None, None, "ap_sk_dev_"),
    ("development", None, "ap_sk_live_"),
    ("development", "production", "ap_sk_dev_"),
    ("development", "development", "ap_sk_live_"),
])  # fmt: skip
def test_the_kind_of_a_key_tells_whether_it_reaches_anything_live(
    acme: World, goes_live: str | None, reach: str | None, start: str
) -> None:
    if goes_live:
        acme.go_live(getattr(acme, goes_live))
    made = acme.new_key(environments=[getattr(acme, reach)] if reach else None)
    assert made.secret.startswith(start)


def weaker(acme: World) -> dict[str, Any]:
    return {
        "scopes": ["inboxes:read"],
        "environment_ids": [acme.development.pk],
        "expires_at": written(clock.now() + HOUR),
    }


STRONGER = {
    "another scope": {"scopes": ["messages:read"]},
    "every scope": {"scopes": ["*"]},
    "one scope more": {"scopes": ["inboxes:*"]},
    "the whole organization": {"environment_ids": None},
    "another environment": {"environment_ids": ["production"]},
    "one environment more": {"environment_ids": ["development", "production"]},
    "an environment that is not there": {"environment_ids": ["nowhere"]},
    "no end": {"expires_at": None},
    "a later end": {"expires_at": written(clock.now() + 48 * HOUR)},
}


@pytest.mark.parametrize("change", STRONGER.values(), ids=STRONGER)
def test_a_key_makes_no_stronger_key(acme: World, change: dict[str, Any]) -> None:
    api = acme.api("api_keys:write", "inboxes:read", environments=[acme.development], expires_at=clock.now() + 2 * HOUR)
    body = {name: value for name, value in {**weaker(acme), **change}.items() if value is not None}
    answer = api.post("/api-keys", {"name": "k", **body})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_escalation")


def test_a_key_makes_a_weaker_key(acme: World) -> None:
    api = acme.api("api_keys:write", "inboxes:read", environments=[acme.development], expires_at=clock.now() + 2 * HOUR)
    made = api.post("/api-keys", {"name": "k", **weaker(acme)})
    assert made.status_code == 201
    assert made.json()["environment_ids"] == [acme.development.pk]
    assert Api(made.json()["key"]).get("/inboxes").status_code == 200


def test_what_a_dev_key_makes_reaches_nothing_live_either(acme: World) -> None:
    dev = acme.api()
    acme.go_live(acme.development)
    made = dev.post("/api-keys", {"name": "k", "scopes": ["environments:read"]}).json()
    assert made["key"].startswith("ap_sk_dev_")
    assert [found["slug"] for found in Api(made["key"]).items("/environments")] == ["production"]
    assert dev.post("/api-keys", {"name": "k", "environment_ids": ["development"]}).status_code == 422


def stronger_in_scope(acme: World) -> ApiKey:
    return acme.new_key(["inboxes:read"], environments=[acme.development], expires_at=clock.now() + HOUR).key


def stronger_in_life(acme: World) -> ApiKey:
    return acme.new_key(["api_keys:write"], environments=[acme.development]).key


def test_keys_make_keys_for_so_many_generations(acme: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("apikeys.services.MOST_GENERATIONS", 2)
    first = acme.api("api_keys:write")
    child = Api(first.post("/api-keys", {"name": "child", "scopes": ["api_keys:write"]}).json()["key"])
    answer = child.post("/api-keys", {"name": "grandchild", "scopes": []})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_escalation")
    assert first.post("/api-keys", {"name": "another child", "scopes": []}).status_code == 201


@pytest.mark.parametrize("stronger", [stronger_in_scope, stronger_in_life])
def test_a_key_cannot_take_a_stronger_one_over_by_rotating_it(acme: World, stronger: Any) -> None:
    api = acme.api("api_keys:write", environments=[acme.development], expires_at=clock.now() + 2 * HOUR)
    answer = api.post(f"/api-keys/{stronger(acme).pk}/rotate")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_escalation")


@pytest.mark.parametrize(("quotas", "scopes"), [({"daily_sending_quota": 5}, []), ({}, ["drafts:approve"])])
def test_a_key_cannot_pass_a_quota_or_a_review_by_rotating_another(
    acme: World, quotas: dict[str, int], scopes: list[str]
) -> None:
    made = acme.new_key(["api_keys:write", "drafts:approve"], **quotas)
    api, other = Api(made.secret), acme.new_key(scopes, **quotas).key
    own = api.post("/api-keys", {"name": "own", "scopes": scopes}).json()["id"]
    answers = [api.post(f"/api-keys/{key}/rotate").status_code for key in (other.pk, own, made.key.pk)]
    assert answers == [403, 200, 200]


def test_a_dev_key_finds_no_live_one(acme: World) -> None:
    dev = acme.api()
    acme.go_live(acme.development)
    live = acme.new_key().key
    assert live.pk not in [key["id"] for key in dev.items("/api-keys")]
    assert dev.post(f"/api-keys/{live.pk}/rotate").status_code == 404


@pytest.mark.parametrize("reach", [None, "production"])
def test_a_narrow_key_does_not_see_wider_ones(acme: World, reach: str | None) -> None:
    wider = acme.new_key([], environments=[getattr(acme, reach)] if reach else None).key
    narrow = acme.new_key(["api_keys:*"], environments=[acme.development])
    api = Api(narrow.secret)
    assert [key["id"] for key in api.items("/api-keys")] == [narrow.key.pk]
    for method, path in [("get", ""), ("delete", ""), ("post", "/rotate")]:
        assert api.call(method, f"/api-keys/{wider.pk}{path}").status_code == 404


def test_a_narrow_key_does_not_see_what_an_erased_environment_left(acme: World) -> None:
    passing, _ = create_environment(acme.organization, "Passing", actor=SYSTEM)
    left = acme.new_key([], environments=[passing]).key
    delete_environment(passing, actor=SYSTEM)
    narrow = acme.new_key(["api_keys:*"], environments=[acme.development])
    assert [key["id"] for key in Api(narrow.secret).items("/api-keys")] == [narrow.key.pk]
    assert Api(narrow.secret).get(f"/api-keys/{left.pk}").status_code == 404
    assert acme.api().get(f"/api-keys/{left.pk}").json()["environment_ids"] == []


def test_after_rotation_both_secrets_work_until_the_overlap_ends(acme: World, api: Api) -> None:
    made = acme.new_key(["inboxes:read"])
    rotated = api.post(f"/api-keys/{made.key.pk}/rotate", {"overlap_seconds": 3600}).json()
    assert rotated["id"] == made.key.pk
    assert rotated["previous_key_expires_at"] is not None
    old, new = Api(made.secret), Api(rotated["key"])
    assert (old.get("/me").status_code, new.get("/me").status_code) == (200, 200)
    with time_machine.travel(clock.now() + HOUR + timedelta(seconds=1)):
        assert (old.get("/me").status_code, new.get("/me").status_code) == (401, 200)


def test_without_an_overlap_the_old_secret_ends_at_once(acme: World, api: Api) -> None:
    made = acme.new_key(["inboxes:read"])
    api.post(f"/api-keys/{made.key.pk}/rotate", {"overlap_seconds": 0})
    assert Api(made.secret).get("/me").status_code == 401


def test_revoking_ends_both_secrets_and_keeps_the_record(acme: World, api: Api) -> None:
    made = acme.new_key(["inboxes:read"])
    rotated = api.post(f"/api-keys/{made.key.pk}/rotate").json()
    assert api.delete(f"/api-keys/{made.key.pk}").status_code == 204
    assert [Api(secret).get("/me").status_code for secret in (made.secret, rotated["key"])] == [401, 401]
    assert api.get(f"/api-keys/{made.key.pk}").json()["revoked_at"] is not None
    assert api.delete(f"/api-keys/{made.key.pk}").status_code == 204


def test_a_revoked_key_cannot_be_rotated_back_to_life(acme: World, api: Api) -> None:
    made = acme.new_key()
    api.delete(f"/api-keys/{made.key.pk}")
    answer = api.post(f"/api-keys/{made.key.pk}/rotate")
    assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "k" * 201}, "name"),
        ({"name": "k", "scopes": "inboxes:read"}, "scopes"),
        ({"name": "k", "environment_ids": []}, "environment_ids"),
        ({"name": "k", "environment_ids": ["nowhere"]}, "environment_ids"),
        ({"name": "k", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "expires_at": "soon"}, "expires_at"),
        ({"name": "k", "secret": "mine"}, "secret"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.post("/api-keys", body)
    assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, field)


def test_when_a_key_was_used_is_noted_once_a_minute(acme: World) -> None:
    made = acme.new_key()
    api = Api(made.secret)
    api.get("/me")
    first = ApiKey.objects.in_organization(acme.organization).get(pk=made.key.pk).last_used_at
    api.get("/me")
    assert ApiKey.objects.in_organization(acme.organization).get(pk=made.key.pk).last_used_at == first
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        api.get("/me")
    assert ApiKey.objects.in_organization(acme.organization).get(pk=made.key.pk).last_used_at > first


def test_a_key_is_made_without_a_maker_by_people_and_commands(acme: World) -> None:
    made = create_key(acme.organization.pk, "k", actor=SYSTEM, scopes=["drafts:approve"])
    assert made.key.scopes == ["drafts:approve"]
