"""Which URLs an endpoint may have, as the API says."""

from typing import Any

import pytest

from apikeys.services import create_key
from environments.callers import SYSTEM
from tests.webhooks.conftest import Tenant
from tests.world import Api, error_of

GOOD = "https://hooks.acme.example/in"
REFUSED = [
    "http://hooks.acme.example/in",
    "http://127.0.0.1/in",
    "https://localhost/in",
    "https://127.0.0.1/in",
    "https://[::1]/in",
    "https://[::ffff:127.0.0.1]/in",
    "https://[64:ff9b::7f00:1]/in",
    "https://[2002:7f00:1::1]/in",
    "https://10.1.2.3/in",
    "https://100.64.0.1/in",
    "https://169.254.169.254/latest/meta-data/",
    "https://2130706433/in",
    "https://017700000001/in",
    "https://0x7f000001/in",
    "https://0x7f.0.0.0x1/in",
    "https://user:pass@hooks.acme.example/in",
    "ftp://hooks.acme.example/in",
]


@pytest.fixture
def api(acme: Tenant, settings: Any) -> Api:
    settings.AGENTPOST_DEVELOPMENT = False
    return Api(create_key(acme.environment.organization_id, "a key", actor=SYSTEM, scopes=["*"]).secret)


@pytest.mark.parametrize("url", REFUSED)
def test_a_target_inside_or_without_tls_is_refused_at_creation_and_at_change(api: Api, url: str) -> None:
    made = api.post("/webhook-endpoints", {"url": GOOD, "events": ["*"]}).json()
    for answer in (
        api.post("/webhook-endpoints", {"url": url, "events": ["*"]}),
        api.patch(f"/webhook-endpoints/{made['id']}", {"url": url}),
    ):
        assert (answer.status_code, error_of(answer)["details"][0]["field"]) == (422, "url")
    assert [row["url"] for row in api.items("/webhook-endpoints")] == [GOOD]


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/in", "http://localhost:3000/in", "https://127.0.0.1/in"])
def test_in_development_this_machine_is_a_target(api: Api, url: str, settings: Any) -> None:
    settings.AGENTPOST_DEVELOPMENT = True
    assert api.post("/webhook-endpoints", {"url": url, "events": ["*"]}).status_code == 201


@pytest.mark.parametrize("url", ["http://hooks.acme.example/in", "https://10.1.2.3/in", "http://169.254.169.254/"])
def test_development_permits_nothing_else(api: Api, url: str, settings: Any) -> None:
    settings.AGENTPOST_DEVELOPMENT = True
    assert api.post("/webhook-endpoints", {"url": url, "events": ["*"]}).status_code == 422
