"""People come and go: invited by mail, let into an environment, signed out from elsewhere, and removed."""

import re

from tests.browser.people import People, Person
from tests.browser.steps import eventually, member, stand_in
from tests.mail.sink import Sink

PASSWORD, ANOTHER = "Quiet-Harbour-71", "Louder-Harbour-72"
LINK = re.compile(r"https?://\S+/console/\S+")


def test_a_person_comes_and_goes(northwind: dict[str, str], people: People, outside: Sink) -> None:
    owner = member(people, northwind, "owner")
    stand_in(owner, northwind["development"])
    address = "noor@newcomer.example"
    invite(owner, address)
    noor = people("noor")
    accept(noor, mailed_link(outside, address, "invitations"))
    assert "No environment" in noor.sees()
    let_in(owner, address)
    assert noor.visit("/console/") == 200
    assert "Development" in noor.page.locator("#environment-bar").inner_text()
    assert noor.visit("/console/apikeys/apikey/") == 403
    sign_out_elsewhere(people, noor, address)
    reset_password(people, outside, address)
    noor.sign_in(address, ANOTHER)
    assert noor.visit("/console/mail/message/") == 200
    remove(owner, address)
    noor.visit("/console/mail/message/")
    assert "/console/login/" in noor.path()


def invite(owner: Person, address: str) -> None:
    owner.visit("/console/environments/invitation/add/")
    owner.page.fill("[name=email]", address)
    owner.page.select_option("[name=role]", "member")
    owner.page.locator("[name=_save], main form [type=submit]").first.click()
    owner.page.wait_for_load_state()


def mailed_link(outside: Sink, address: str, kind: str) -> str:
    """Return the newest link of a kind that was mailed to an address, from its console path on."""

    def newest() -> str:
        texts = [mail.raw.decode().replace("=\r\n", "") for mail in outside.taken if address in mail.recipients]
        links = [link for text in texts for link in LINK.findall(text) if kind in link]
        return links[-1] if links else ""

    found = str(eventually(newest, f"a mail about {kind}"))
    return found[found.index("/console/") :].rstrip(".>")


def accept(noor: Person, link: str) -> None:
    noor.visit(link)
    noor.page.fill("[name=password]", PASSWORD)
    noor.page.fill("[name=again]", PASSWORD)
    noor.page.locator("form [type=submit]").last.click()
    noor.page.wait_for_load_state()


def let_in(owner: Person, address: str) -> None:
    owner.visit("/console/environments/environmentmembership/add/")
    owner.page.fill("[name=email]", address)
    owner.page.select_option("[name=role]", "member")
    owner.page.locator("[name=_save]").first.click()
    owner.page.wait_for_load_state()


def sign_out_elsewhere(people: People, noor: Person, address: str) -> None:
    """End every other session from one browser; the other browser is out at its next click."""
    other = people("noor elsewhere")
    other.sign_in(address, PASSWORD)
    assert other.visit("/console/") == 200
    noor.visit("/console/account/sessions/")
    noor.page.get_by_role("button", name="End all other sessions").click()
    noor.page.wait_for_load_state()
    other.visit("/console/mail/message/")
    assert "/console/login/" in other.path()


def reset_password(people: People, outside: Sink, address: str) -> None:
    forgetful = people("noor without a password")
    forgetful.visit("/console/account/password/reset/")
    forgetful.page.fill("[name=email]", address)
    forgetful.page.locator("form [type=submit]").first.click()
    forgetful.visit(mailed_link(outside, address, "reset"))
    forgetful.page.fill("[name=password]", ANOTHER)
    forgetful.page.fill("[name=again]", ANOTHER)
    forgetful.page.locator("form [type=submit]").first.click()
    forgetful.page.wait_for_load_state()


def remove(owner: Person, address: str) -> None:
    owner.visit("/console/environments/member/")
    owner.page.get_by_role("link", name=address).first.click()
    owner.page.get_by_role("link", name=re.compile("Delete|Remove")).first.click()
    owner.page.locator("main form [type=submit]").first.click()
    owner.page.wait_for_load_state()
