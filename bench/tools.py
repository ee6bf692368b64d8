"""Processor time of a tool's call at ``/mcp``, beside the call of the API that it makes.

    python -m bench.tools KEY [URL]

The server must run on this machine, as ``make run`` starts it; its web processes are the ones that are measured.
"""

import http.client
import json
import sys
from urllib.parse import urlsplit

import psutil

ROUNDS, CALLS = 5, 200
PAIRS = {  # tool, arguments: path of the API
    ("whoami", "{}"): "/api/v1/me",
    ("list_messages", '{"limit": 20}'): "/api/v1/messages?limit=20",
    ("list_inboxes", "{}"): "/api/v1/inboxes?limit=20",
}


def main(key: str, url: str = "http://127.0.0.1:8000") -> None:
    """Print processor milliseconds for each call, the best of several rounds by turns, and their ratio."""
    where = urlsplit(url)
    client = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    web = [one for one in psutil.process_iter() if _is_web(one, where.port)]
    print(f"{'tool':<16}{'API':>10}{'/mcp':>10}{'ratio':>8}")
    for (name, arguments), path in PAIRS.items():
        params = {"name": name, "arguments": json.loads(arguments)}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        rounds = [
            (_spent(web, client, ("GET", path, None, headers)), _spent(web, client, ("POST", "/mcp", body, headers)))
            for _ in range(ROUNDS)
        ]
        plain, tool = (min(one) for one in zip(*rounds, strict=True))
        print(f"{name:<16}{plain:>7.2f} ms{tool:>7.2f} ms{tool / plain:>8.2f}")


def _is_web(process: psutil.Process, port: int | None) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return "granian" in " ".join(command) and f"--port={port}" in command


def _spent(web: list[psutil.Process], client: http.client.HTTPConnection, call: tuple) -> float:
    """Return the processor milliseconds that the web processes spend on one call."""
    before = _times(web)
    for _ in range(CALLS):
        client.request(*call)
        with client.getresponse() as answer:
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                sys.exit(f"{call[1]} was answered with {answer.status}")
    return (_times(web) - before) / CALLS * 1000


def _times(web: list[psutil.Process]) -> float:
    everybody = [child for one in web for child in (one, *one.children(recursive=True))]
    return sum(sum(process.cpu_times()[:2]) for process in set(everybody))


if __name__ == "__main__":
    main(*sys.argv[1:])
