"""The main pages of the console, found as a person finds them: by its navigation, and by the first row of each list."""

from collections.abc import Iterator

from tests.browser.people import Person

NAVIGATION = "nav a[href^='/console/'], #nav-sidebar a[href^='/console/']"
FIRST_ROW = "main a[href*='/change/']"
ADDRESSES = """(links, folded) => links
    .filter((link) => folded || !link.closest("details"))
    .map((link) => link.getAttribute("href"))"""


def navigation(person: Person, *, folded: bool = True) -> list[str]:
    """Return where the navigation leads, each address once; what is folded away too, or not."""
    person.visit("/console/")
    links = person.page.locator(NAVIGATION).evaluate_all(ADDRESSES, folded)
    return list(dict.fromkeys(links))


def main_pages(person: Person, *, folded: bool = True) -> Iterator[str]:
    """Yield the address of every main page, each right after the person went there."""
    for path in navigation(person, folded=folded):
        person.visit(path)
        rows = person.page.locator(FIRST_ROW)
        first = rows.first.get_attribute("href") if rows.count() else None
        yield path
        if first and person.page.url.endswith(path) and "/change/" not in path:
            person.visit(first)
            yield person.path()
