"""The package as others get it: built, installed, imported, type-checked."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

SDK = settings.BASE_DIR / "sdk/python"
NO_NETWORK = re.compile("NewConnectionError|NameResolutionError|ConnectTimeoutError|connection broken")
PROGRAM = """
from agentpost import AgentPost, webhooks
with AgentPost() as client:
    inbox = client.inboxes.create(username="packaged")
    client.messages.send(inbox.id, to="ann@example.com", subject="Hello", text_body="Hi.")
    print([message.subject for message in client.messages.list(inbox.id)])
"""
TYPED = """
from email.message import Message
from agents import Agent
from agentpost import AgentPost, AsyncAgentPost, webhooks
from agentpost.kits.openai_agents import agentpost_tools
client = AgentPost()
webhooks.verify(b"", Message(), "whsec_")
webhooks.verify(b"", {"webhook-id": "1"}, ["whsec_"])
Agent(name="Support", tools=agentpost_tools(client))
reveal_type(client.messages.send("inb_1", to="ann@example.com", subject="Hello"))
reveal_type(client.messages.send("inb_1", to=["ann@example.com"], dry_run=True))
reveal_type(client.threads.list("inb_1").data[0].last_message_at)
client.inboxes.create(usrname="support")
client.filter_rules.create(direction="sideways", action="block", match_type="domain", value="x.example")
async def converse(remote: AsyncAgentPost) -> None:
    reveal_type(await remote.messages.list())
    reveal_type([match.rank async for match in remote.search("order")])
"""
EXPECTED = [
    "agentpost.models.Message",
    "agentpost.models.Plan",
    "datetime.datetime",
    'Unexpected keyword argument "usrname"',
    "incompatible type \"Literal['sideways']\"",
    "agentpost.pages.AsyncPage[agentpost.models.Message]",
    "list[float]",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the wheel and the sdist that it was made of."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(SDK, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={folder}", str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def wheel_in(folder: Path) -> Path:
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_both_halves_their_types_and_the_licence(built: Path) -> None:
    names = zipfile.ZipFile(wheel_in(built)).namelist()
    for wanted in ("agentpost/py.typed", "agentpost/models.py", "_async/client.py", "_sync/client.py", "LICENSE"):
        assert any(name.endswith(wanted) for name in names)
    assert next(built.glob("*.tar.gz"))


def oldest_python() -> str:
    """Return the oldest Python from 3.9 on that uv finds: this one, if there is no other."""
    for minor in range(9, sys.version_info.minor):
        command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", "--no-project", f"3.{minor}"]
        found = subprocess.run(command, check=False, capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    return sys.executable


def test_it_works_in_a_fresh_environment_of_the_oldest_python(built: Path, place: Any, tmp_path: Path) -> None:
    subprocess.run([oldest_python(), "-m", "venv", str(tmp_path / "venv")], check=True, capture_output=True)
    python = str(tmp_path / "venv/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", str(wheel_in(built))]
    done = subprocess.run(install, check=False, capture_output=True, text=True)
    if NO_NETWORK.search(done.stderr):
        pytest.skip("There is no network to fetch from what the package needs.")
    assert done.returncode == 0, done.stderr
    environment = {"AGENTPOST_API_KEY": place.api_key, "AGENTPOST_BASE_URL": place.base_url}
    told = subprocess.run([python, "-W", "error", "-c", PROGRAM], env=environment, capture_output=True, check=True)
    assert told.stdout == b"['Hello']\n"
    version = subprocess.run([tmp_path / "venv/bin/agentpost", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.strip() in wheel_in(built).name


def test_importing_it_brings_in_nothing_that_only_a_part_of_it_needs() -> None:
    heavy = "typer", "rich", "mcp", "langchain_core", "agents", "openai"
    program = f"import agentpost, sys; print([name for name in {heavy} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(SDK / "src")}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert told.stdout == b"[]\n"


def test_a_type_checker_knows_what_goes_in_and_comes_out(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(TYPED)
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path}", "--no-error-summary"]
    environment = {**os.environ, "MYPYPATH": str(SDK / "src")}
    command = [sys.executable, "-m", "mypy", *options, str(program)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    told = [line for line in printed.splitlines() if "defined in" not in line]
    assert [expected in line for expected, line in zip(EXPECTED, told, strict=True)] == [True] * len(EXPECTED), told
