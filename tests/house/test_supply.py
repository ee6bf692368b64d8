"""What is installed is what was written down: every package has a version and a hash.

`bench/requirements-peers.txt` is exempt: it names what others would run, to be measured beside, in a folder of its own.
Nothing of ours imports it, and no installation of AgentPost has it.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"[A-Za-z0-9._-]+(?:\[[\w,-]+\])?==\S+(?: ; [^\\]+)?")


@pytest.mark.parametrize(
    ("name", "at_least"), [("requirements.txt", 50), ("requirements-dev.txt", 50), ("requirements-tracing.txt", 10)]
)
def test_every_python_package_has_one_version_and_hashes(name: str, at_least: int) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > at_least
    for line in lines:
        wanted, *hashes = [part.strip() for part in line.split(" --hash=")]
        assert PINNED.fullmatch(wanted), line
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), line


@pytest.mark.parametrize("lock", sorted(ROOT.glob("sdk/*/package-lock.json")), ids=str)
def test_every_npm_package_has_one_version_and_a_hash(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    del packages[""]
    assert len(packages) > 10
    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []
    assert [name for name, one in packages.items() if not re.fullmatch(r"\d+\.\d+\.\d+\S*", one["version"])] == []


def test_the_audit_looks_at_every_list_that_is_installed_from() -> None:
    [audit] = re.findall(r"pip_audit(?:.*\\\n)*.*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert sorted(re.findall(r"--requirement (\S+)", audit)) == sorted(
        path.name for path in ROOT.glob("requirements*.txt")
    )


def test_installing_asks_for_the_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes" in makefile
    assert "npm ci" in makefile
    assert "npm install" not in makefile
