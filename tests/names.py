"""A real name server, on loopback unless told otherwise: what tests know of DNS, and all that they ask."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dnslib import QTYPE, RCODE, RR, DNSLabel, DNSRecord
from dnslib import dns as rdata
from dnslib.server import BaseResolver, DNSServer


class Names(BaseResolver):
    """What the server knows, by (name, type); it can fail, keep silent, and counts what it is asked."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[Any]] = {}
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.ttl = 300
        self.delay = 0.0

    def put(self, name: str, kind: str, *values: Any) -> None:
        self.records[name, kind] = [_rdata(kind, value) for value in values]

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        self.asked.append((name, kind))
        reply = request.reply()
        if any(name == each or name.endswith(f".{each}") for each in self.silent):
            raise TimeoutError
        time.sleep(self.delay)
        if name in self.failing:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        self._answer(reply, name, kind)
        return reply

    def _answer(self, reply: DNSRecord, name: str, kind: str) -> None:
        for _ in range(20):
            alias = self.records.get((name, "CNAME"))
            if not alias:
                break
            reply.add_answer(RR(name, QTYPE.CNAME, ttl=self.ttl, rdata=alias[0]))
            name = str(alias[0].label).rstrip(".")
        for each in self.records.get((name, kind), []):
            reply.add_answer(RR(name, getattr(QTYPE, kind), ttl=self.ttl, rdata=each))
        if not any(known == name for known, _ in self.records):
            reply.header.rcode = RCODE.NXDOMAIN


def _rdata(kind: str, value: Any) -> Any:
    if kind == "TXT":
        return rdata.TXT([value[start : start + 250] for start in range(0, len(value), 250)] or [b""])
    return rdata.MX(DNSLabel(value[1]), value[0]) if kind == "MX" else getattr(rdata, kind)(value)


class _Quiet:
    """dnslib's logger, saying nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _free_port(host: str) -> int:
    """Return a port that is free for UDP and for TCP."""
    for _ in range(50):
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp, suppress(OSError):
            udp.bind((host, 0))
            tcp.bind(udp.getsockname())
            return int(udp.getsockname()[1])
    raise OSError("No port is free for both.")


class NameServer:
    """The server, over UDP and TCP; ``names`` are what it knows at the moment."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, _free_port(host)
        options = {"port": self.port, "address": host, "logger": _Quiet()}
        self._servers = [DNSServer(Names(), tcp=tcp, **options) for tcp in (False, True)]
        self.names = Names()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def names(self) -> Names:
        names: Names = self._servers[0].server.resolver
        return names

    @names.setter
    def names(self, names: Names) -> None:
        for server in self._servers:
            server.server.resolver = names

    def start(self) -> None:
        for server in self._servers:
            server.server.handle_error = lambda *_: None
            threading.Thread(target=server.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.server.shutdown()
            server.server.server_close()


@contextmanager
def name_server(host: str = "127.0.0.1") -> Iterator[NameServer]:
    """Serve names for as long as the block lasts."""
    server = NameServer(host)
    server.start()
    try:
        yield server
    finally:
        server.stop()
