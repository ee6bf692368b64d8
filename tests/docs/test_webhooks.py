"""What docs/webhooks.md tells receivers to run verifies what is really posted, and nothing else."""

import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from environments import clock
from tests.docs.pages import text
from webhooks.signing import new_secret, sign

BODY = '{"id": "evt_1", "data": {"subject": "Grüße"}}'.encode()
BLOCK = re.compile(r"^```(python|js)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(language, code) for language, code in BLOCK.findall(text("docs/webhooks.md"))]
NODE = shutil.which("node")
ASK_NODE = """
const [secret, headers, body] = JSON.parse(process.argv[1]);
process.stdout.write(JSON.stringify(eventOf(secret, headers, Buffer.from(body, "base64"))));
"""
Receiver = Callable[[str, dict[str, str], bytes], Any]


def receiver_of(language: str, code: str) -> Receiver:
    if language == "js":
        return lambda *given: in_node(code, *given)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    received: Receiver = names["event_of"]
    return received


def in_node(code: str, secret: str, headers: dict[str, str], body: bytes) -> Any:
    given = json.dumps([secret, headers, b64encode(body).decode()])
    answer = subprocess.run([str(NODE), "-e", code + ASK_NODE, given], capture_output=True, check=True)
    return json.loads(answer.stdout)


def test_there_is_a_receiver_for_each_signature_and_language() -> None:
    assert [language for language, _ in BLOCKS] == ["python", "python", "js"]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        pytest.param(*block, marks=pytest.mark.skipif(block[0] == "js" and not NODE, reason="Node is not here"))
        for block in BLOCKS
    ],
)
def test_a_documented_receiver_takes_what_is_signed_and_refuses_the_rest(language: str, code: str) -> None:
    secret, now = new_secret(), clock.now()
    headers, receive = sign([secret], "evt_1", BODY, now), receiver_of(language, code)
    assert receive(secret, headers, BODY)["id"] == "evt_1"
    stale = sign([secret], "evt_1", BODY, now - timedelta(minutes=6))
    for given in ((new_secret(), headers, BODY), (secret, headers, BODY + b" "), (secret, stale, BODY)):
        with pytest.raises(Exception):  # noqa: B017 - each raises its own
            receive(*given)


OURS = {"x-agentpost-timestamp", "x-agentpost-signature"}
FORGED: list[dict[str, str]] = [
    {},
    {"x-agentpost-signature": "ab"},
    {"x-agentpost-timestamp": "1"},
    {"x-agentpost-timestamp": "1", "x-agentpost-signature": "gr\u00fc\u00dfe"},
    {"x-agentpost-timestamp": "gr\u00fc\u00dfe", "x-agentpost-signature": "ab"},
    {"x-agentpost-timestamp": "\udcff", "x-agentpost-signature": "\udcff"},
]


@pytest.mark.parametrize("headers", FORGED)
def test_the_receiver_without_a_library_raises_what_it_says_it_raises(headers: dict[str, str]) -> None:
    [receive] = [receiver_of(language, code) for language, code in BLOCKS if "ValueError for" in code]
    with pytest.raises(ValueError, match=r"not from AgentPost|surrogates not allowed"):
        receive(new_secret(), headers, BODY)


@pytest.mark.parametrize("missing", sorted(OURS))
def test_the_receiver_without_a_library_refuses_what_lacks_one_header(missing: str) -> None:
    [receive] = [receiver_of(language, code) for language, code in BLOCKS if "ValueError for" in code]
    secret = new_secret()
    headers = sign([secret], "evt_1", BODY, clock.now())
    assert set(headers) >= OURS
    with pytest.raises(ValueError, match="not from AgentPost"):
        receive(secret, {name: headers[name] for name in OURS - {missing}}, BODY)
