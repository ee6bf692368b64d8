"""Query parameters: each call knows its own, and refuses what it would otherwise ignore."""

import pytest

from agentpost_site.docs import described
from tests.api.routes import CALLS, HERE, IDS, OF_AN_ENVIRONMENT, OF_THE_ORGANIZATION, of_nothing
from tests.world import Api, World, error_of, without_request_id


@pytest.fixture
def acme(furnished: tuple[World, dict[str, str]]) -> World:
    return furnished[0]


@pytest.fixture
def ids(furnished: tuple[World, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


def more(path: str, parameter: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{parameter}=zzz"


def test_a_parameter_that_a_call_does_not_know_is_refused_by_its_name(api: Api, ids: dict[str, str]) -> None:
    for call in CALLS:
        method, path, body = call.filled(ids)
        answer = api.call(method, more(path, "limt"), body, **HERE)
        assert (str(call), answer.status_code) == (str(call), 422)
        assert error_of(answer)["details"] == [{"field": "limt", "message": "This call has no such parameter."}]


def test_a_call_refuses_every_parameter_that_only_other_calls_are_described_with(api: Api, ids: dict[str, str]) -> None:
    taken = {
        (verb, IDS.sub("{}", path.removeprefix("/api/v1"))): {
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        }
        for path, operations in described()["paths"].items()
        for verb, operation in operations.items()
    }
    everywhere = set().union(*taken.values())
    for call in (one for one in [*OF_THE_ORGANIZATION, *OF_AN_ENVIRONMENT] if one.method == "get"):
        method, path, body = call.filled(ids)
        own = taken[method, IDS.sub("{}", call.path).partition("?")[0]] | {"environment_id"}
        for name in sorted(everywhere - own):
            answer = api.call(method, more(path, name), body, **HERE)
            assert (str(call), name, answer.status_code) == (str(call), name, 422)


@pytest.mark.parametrize("path", ["/inboxes?cursor=&limit=1", "/threads/{thread}?limit=1", "/labels?limit=1"])
def test_what_answers_in_pages_takes_a_limit_and_a_cursor(api: Api, ids: dict[str, str], path: str) -> None:
    assert api.get(path.format_map(ids), **HERE).status_code == 200


def test_a_list_is_not_narrowed_by_a_filter_with_a_slip_in_its_name(api: Api) -> None:
    answer = api.get("/messages?labels=urgent", **HERE)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")
    assert error_of(answer)["details"][0]["field"] == "labels"


def test_a_signed_link_may_carry_what_others_added_to_it(api: Api, ids: dict[str, str]) -> None:
    link = api.get(f"/attachments/{ids['attachment']}").json()["download_url"].partition("/api/v1")[2]
    assert Api(None).get(more(link, "utm_source")).status_code == 200


def test_a_foreign_and_a_missing_row_are_one_answer_whatever_the_query_holds(
    globex: World, ids: dict[str, str]
) -> None:
    answers = [globex.api().get(f"/messages/{one['message']}?limt=3") for one in (ids, of_nothing(ids))]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert without_request_id(answers[0]) == without_request_id(answers[1])
