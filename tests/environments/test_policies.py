"""What becomes of suspicious mail is said of each environment: over the API, in the console, and on record."""

import pytest

from environments.services.environments import update_environment
from tests.world import PERSON, Api, World, error_of

DEV = "/environments/development"
POLICIES = {
    "authentication_policy": ["accept", "quarantine", "reject"],
    "content_policy": ["flag", "quarantine"],
}
EACH = pytest.mark.parametrize(("name", "value"), [(name, value) for name in POLICIES for value in POLICIES[name]])


def test_a_new_environment_quarantines_forged_mail_and_flags_hostile_content(api: Api) -> None:
    made = api.post("/environments", {"name": "New"}).json()
    assert (made["authentication_policy"], made["content_policy"]) == ("quarantine", "flag")


@EACH
def test_a_policy_is_chosen_at_creation(api: Api, name: str, value: str) -> None:
    made = api.post("/environments", {"name": "New", name: value})
    assert (made.status_code, made.json()[name]) == (201, value)


@EACH
def test_a_policy_is_changed_and_kept(api: Api, name: str, value: str) -> None:
    assert api.patch(DEV, {name: value}).json()[name] == value
    assert api.get(DEV).json()[name] == value


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("value", ["drop", "", None, 1, ["accept"]])
def test_what_is_no_policy_is_refused(api: Api, name: str, value: object) -> None:
    for answer in (api.patch(DEV, {name: value}), api.post("/environments", {"name": "New", name: value})):
        assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, name)


def test_the_record_tells_who_changed_which_policy(acme: World, api: Api) -> None:
    api.patch(DEV, {"authentication_policy": "reject"})
    update_environment(acme.development, {"content_policy": "quarantine"}, actor=PERSON)
    [person, key] = api.items("/audit?action=environment.updated")
    assert (key["before"]["authentication_policy"], key["after"]["authentication_policy"]) == ("quarantine", "reject")
    assert (person["before"]["content_policy"], person["after"]["content_policy"]) == ("flag", "quarantine")
    assert (key["actor"]["kind"], person["actor"]["kind"]) == ("key", "member")


def test_a_policy_that_is_set_again_is_not_put_on_record(api: Api) -> None:
    api.patch(DEV, {"authentication_policy": "quarantine"})
    assert api.items("/audit?action=environment.updated") == []
