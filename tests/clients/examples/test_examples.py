"""Every example is run, by the one command that its page names, against a whole AgentPost."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from agentpost import AgentPost
from django.conf import settings

from tests.mail.sink import Sink
from tests.site.instance import Instance

EXAMPLES = Path(settings.BASE_DIR) / "examples"
PATIENCE = 300
QUICKSTART = {
    "AGENTPOST_API_KEY": "ap_sk_dev_x",
    "AGENTPOST_ENVIRONMENT": "development",
}  # what a shell has set by then
STEPS = {
    "support_triage": [
        r"1\. ann@customer\.example wrote to support-\w+@",
        r"2\. It is about: refund\.",
        r"3\. Waiting for a yes\. .+/console/approvals/drf_\w+/",
        r"4\. Example support_triage \w+ said yes to version 1\.",
        r"5\. The answer is captured: 'Re: Charged twice' to ann@customer\.example\.",
    ],
    "signup_bot": [
        r"1\. A fresh address: \S+@agentpost\.localhost",
        r"2\. Signed up at http://127\.0\.0\.1:\d+",
        r"3\. The mail 'Confirm your account' holds the code \d{6}\.",
        r"4\. Signed up as ",
    ],
    "customer_onboarding": [
        r"1\. Acme: example-acme, ",
        r"Northwind is told by webhook: For Northwind only",
        r"2\. Acme sees \['For Acme only'\]\. Asked for the mail of Northwind: not_found, as for one that never was\.",
        r"2\. Northwind sees \['For Northwind only'\]\.",
    ],
}


def environ(instance: Instance) -> dict[str, str]:
    """Return the variables under which an example finds the instance, and the SDK of this tree."""
    sdk = str(Path(settings.BASE_DIR) / "sdk" / "python" / "src")
    return {
        **instance.environment,
        "AGENTPOST_SMTP": f"127.0.0.1:{instance.smtp_port}",
        "PYTHONPATH": sdk,
        "PYTHONUNBUFFERED": "1",
        **QUICKSTART,
    }


def started(instance: Instance, name: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(EXAMPLES / "start.py"), name, *arguments]
    return subprocess.Popen(command, env=environ(instance), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def keys_of_examples(instance: Instance) -> list[str]:
    """Return the names of keys that an example was given, and that are still good."""
    found = instance.get("/api/v1/api-keys?limit=100")["data"]
    names = [key["name"] for key in found if not key.get("revoked_at")]
    return [name for name in names if name.startswith(("Example ", "Steward "))]


@pytest.mark.parametrize("name", STEPS)
def test_an_example_does_what_its_page_says_and_leaves_no_key(instance: Instance, outside: Sink, name: str) -> None:
    given = ["--approve"] if name == "support_triage" else []
    left = len(outside.taken)
    with started(instance, name, *given) as process:
        told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    at = 0
    for step in STEPS[name]:
        found = re.compile(step).search(told, at)
        assert found, (step, told)
        at = found.end()
    assert keys_of_examples(instance) == []
    assert len(outside.taken) == left


def test_a_run_that_kept_its_environments_does_not_stand_in_the_way_of_the_next(instance: Instance) -> None:
    for arguments in (["--keep"], []):
        with started(instance, "customer_onboarding", *arguments) as process:
            told, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told


def test_somebody_may_say_no_to_what_the_agent_proposes(
    instance: Instance, make_reviewer_key: Callable[[str], str]
) -> None:
    with started(instance, "support_triage") as process:
        assert process.stdout
        told = ""
        while "/console/approvals/" not in told:
            told = process.stdout.readline()
            assert told, "it ended before it had proposed anything"
        key, base_url = make_reviewer_key("example-support"), f"http://127.0.0.1:{instance.http_port}"
        with AgentPost(api_key=key, base_url=base_url) as reviewer:
            reviewer.drafts.reject(re.findall(r"drf_\w+", told)[0], reason="Not our words.")
        rest = process.stdout.read()
    assert (process.returncode, "It was rejected: Not our words." in rest) == (1, True), rest


def test_without_a_server_an_example_says_how_to_start_one(instance: Instance) -> None:
    away = {**environ(instance), "AGENTPOST_BASE_URL": "http://127.0.0.1:9"}
    command = [sys.executable, str(EXAMPLES / "start.py"), "signup_bot"]
    done = subprocess.run(command, env=away, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr == "http://127.0.0.1:9 does not answer. Start AgentPost in another terminal: make run\n"


AWAY = [  # what the shell has set, what is said
    (
        {"AGENTPOST_BASE_URL": "http://mail.example.com"},
        "http://mail.example.com is another machine, where keys of this one are not sent. Unset AGENTPOST_BASE_URL.\n",
    ),
    (
        {"AGENTPOST_SMTP": "", "AGENTPOST_SMTP_PORT": "9"},
        "No mail is taken in at 127.0.0.1:9. Set AGENTPOST_SMTP_PORT as for make run.\n",
    ),
]


@pytest.mark.parametrize(("given", "said"), AWAY, ids=["another machine", "another port"])
def test_an_example_says_in_one_sentence_why_it_does_not_start(
    given: dict[str, str], said: str, instance: Instance
) -> None:
    command = [sys.executable, str(EXAMPLES / "start.py"), "signup_bot"]
    variables = {**environ(instance), **given}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (1, said)
    assert keys_of_examples(instance) == []


def test_an_example_that_is_ended_leaves_no_key_and_those_it_has_end_by_themselves(instance: Instance) -> None:
    with started(instance, "support_triage") as process:
        assert process.stdout
        while "/console/approvals/" not in process.stdout.readline():
            assert process.poll() is None
        found = instance.get("/api/v1/api-keys?limit=100")["data"]
        keys = [key for key in found if key["name"].startswith(("Example ", "Steward ")) and not key["revoked_at"]]
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert (len(keys), all(key["expires_at"] for key in keys)) == (3, True)
    assert (process.returncode, keys_of_examples(instance)) == (143, [])


@pytest.mark.parametrize("name", STEPS)
def test_every_example_has_a_page_and_a_command_in_the_makefile(name: str) -> None:
    page = (EXAMPLES / name / "README.md").read_text()
    [command] = set(re.findall(r"make (example-\w+)", page))
    recipe = (Path(settings.BASE_DIR) / "Makefile").read_text().partition(f"\n{command}:")[2]
    assert f"examples/start.py {name} " in recipe.split("\n\n")[0]
    assert f"make {command}" in (EXAMPLES / "README.md").read_text()
