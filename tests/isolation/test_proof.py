"""The whole proof, run as anybody may run it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from agentpost_site.isolation import ground
from agentpost_site.isolation.findings import Area, Report
from agentpost_site.isolation.proof import prove


def test_nothing_leaks_and_nothing_is_uncovered(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        report = prove(read_only=False, tell=lambda _: None)
    assert report.holds, "\n".join(report.lines())


def test_the_catalogue_of_a_database_in_service_is_told_as_one_object(db: None) -> None:
    out = StringIO()
    call_command("verify_isolation", "--read-only", "--json", stdout=out, stderr=StringIO())
    told = json.loads(out.getvalue())
    assert (told["isolated"], told["leaks"], told["uncovered"]) == (True, 0, 0)
    assert told["probes"] == sum(area["probes"] for area in told["areas"])


def test_it_says_what_to_do_when_it_may_not_create_databases(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_db_blocker.unblock():
        monkeypatch.setattr(ground, "connections", {"owner": connections["default"]})
        with pytest.raises(CommandError, match=r"CREATEDB.*--read-only"):
            call_command("verify_isolation", stdout=StringIO(), stderr=StringIO())


HOLDS = Area("one", probes=1)
LEAKS = Area("two", probes=1)
LEAKS.demand("a probe", "a difference")
MISSES = Area("three", probes=1)
MISSES.miss("a route")


@pytest.mark.parametrize(
    ("areas", "holds"),
    [([HOLDS], True), ([], False), ([HOLDS, Area("empty")], False), ([HOLDS, LEAKS], False), ([HOLDS, MISSES], False)],
)
def test_a_report_holds_only_when_all_was_tried_and_nothing_leaked(areas: list[Area], holds: bool) -> None:
    assert Report(areas).holds == holds
    assert Report(areas).as_json()["isolated"] == holds


def test_a_report_names_every_leak_and_every_gap() -> None:
    lines = "\n".join(Report([LEAKS, MISSES]).lines())
    assert "a probe: a difference" in lines
    assert "UNCOVERED  three: a route" in lines
