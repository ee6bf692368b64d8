"""Letting mail out: an act of a person with a second factor, who types the name and says why."""

from tests.browser.people import People, Person
from tests.browser.steps import code_of, member, stand_in

REASON = "The pilot is over, and support has read a week of captured mail."


def test_an_environment_goes_live_by_a_person_with_a_second_factor(northwind: dict[str, str], people: People) -> None:
    lead = member(people, northwind, "lead")
    stand_in(lead, northwind["development"])
    page = f"/console/environments/environment/{northwind['development']}/delivery-mode/?mode=live"
    lead.visit(page)
    assert "/account/" in lead.path()
    code = enrol(lead, northwind["password"])
    lead.page.get_by_role("link", name="I have kept them").click()
    lead.visit(page)
    assert "reaches real people" in lead.sees()
    refused_without_the_name(lead)
    go_live(lead)
    assert "Development live" in " ".join(lead.page.locator("#environment-bar").inner_text().split())
    lead.visit("/console/environments/auditentry/")
    assert REASON in lead.page.content()
    sign_in_with_a_code(people, northwind, code)


def enrol(lead: Person, password: str) -> str:
    """Prove the password, set up an app, and return one of the recovery codes."""
    if lead.page.locator("[name=current]").count():
        lead.page.fill("[name=current]", password)
        lead.page.locator("main [type=submit]").first.click()
        lead.page.wait_for_load_state()
    secret = lead.page.locator("[data-copy]").first.get_attribute("data-copy")
    assert secret
    lead.page.fill("[name=code]", code_of(secret))
    lead.page.locator("main [type=submit]").first.click()
    codes = lead.page.locator(".people-codes code").all_inner_texts()
    assert len(codes) >= 8
    return codes[0]


def refused_without_the_name(lead: Person) -> None:
    lead.page.fill("[name=reason]", REASON)
    lead.page.get_by_role("button", name="Go live").click()
    assert "live" not in lead.page.locator("#environment-bar .console-mode").first.inner_text()


def go_live(lead: Person) -> None:
    lead.page.locator("main input[type=text]").first.fill("Development")
    lead.page.fill("[name=reason]", REASON)
    lead.page.get_by_role("button", name="Go live").click()
    lead.page.wait_for_load_state()


def sign_in_with_a_code(people: People, northwind: dict[str, str], code: str) -> None:
    """A password alone signs this person in no more; a recovery code does, once."""
    again = people("lead elsewhere")
    again.sign_in(northwind["lead"], northwind["password"])
    assert again.visit("/console/mail/message/") == 200
    assert "/login/" in again.path() or "second-factor" in again.path()
    again.sign_in(northwind["lead"], northwind["password"])
    again.page.fill("[name=code]", code)
    again.page.locator("form [type=submit]").first.click()
    again.page.wait_for_load_state()
    assert again.visit("/console/") == 200
    assert again.path() == "/console/"
