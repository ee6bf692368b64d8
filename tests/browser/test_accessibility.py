"""Every main page keeps to WCAG 2.1 A and AA, in light and dark, at a desk and in a hand, with a keyboard alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.people import SCREEN, People, Person
from tests.browser.tour import main_pages, navigation

PHONE = {"width": 375, "height": 812}
RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]},
    "dark": {
        "runOnly": {"type": "rule", "values": ["color-contrast"]},
        "resultTypes": ["violations"],
    },  # all else is alike
}
OWN_PAGES = [
    "/console/account/",
    "/console/account/sessions/",
    "/console/password_change/",
    "/console/environments/environment/add/",
    "/console/apikeys/apikey/add/",
    "/console/webhooks/webhookendpoint/add/",
    "/console/mail/draft/compose/",
    "/console/nowhere/",
]
OUTSIDE = ["/console/login/", "/console/account/password/reset/", "/console/invitations/nothing-of-the-kind/"]
EXCLUDED: dict[str, str] = {}  # an axe rule, and why nothing can be done about what it finds
WEAR = """(theme) => document.documentElement.classList.toggle("dark", theme === "dark")"""
IS_FOCUS_VISIBLE = """() => {
    const style = getComputedStyle(document.activeElement);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || style.boxShadow !== "none";
}"""


@pytest.mark.parametrize("screen", [SCREEN, PHONE], ids=["desk", "hand"])
def test_no_main_page_keeps_anybody_out(screen: dict[str, int], northwind: dict[str, str], people: People) -> None:
    """What is folded away is made alike, and looked at once."""
    owner, nobody = signed_in(people, northwind, viewport=screen), people("nobody", viewport=screen)
    looks = [
        (owner, main_pages(owner, folded=screen == SCREEN)),
        (owner, visited(owner, OWN_PAGES)),
        (nobody, visited(nobody, OUTSIDE)),
    ]
    found = [problem for who, pages in looks for path in pages for problem in problems_of(who, path)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def signed_in(people: People, northwind: dict[str, str], **options: Any) -> Person:
    owner = people("owner", **options)
    owner.sign_in(northwind["owner"], northwind["password"])
    return owner


def visited(person: Person, paths: Sequence[str]) -> Iterator[str]:
    """Yield each address, right after the person went there."""
    for path in paths:
        person.visit(path)
        yield path


def problems_of(person: Person, path: str) -> Iterator[str]:
    """Look at the page by day and by night."""
    yield from overflow(person, path)
    for theme in RULES:
        person.page.evaluate(WEAR, theme)
        yield from barriers(person, path, theme)


def barriers(person: Person, path: str, theme: str) -> Iterator[str]:
    """Yield what axe finds wrong with the page that a person looks at."""
    for violation in Axe().run(person.page, options=RULES[theme]).response["violations"]:
        if violation["id"] not in EXCLUDED:
            nodes = "; ".join(f"{node['target']} {node['html'][:160]}" for node in violation["nodes"][:3])
            yield f"{path} ({theme}): {violation['id']} ({len(violation['nodes'])}): {nodes}"


def overflow(person: Person, path: str) -> Iterator[str]:
    """Yield how far the page has to be scrolled sideways."""
    excess = person.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    if excess > 0:
        yield f"{path}: {excess} px wider than the screen"


def test_a_keyboard_skips_to_the_content_and_reaches_the_switcher(northwind: dict[str, str], people: People) -> None:
    keyboard = signed_in(people, northwind).page.keyboard
    page = people.everybody[0].page
    page.goto(f"{people.base}/console/mail/message/")
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    assert page.evaluate(IS_FOCUS_VISIBLE)
    focused = [step(page) for _ in range(80)]
    assert any(place["in_bar"] for place in focused)
    assert [place for place in focused if not place["visible"]] == []
    page.goto(f"{people.base}/console/mail/message/")
    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


def step(page: Any) -> dict[str, Any]:
    """Go on to the next control; return where that is."""
    page.keyboard.press("Tab")
    place: dict[str, Any] = page.evaluate(
        """() => ({
            what: document.activeElement.outerHTML.slice(0, 120),
            href: document.activeElement.getAttribute("href"),
            in_bar: !!document.activeElement.closest("#environment-bar"),
        })"""
    )
    return {**place, "visible": page.evaluate(IS_FOCUS_VISIBLE)}


def test_a_keyboard_reaches_every_entry_of_the_navigation(northwind: dict[str, str], people: People) -> None:
    owner = signed_in(people, northwind)
    shown = owner.page.locator("nav a[href^='/console/']:visible, #nav-sidebar a[href^='/console/']:visible")
    owner.visit("/console/")
    links = set(shown.evaluate_all("links => links.map(link => link.getAttribute('href'))"))
    reached = {step(owner.page)["href"] for _ in range(len(links) + 40)}
    assert links - reached == set()
    assert links <= set(navigation(owner))
