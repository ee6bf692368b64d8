"""What a page tells people to type exists."""

import re
from argparse import ArgumentParser

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from tests.docs.pages import NAMES, joined, text

COMMAND = re.compile(r"\bmanage\.py ([a-z_]+)([^`\n|)]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
TARGET = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
ROUTE = re.compile(r"(?<![\w.])(/api/v1/[\w/$\"{}….-]+|/(?:console/|healthz|readyz|metrics))")


def parser_of(command: str) -> ArgumentParser:
    app = get_commands()[command]
    found = load_command_class(app, command) if isinstance(app, str) else app
    return found.create_parser("manage.py", command)


def takes(command: str, option: str) -> bool:
    return option in parser_of(command)._option_string_actions


@pytest.mark.parametrize("page", NAMES)
def test_every_command_that_is_named_is_there(page: str) -> None:
    assert {command for command, _ in COMMAND.findall(joined(page))} - get_commands().keys() == set()


@pytest.mark.parametrize("page", NAMES)
def test_every_option_that_is_named_is_taken(page: str) -> None:
    typed = [(command, option) for command, rest in COMMAND.findall(joined(page)) for option in OPTION.findall(rest)]
    assert [f"{command} {option}" for command, option in typed if not takes(command, option)] == []


@pytest.mark.parametrize("page", NAMES)
def test_every_target_of_make_that_is_named_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert set(TARGET.findall(text(page))) - targets == set()


def is_route(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


@pytest.mark.parametrize("page", NAMES)
def test_every_path_of_the_api_that_is_named_is_there(page: str) -> None:
    named = {path.replace('"', "").rstrip("/.…") if "/api/" in path else path for path in ROUTE.findall(joined(page))}
    assert sorted(path for path in named - {"/api/v1"} if not is_route(path)) == []
