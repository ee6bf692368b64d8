"""docs/settings.md and agentpost_site/settings.py say the same."""

import ast
import re

import pytest
from django.conf import settings

from tests.docs.pages import NAMES, text

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
LITERAL = re.compile(r"`([^`]*)`")
OF_CLIENTS = {  # what programs read, not the server
    "AGENTPOST_API_KEY",
    "AGENTPOST_BASE_URL",
    "AGENTPOST_ENVIRONMENT",
    "AGENTPOST_PROFILE",
    "AGENTPOST_SMTP",
    "AGENTPOST_WEBHOOK_SECRET",
}
NAMED = re.compile(r"\b(?:AGENTPOST_[A-Z_]+[A-Z]|DATABASE(?:_OWNER)?_URL)\b")


def read_from_the_environment() -> dict[str, ast.expr | None]:
    """Return the variables that settings.py reads, each with its default where it states one."""
    tree = ast.parse(text("agentpost_site/settings.py"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_read(node.func)]
    return {
        call.args[0].value: next((word.value for word in call.keywords if word.arg == "default"), None)
        for call in calls
        if isinstance(call.args[0], ast.Constant)
    }


def is_read(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "env"
        and function.attr != "db_url_config"
    )


def rows() -> list[tuple[str, str]]:
    return [(name, default) for name, default, _ in ROW.findall(text("docs/settings.md"))]


def documented() -> dict[str, str]:
    return dict(rows())


PLAIN = {name: node.value for name, node in read_from_the_environment().items() if isinstance(node, ast.Constant)}


def test_every_setting_that_is_read_is_documented() -> None:
    assert read_from_the_environment().keys() - documented().keys() == set()


def test_every_setting_that_is_documented_is_read() -> None:
    assert documented().keys() - read_from_the_environment().keys() == set()


def test_no_setting_is_documented_twice() -> None:
    names = [name for name, _ in rows()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - {"AGENTPOST_SECRET_KEY"}))
def test_a_plain_default_is_documented_as_it_is(name: str) -> None:
    [shown] = LITERAL.findall(documented()[name])
    assert shown == (str(PLAIN[name]) or '""')


@pytest.mark.parametrize("page", NAMES)
def test_no_page_names_a_setting_that_does_not_exist(page: str) -> None:
    known = read_from_the_environment().keys() | settings.OF_THE_TESTS | OF_CLIENTS
    assert set(NAMED.findall(text(page))) - known == set()
