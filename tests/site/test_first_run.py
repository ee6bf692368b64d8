"""What a fresh machine begins with, and the commands it is told to paste."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import RequestFactory

from agentpost_site.demo.temporary import Instance, temporary_instance
from agentpost_site.first_run import Beginning, begin, readable_password
from apikeys.authentication import caller_of, key_of
from apikeys.scopes import expand
from environments.binding import inside
from environments.models import Environment, Member, Organization
from environments.services.organizations import create_organization
from inboxes.models import Inbox
from tests.site.instance import wait_for


@pytest.fixture
def beginning(transactional_db: None) -> Beginning:
    made = begin()
    assert made is not None
    return made


def printed() -> str:
    output = StringIO()
    call_command("first_run", stdout=output)
    return output.getvalue()


def test_a_fresh_machine_has_production_by_default_and_development_and_neither_lets_mail_out(
    beginning: Beginning,
) -> None:
    rows = Environment.objects.in_organization(beginning.organization).order_by("pk")
    assert [(row.slug, row.is_default, row.delivery_mode) for row in rows] == [
        ("production", True, "capture"),
        ("development", False, "capture"),
    ]


def test_the_first_person_owns_the_organization_and_signs_in_with_the_password_told(beginning: Beginning) -> None:
    request = RequestFactory().post("/console/login/")
    user = authenticate(request, username=beginning.login, password=beginning.password)
    assert user == Member.objects.in_organization(beginning.organization).get(role=Member.Role.OWNER).user


def test_the_first_key_may_do_everything_in_both_environments(beginning: Beginning) -> None:
    caller = caller_of(key_of(beginning.key))
    assert caller.scopes == set(expand(["*"]))
    assert caller.reachable().count() == 2


def test_the_first_inbox_is_in_development(beginning: Beginning) -> None:
    with inside(beginning.development):
        [inbox] = Inbox.objects.in_environment(beginning.development)
    assert inbox.email == beginning.address
    assert beginning.address.startswith("hello-")


@pytest.mark.usefixtures("transactional_db")
def test_the_first_greeting_tells_password_key_and_address() -> None:
    greeting = printed()
    assert re.search(r"password +(\w{4}-){4}\w{4}\n", greeting)
    assert re.search(r"API key +ap_sk_dev_\w+\n", greeting)
    assert re.search(r"inbox +hello-\w{6}@agentpost\.localhost ", greeting)


def test_later_greetings_tell_on_one_line_where_things_are_and_nothing_secret(beginning: Beginning) -> None:
    greeting = printed()
    assert greeting.count("\n") == 1
    assert "http://127.0.0.1:8000/console/" in greeting
    assert beginning.key not in greeting
    assert Organization.objects.count() == 1


@pytest.mark.usefixtures("transactional_db")
def test_a_machine_that_was_provisioned_otherwise_is_left_alone() -> None:
    create_organization("Acme", "owner@acme.test")
    assert begin() is None
    assert Organization.objects.get().slug == "acme"


def test_every_password_is_another() -> None:
    assert len({readable_password() for _ in range(20)}) == 20


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with temporary_instance() as running:
        yield running


def pasted(instance: Instance, number: int) -> str:
    """Run the command with this number out of the greeting, as a person would."""
    commands = re.findall(r"^  ((?:python3|/\S+/python\S*|curl) .+)$", instance.log.read_text(), re.MULTILINE)
    assert len(commands) == 3
    ended = subprocess.run(["sh", "-c", commands[number]], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_commands_of_the_greeting_work_as_printed(instance: Instance) -> None:
    assert pasted(instance, 0) == ""
    [message] = json.loads(pasted(instance, 1))["data"]
    assert (message["subject"], message["extracted_text"]) == ("Hello", "Is anybody there?")
    assert json.loads(pasted(instance, 2))["secret"].startswith("whsec_")


def test_the_first_start_says_what_takes_a_while_and_when_all_is_there(instance: Instance) -> None:
    wait_for(lambda: "| ready: " in instance.log.read_text())
    log = instance.log.read_text()
    assert log.startswith("Making the database in ")
    assert f"ready: {instance.url}/console/; Ctrl-C stops it\n" in log


@pytest.mark.parametrize("path", ["/", "/console"])
def test_who_comes_without_a_path_is_led_to_the_console(instance: Instance, path: str) -> None:
    with urllib.request.urlopen(f"{instance.url}{path}", timeout=30) as answer:
        assert answer.url.startswith(f"{instance.url}/console/login/")
