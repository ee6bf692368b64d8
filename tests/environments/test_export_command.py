"""export_environment writes an archive, whole or not at all."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.environments.commands import machine, refused
from tests.world import World


def test_an_environment_is_exported_to_a_file(acme: World, tmp_path: Path) -> None:
    output = tmp_path / "acme.zip"
    told = machine("export_environment", "--environment", "acme/development", "--output", str(output))
    with zipfile.ZipFile(output) as archive:
        assert json.loads(archive.read("manifest.json"))["files"] == told["files"]
    assert (told["environment_id"], told["size"], output.stat().st_mode & 0o077) == (
        acme.development.pk, output.stat().st_size, 0,
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("output", ["there.zip", "nowhere/there.zip"])
def test_an_export_overwrites_nothing_and_leaves_no_half(output: str, acme: World, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_text("mine")
    refused("export_environment", "--environment", "acme/development", "--output", str(tmp_path / output))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
