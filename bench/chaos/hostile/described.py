"""Calls made up from the served description by schemathesis, with a valid key and ids of what is there."""

from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings

from bench.chaos.hostile.ground import Ground, Held

EXAMPLES = {False: 12, True: 400}
STREAMS = ("/stream", "/wait")  # which answer when something happens; tests/webhooks/realtime and test_waiting try them


def attack(ground: Ground) -> list[Held]:
    """Make calls of every operation; whatever is no answer that the description names is broken."""
    from tests.api.test_fuzz import CHECKS, COLLECTIONS, with_real_ids

    url = f"http://127.0.0.1:{ground.instance.http_port}"
    served = requests.get(f"{url}/api/v1/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(served)
    ids = _ids(ground, COLLECTIONS)
    tried, broken = 0, []

    def call(operation: Any) -> None:
        @settings(
            max_examples=EXAMPLES[ground.full],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def each(case: Any) -> None:
            nonlocal tried
            tried += 1
            if len(str(case.query)) % 2:
                case.path_parameters = with_real_ids(case.operation.path, case.path_parameters or {}, ids)
            answer = case.call(base_url=url, headers=ground.instance.credentials(), timeout=60)
            case.validate_response(answer, checks=CHECKS)

        try:
            each()
        except Exception as error:  # noqa: BLE001 - each is told, and the next operation tried
            print(f"{operation.label}: {str(error)[:600]}", flush=True)
            broken.append(operation.label)

    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.endswith(STREAMS):
            call(operation)
    note = "Operations that broke: " + ", ".join(broken) if broken else ""
    return [Held("calls made up from the description", "no 500, and only what is described", tried, len(broken), note)]


def _ids(ground: Ground, collections: dict[str, str]) -> dict[str, str]:
    """Return one id of each kind that there is, and of none that keeps us from going on."""
    ids = {}
    for collection, name in collections.items():
        path = f"/org/{collection}" if collection in {"members", "invitations"} else f"/{collection}"
        try:
            [*_, last] = ground.call("GET", path)["data"]
        except (OSError, ValueError, KeyError):
            last = {"id": f"{name[:3]}_01M8NAHN11E3YRDPKPTEHEJR3K"}
        ids[name] = last["id"]
    own = {"key": "key_01M8NAHN11E3YRDPKPTEHEJR3K", "environment": "env_01M8NAHN11E3YRDPKPTEHEJR3K"}
    return {**ids, **own}
