"""What a machine needs so that the others do without it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from agentpost_site.health import views
from agentpost_site.health.checkup import Checkup
from agentpost_site.health.probes import PROBES
from tests.mail.sink import HANG, running_sink

MISSED_SOON = {"tcp_keepalives_idle": 6, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}


def test_one_smtp_machine_of_several_is_enough_to_be_ready(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checks_at(*hosts: str) -> tuple[str, str]:
        """Ask of these hosts, and for the first time: an answer is good for seconds, whatever is set meanwhile."""
        settings.AGENTPOST_SMTP_HOST = list(hosts)
        monkeypatch.setattr(views, "CHECKUP", Checkup(PROBES))
        checks = Client().get("/readyz").json()["checks"]
        return checks["smtp"], checks["submission"]

    with running_sink(host="127.0.0.3") as standing, running_sink(host="127.0.0.4", port=standing.port) as silent:
        silent.always("banner", HANG)
        settings.AGENTPOST_SMTP_PORT = settings.AGENTPOST_SUBMISSION_PORT = standing.port
        assert checks_at("127.0.0.2", "127.0.0.4", "127.0.0.3") == ("ok", "ok")
        assert checks_at("127.0.0.2", "127.0.0.4") == ("ConnectionRefusedError",) * 2


def test_postgresql_is_told_to_miss_a_dead_machine_soon(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, reset_val::int FROM pg_settings WHERE name = ANY (%s) AND source = 'client'",
            [list(MISSED_SOON)],
        )
        assert dict(cursor.fetchall()) == MISSED_SOON


def test_a_dead_postgresql_is_missed_as_soon(db: None) -> None:
    connection.ensure_connection()
    known = connection.connection.info.get_parameters()
    assert {name: int(known[name.removeprefix("tcp_")]) for name in MISSED_SOON} == MISSED_SOON
