"""The image's files are enough to run on, and the containers run what there is to run."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.clients.docs.blocks import ROOT
from tests.clients.hosting.machine import HERE
from tests.docs.test_settings import documented
from tests.site.instance import Instance, wait_for

STEP = re.compile(r"^([A-Z]+) (.+)$", re.MULTILINE)
STEPS = STEP.findall((ROOT / HERE / "Containerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / HERE / "compose.yaml").read_text())
SERVICES = {name: one for name, one in COMPOSE["services"].items() if name != "postgres"}
NEEDS_AN_ENGINE = ("useradd", "-m pip install")  # an account of its own, and the registry


def carried_out(folder: Path) -> dict[str, str]:
    """Do in a folder what the steps do in an image; return the variables that they set."""
    variables: dict[str, str] = {}
    for instruction, rest in STEPS:
        if instruction == "COPY":
            source, target = rest.split()
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, folder / target)
        elif instruction == "RUN" and not any(part in rest for part in NEEDS_AN_ENGINE):
            subprocess.run(rest, shell=True, cwd=folder, check=True)  # noqa: S602
        elif instruction == "RUN" and "venv" in rest:
            (folder / ".venv").symlink_to(sys.prefix)  # of the same requirements.txt
        elif instruction == "ENV":
            variables |= dict(one.split("=", 1) for one in rest.split())
    return variables


def started_by_the_image() -> list[str]:
    words = dict(STEPS)
    return [*json.loads(words["ENTRYPOINT"]), *json.loads(words["CMD"])]


def test_an_agentpost_runs_on_the_files_of_the_image(ground: Path) -> None:
    image = ground / "image"
    image.mkdir()
    variables = carried_out(image)
    assert variables.pop("AGENTPOST_DATA_DIR") == "/var/lib/agentpost"
    instance = Instance(
        ground / "data", **variables | {"AGENTPOST_SMTP_HOST": "127.0.0.1", "AGENTPOST_HTTP_HOST": "127.0.0.1"}
    )
    with (
        instance.log.open("wb") as log,
        subprocess.Popen(
            started_by_the_image(), cwd=image, env=instance.environment, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        wait_for(instance.is_ready)
        assert instance.get("/api/v1/inboxes")["data"]
        assert instance.get("/api/v1/openapi.json")["openapi"]
        process.terminate()
    assert process.returncode == 0


def test_pip_installs_what_the_hashes_say_and_nothing_else() -> None:
    [install] = [rest for instruction, rest in STEPS if instruction == "RUN" and "-m pip install" in rest]
    assert "--require-hashes --requirement requirements.txt" in install


def test_nothing_runs_as_root() -> None:
    assert dict(STEPS)["USER"] == "agentpost"
    assert [name for name, one in SERVICES.items() if one["cap_drop"] != ["ALL"]] == []


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_container_runs_a_command_that_there_is(service: str) -> None:
    assert SERVICES[service]["command"][0] in get_commands()


def test_there_is_a_container_for_each_service_of_systemd() -> None:
    units = {
        path.name.removeprefix("agentpost-").removesuffix(".service")
        for path in (ROOT / HERE / "systemd").glob("*.service")
    }
    assert {unit.removesuffix("@") for unit in units} - {"serve"} == set(SERVICES)


def test_every_setting_of_the_examples_exists() -> None:
    named = {name for one in SERVICES.values() for name in one["environment"]}
    for file in ("agentpost.env", "containers.env"):
        named |= set(re.findall(r"^([A-Z_0-9]+)=", (ROOT / HERE / file).read_text(), re.MULTILINE))
    assert named - documented().keys() == set()


def test_only_the_migrating_container_knows_the_owner() -> None:
    assert [name for name, one in SERVICES.items() if "DATABASE_OWNER_URL" in one["environment"]] == ["migrate"]
