"""The page on monitoring, the dashboard and the rules name what there is: every check and figure, and no other."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentpost_site.front.router import Front
from agentpost_site.health.checkup import CHECKUP
from agentpost_site.health.figures import exposition
from environments.telemetry.metrics import REGISTRY
from tests.docs.pages import text

PAGE = text("docs/self-hosting/monitoring.md")
RULES: dict[str, Any] = yaml.safe_load(text("docs/self-hosting/prometheus-rules.yml"))
DASHBOARD: dict[str, Any] = json.loads(text("docs/self-hosting/grafana-dashboard.json"))
NAME = re.compile(r"\b(?:agentpost|process)_[a-z_]+")
SELECTOR = re.compile(r"((?:agentpost|process)_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
OF_SNAPSHOTS = {"process", "worker"}


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for group in RULES["groups"] for rule in group["rules"])
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def sampled() -> set[str]:
    """Return every name that may stand on the page, those of the buckets too."""
    names = set()
    for family in REGISTRY.collect():
        names |= {family.name, *(sample.name for sample in family.samples)}
        behind = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [])
        names |= {family.name + end for end in behind}
    shown = exposition({"database": "OperationalError"}).decode()
    return names | {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE")}


def labels_of(name: str) -> set[str]:
    collectors = REGISTRY._names_to_collectors
    return set(getattr(collectors.get(name), "_labelnames", ())) | OF_SNAPSHOTS | {"le"}


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_figures_and_labels_that_there_are(expression: str) -> None:
    names = {name for name in NAME.findall(re.sub(r"by \([^)]*\)", "", expression)) if name != "process_"}
    assert names
    assert names <= sampled()
    for name, selected in SELECTOR.findall(expression):
        assert set(LABEL.findall(selected)) <= labels_of(name)
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool")
    file = tmp_path / "rules.yml"
    file.write_text(text("docs/self-hosting/prometheus-rules.yml"))
    subprocess.run([promtool, "check", "rules", str(file)], check=True)


def test_every_alarm_has_its_line() -> None:
    alerts = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]
    assert re.findall(r"^\| `(AgentPost\w+)` \|", PAGE, re.MULTILINE) == alerts


def test_every_figure_has_its_line() -> None:
    told = set(re.findall(r"^\| `(agentpost_\w+)` \|", PAGE, re.MULTILINE))
    counted = {f.name + "_total" * (f.type == "counter") for f in REGISTRY.collect() if f.name.startswith("agentpost")}
    shown = exposition({"database": "OperationalError"}).decode().splitlines()
    measured = {line.split()[2] for line in shown if line.startswith("# TYPE agentpost")}
    assert told == counted | measured


def test_every_check_has_its_line() -> None:
    checks = [name for names in (*CHECKUP._asked, *Front(lambda *_: [], []).probes()) for name in names]
    table = PAGE.partition("| check | fails when |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == checks
