"""The TypeScript SDK: its own tests against a whole AgentPost, its types, and the package that is published."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import Place
from tests.clients.typescript.running import SDK, build, need_node, project, run, run_in, run_typescript

SUITES = sorted(path.name.removesuffix(".test.ts") for path in (SDK / "test").glob("*.test.ts"))
PROGRAM = """
import AgentPost from 'agentpost';
import { AgentPost as Same } from '@agentpost/sdk';

const client = new AgentPost();
if (!(client instanceof Same)) throw new Error("the alias is another package");
const inbox = await client.inboxes.create({ username: "greeter", display_name: "Greeter" });
const message = await client.messages.send(inbox.id, { to: ["you@example.com"], subject: "Hello", text_body: "Hi." });
console.log(inbox.email, message.subject);
"""
IMPORTED = (
    'import AgentPost, { verifyWebhook } from "@agentpost/sdk"; import { agentpostTools } from "@agentpost/sdk/ai";'
)
REQUIRED = """
const { AgentPost, verifyWebhook } = require("@agentpost/sdk");
const { agentpostTools } = require("@agentpost/sdk/ai");
"""
USED = "console.log(AgentPost.name, verifyWebhook.name, agentpostTools.name);"


@pytest.fixture(scope="session", autouse=True)
def node() -> None:
    """Come before what builds."""
    need_node()


@pytest.fixture(scope="session")
def suites() -> Path:
    """Return where the SDK's own tests are, compiled."""
    build()
    compiled = run(["npx", "--no-install", "tsc", "-p", "test"], SDK)
    assert compiled.returncode == 0, compiled.stdout
    return SDK / "dist" / "test"


@pytest.mark.parametrize("suite", SUITES)
def test_its_own_tests_pass(
    suite: str, suites: Path, place: Place, make_place: Callable[..., Place], owner_key: str
) -> None:
    next_door = make_place(name="Next door")
    variables = {
        "AGENTPOST_BASE_URL": place.base_url,
        "AGENTPOST_API_KEY": place.api_key,
        "PLACE_ENVIRONMENT": place.environment["id"],
        "PLACE_SLUG": place.environment["slug"],
        "NEXT_DOOR_ENVIRONMENT": next_door.environment["id"],
        "NEXT_DOOR_KEY": next_door.api_key,
        "OWNER_KEY": owner_key,
    }
    ended = run(["node", "--test", "--test-reporter=spec", str(suites / f"{suite}.test.js")], SDK, variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_types_are_those_of_the_servers_description() -> None:
    build()
    ended = run(["npm", "run", "--silent", "generate", "--", "--check"], SDK)
    assert ended.returncode == 0, ended.stderr


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((SDK / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_the_package_can_be_imported_and_required(tmp_path: Path) -> None:
    folder = published(tmp_path)
    for name, heading in (("program.mjs", IMPORTED), ("program.cjs", REQUIRED)):
        (folder / name).write_text(heading + USED)
        ended = run(["node", name], folder)
        assert ended.stdout == "AgentPost verifyWebhook agentpostTools\n", ended.stderr


def test_the_package_has_types_for_both_and_needs_nothing_else(tmp_path: Path) -> None:
    folder = published(tmp_path)
    ended = run_in(folder, f"{IMPORTED}\nconst event: string = verifyWebhook('', {{}}, '').type;", {})
    assert "ConfigurationError: There is no secret" in ended.stderr, ended.stdout
    (folder / "required.cts").write_text('import sdk = require("@agentpost/sdk"); const wrong: number = sdk.VERSION;')
    complained = run(
        ["node", str(SDK / "node_modules/typescript/bin/tsc"), "--module", "nodenext", "required.cts"], folder
    )
    assert "Type 'string' is not assignable to type 'number'" in complained.stdout
    assert "dependencies" not in json.loads((folder / "node_modules/@agentpost/sdk/package.json").read_text())


def published(tmp_path: Path) -> Path:
    """Return a project in which the package is unpacked as a registry would hand it out, without its development."""
    build()
    packed = run(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", str(tmp_path)], SDK)
    folder = project(tmp_path / "project")
    installed = folder / "node_modules" / "@agentpost" / "sdk"
    installed.unlink()
    with tarfile.open(tmp_path / packed.stdout.strip()) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "package").rename(installed)
    assert {path.name for path in installed.iterdir()} == {"LICENSE", "package.json", "README.md", "dist"}
    return folder


def test_a_program_that_is_pasted_runs_by_either_name_of_the_package(place: Place) -> None:
    variables = {"AGENTPOST_BASE_URL": place.base_url, "AGENTPOST_API_KEY": place.api_key}
    ended = run_typescript(PROGRAM, variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith("greeter-")
    assert ended.stdout.endswith(" Hello\n")


def test_a_program_with_a_misspelt_field_is_refused_by_the_compiler() -> None:
    ended = run_typescript('import AgentPost from "@agentpost/sdk"; new AgentPost().inboxes.create({ nmae: "x" });', {})
    assert ended.returncode != 0
    assert "'nmae' does not exist" in ended.stdout
