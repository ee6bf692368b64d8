"""Two accounts side by side: what one sees does not exist for the other, however it is asked for."""

import re

import pytest

from tests.browser.people import People, Person
from tests.browser.steps import member, stand_in
from tests.browser.tour import main_pages, navigation

OF_THE_OTHERS = ["northwind.example", "Inês Carvalho", "NW-2026-1187", "Grace Okafor", "Production", "Support agent"]
MADE_ANEW = re.compile(r"csrfmiddlewaretoken\" value=\"[^\"]*\"")
SECRET_WORDS = "Carvalho"
OF_BOTH = "/environments/organization/"  # both are in the same one


@pytest.fixture
def owner(northwind: dict[str, str], people: People) -> Person:
    found = member(people, northwind, "owner")
    stand_in(found, northwind["production"])
    return found


@pytest.fixture
def guest(northwind: dict[str, str], people: People) -> Person:
    return member(people, northwind, "guest")


def test_no_page_of_the_guest_shows_anything_of_the_others(guest: Person) -> None:
    shown = {path: guest.page.content() for path in main_pages(guest)}
    assert len(shown) > 10
    found = [(path, words) for path, page in shown.items() for words in OF_THE_OTHERS if words in page]
    assert found == []


def test_what_stands_in_the_owners_address_bar_is_missing_for_the_guest(owner: Person, guest: Person) -> None:
    pasted = [path for path in main_pages(owner) if re.search(r"/[a-z]{3}_[0-9A-Z_]+", path) and OF_BOTH not in path]
    assert len(pasted) > 10
    found = [(path, answer_to(guest, path)) for path in pasted]
    missing = {path: answer_to(guest, unknown(path)) for path in pasted}
    assert [path for path, answer in found if answer != missing[path]] == []
    assert [path for path, (status, _) in found if status not in {403, 404}] == []


def answer_to(person: Person, path: str) -> tuple[int, str]:
    """Return the status and the page, without what is made anew each time and what the address itself says."""
    status = person.visit(path)
    page = MADE_ANEW.sub("", person.page.content())
    return status, re.sub(r"[a-z]{3}_[0-9A-Z_]{26,30}", "an id", page)


def unknown(path: str) -> str:
    """Return the same address with an id that nobody has."""
    return re.sub(r"([a-z]{3})_[0-9A-Z_]+", r"\1_01J00000000000000000000000", path)


def test_the_switcher_offers_the_guests_own_environment_only(guest: Person) -> None:
    guest.visit("/console/")
    offered = guest.page.locator("#environment-switcher button[name=environment]").all_text_contents()
    assert [" ".join(text.split()) for text in offered] == ["Fabrikam (customer) allowlist"]


def test_another_environment_is_missing_by_address_and_by_a_typed_id(guest: Person, northwind: dict[str, str]) -> None:
    nobody = "env_01J00000000000000000000000"
    pages = [answer_to(guest, f"/console/?environment={name}") for name in (northwind["production"], nobody)]
    assert pages[0] == pages[1]
    assert pages[0][0] == 404
    typed = [typed_into_the_switcher(guest, name) for name in (northwind["production"], nobody)]
    assert typed[0] == typed[1]


def typed_into_the_switcher(guest: Person, name: str) -> str:
    """Change what a button of the switcher would send, as anybody can in their browser, and press it."""
    guest.visit("/console/")
    button = guest.page.locator("#environment-switcher button[name=environment]").first
    button.evaluate("(button, name) => { button.value = name; }", name)
    guest.page.locator("#environment-switcher > summary").click()
    button.click()
    guest.page.wait_for_load_state()
    return re.sub(r"[a-z]{3}_[0-9A-Z_]{26,30}", "an id", MADE_ANEW.sub("", guest.page.content()))


def test_a_search_of_the_guest_finds_nothing_of_the_others(owner: Person, guest: Person) -> None:
    query = f"/console/mail/message/?q={SECRET_WORDS}"
    owner.visit(query)
    guest.visit(query)
    rows = "main a[href*='/mail/message/msg_']"
    assert (owner.page.locator(rows).count() > 0, guest.page.locator(rows).count()) == (True, 0)


def test_the_guest_is_led_to_what_a_member_may_see_only(guest: Person) -> None:
    links = navigation(guest)
    for closed in ("/console/apikeys/", "/console/environments/member/", "/console/environments/auditentry/"):
        assert [link for link in links if link.startswith(closed)] == []
        assert guest.visit(f"{closed}apikey/" if closed.endswith("apikeys/") else closed) == 403
