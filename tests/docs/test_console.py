"""Who may do what in the console: docs/console.md says what the console grants, page by page and act by act."""

import re
from collections.abc import Iterator

from django.utils.text import capfirst

from environments.console.navigation import MAIN, PLATFORM
from environments.console.permissions import Role, may
from environments.console.site import site
from tests.console.house import ROLES
from tests.console.test_roles import ACTIONS, OF_NO_MODELS_ADDRESS, WHO_MAY
from tests.docs.pages import text

SECTION = re.search(r"^## Who may do what\n(.*?)^## ", text("docs/console.md"), re.MULTILINE | re.DOTALL)
TABLES = re.findall(r"(?:^\|.*\n)+", SECTION[1] if SECTION else "", re.MULTILINE)
PAGES, ACTS, OTHERS = ([[cell.strip() for cell in line.split("|")[1:-1]] for line in t.splitlines()] for t in TABLES)
PEOPLE = ROLES[:-1]  # to strangers everything is closed
ROLE = dict(zip(PEOPLE, (one for one in Role if one != Role.STRANGER), strict=True))
LETTERS = {"view": "v", "add": "a", "change": "c", "delete": "d"}
ADMINS = {model._meta.label_lower: admin for model, admin in site._registry.items()}
ENTRIES = {
    entry.model: entry.title
    for _, entries in MAIN
    for entry in entries
    if entry.model and not (entry.query or entry.url)
}
OTHER_PAGES = {
    "The queue of approvals": ("/console/approvals/", "/console/approvals/{draft}/"),
    "New draft, Reply": ("/console/mail/draft/compose/", "/console/mail/message/{message}/reply/"),
}


def title(label: str) -> str:
    """Return what people call a page: by its entry in the navigation, or as its list is headed."""
    return ENTRIES.get(label) or capfirst(str(ADMINS[label].model._meta.verbose_name_plural))


def rows(table: list[list[str]], names: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the first cells of each row, and those of the roles."""
    for cells in table[2:]:
        yield cells[:names], cells[names:]


def documented_pages() -> dict[str, tuple[str, ...]]:
    """Return the verbs of each role, in the order of ``PEOPLE``, by the title of a page."""
    return {name: tuple(cells) for (names,), cells in rows(PAGES, 1) for name in names.split(", ")}


def in_words(letters: str) -> str:
    return ", ".join(word for word, letter in LETTERS.items() if letter in letters) or "no"


def in_yeses(who: set[str]) -> tuple[str, ...]:
    return tuple("yes" if role in who else "no" for role in PEOPLE)


def test_the_columns_are_the_roles() -> None:
    columns = ["Owner", "Admin", "Environment admin", "Member", "Operator"]
    assert [PAGES[0][1:], ACTS[0][2:], OTHERS[0][1:]] == [columns] * 3


def test_each_page_is_documented_with_the_rights_that_it_has() -> None:
    expected = {
        title(label): tuple(in_words(letters) for letters in verbs[:-1])
        for label, verbs in WHO_MAY.items()
        if ADMINS[label].section != PLATFORM
    }
    assert documented_pages() == expected


def test_what_is_not_documented_is_shown_to_operators_alone() -> None:
    left_out = [label for label in WHO_MAY if title(label) not in documented_pages()]
    assert {WHO_MAY[label] for label in left_out} == {("", "", "", "", "v", "")}


def test_nothing_is_documented_that_the_table_of_rights_does_not_grant() -> None:
    granted = {
        (title(label), role, verb)
        for label, admin in ADMINS.items()
        for role in PEOPLE
        for verb in LETTERS
        if may(ROLE[role], admin.rights, verb)
    }
    documented = {
        (name, role, verb)
        for name, cells in documented_pages().items()
        for role, cell in zip(PEOPLE, cells, strict=True)
        for verb in cell.split(", ")
        if verb in LETTERS
    }
    assert documented - granted == set()


def test_each_act_is_documented_with_who_may_carry_it_out() -> None:
    documented = {(page, act): tuple(cells) for (page, acts), cells in rows(ACTS, 2) for act in acts.split(", ")}
    expected = {
        (title(label), name_of(label, path)): in_yeses(who)
        for label, acts in ACTIONS.items()
        for path, who in acts.items()
    }
    assert documented == expected


def name_of(label: str, path: str) -> str:
    """Return what the button of an act says."""
    acts = [getattr(ADMINS[label], name) for name in ADMINS[label].actions_detail]
    return next(str(act.short_description) for act in acts if act.url_path == path)


def test_each_page_of_no_list_is_documented_with_who_opens_it() -> None:
    expected = {name: in_yeses(OF_NO_MODELS_ADDRESS[address]) for name, of in OTHER_PAGES.items() for address in of}
    assert {name: tuple(cells) for (name,), cells in rows(OTHERS, 1)} == expected
    assert {address for of in OTHER_PAGES.values() for address in of} == set(OF_NO_MODELS_ADDRESS)


def test_pages_are_called_as_the_navigation_calls_them() -> None:
    entries = {(group, entry.title) for group, entries in MAIN for entry in entries}
    assert set(re.findall(r"\*(\w+) → ([\w ]+)\*", text("docs/console.md"))) - entries == set()
