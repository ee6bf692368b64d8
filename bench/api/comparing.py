"""Whether the servers answer alike: a comparison of others would be worth nothing."""

import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from bench.api.ground import Place
from bench.api.servers import Server

NONCE = re.compile(r"\b[0-9a-f]{32}\b")  # text_for_model has a fresh one in every answer
READING = ("list", "get", "search")
OF_ITS_OWN = "next_cursor"  # a signed one here, a plain one there


def same(servers: Sequence[Server], ports: Mapping[str, int], places: Sequence[Place]) -> list[str]:
    """Return a sentence for each peer that answers alike, key by key. Raises AssertionError where one does not."""
    first, *peers = servers
    told = []
    for peer in peers:
        names = [name for name in READING if name in peer.calls]
        for name in names:
            for place in places[:3]:
                ours, theirs = (_answer(one, ports[one.name], name, place) for one in (first, peer))
                _compare(f"{peer.name}, {name}", ours, theirs)
        for name in ("label", "send"):
            ours, theirs = (_answer(one, ports[one.name], name, places[-1]) for one in (first, peer))
            if ours.keys() != theirs.keys():
                raise AssertionError(f"{peer.name}, {name}: {ours.keys() ^ theirs.keys()}")
        told.append(f"{peer.name} answered {', '.join(names)} with the same JSON for the same rows, key by key.")
    return told


def _answer(server: Server, port: int, name: str, place: Place) -> Any:
    call = server.calls[name](place, 0)
    headers = {"Authorization": f"Bearer {place.secret}", "Content-Type": "application/json"}
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{call.path}", call.body.encode() or None, headers, method=call.method
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
        return json.loads(NONCE.sub("nonce", answer.read().decode()))


def _compare(what: str, ours: Any, theirs: Any) -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            raise AssertionError(f"{what}: {sorted(ours.keys() ^ theirs.keys())}")
        for key in ours.keys() - {OF_ITS_OWN}:
            _compare(f"{what}.{key}", ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            _compare(f"{what}.{number}", *pair)
    elif ours != theirs:
        raise AssertionError(f"{what}: {ours!r} here, {theirs!r} there")
