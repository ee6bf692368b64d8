"""Requests that two servers may read differently, alone and behind the proxies that the documentation teaches."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.chaos.hostile.ground import Ground, Held
from tests.site.instance import free_port
from tests.site.test_front_smuggling import AMBIGUOUS, CLEAR, LAST

OK, INTERNAL_ERROR = 200, 500
NGINX = """daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port};
        proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host 127.0.0.1;
        location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
}}
"""
CADDY = "{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n reverse_proxy 127.0.0.1:{behind}\n}}\n"
PROXIES = {
    "nginx": (NGINX, ["nginx", "-c", "{file}", "-p", "{folder}", "-e", "stderr"]),
    "caddy": (CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config", "{file}"]),
}


def attack(ground: Ground) -> Iterator[Held]:
    """Send each request to the front, and through each proxy that is installed; nothing hidden may be answered."""
    behind = ground.instance.http_port
    yield _tried("alone", behind, is_proxied=False)
    for name in PROXIES:
        if shutil.which(name) is None:
            yield Held(f"smuggling, behind {name}", "not installed", 0, 0)
            continue
        with _proxy(name, behind) as port:
            yield _tried(f"behind {name}", port, is_proxied=True)


def _tried(where: str, port: int, *, is_proxied: bool) -> Held:
    """Send each on a connection of its own, and behind a proxy ask twice afterwards, as the next ones do.

    A proxy may read a request in its own way, and pass on as two what the front alone refuses; what counts there is
    that nobody who comes after gets an answer to something else.
    """
    requests = [request.replace(b"/test/read", b"/healthz") for request in (*AMBIGUOUS.values(), *CLEAR.values())]
    broken = 0
    for request in requests:
        statuses = _statuses(_said(port, request))
        after = [_said(port, LAST) for _ in range(2)] if is_proxied else []
        is_poisoned = any(_statuses(said) != [OK] or b'"ok"' not in said for said in after)
        broken += is_poisoned or INTERNAL_ERROR in statuses or (not is_proxied and len(statuses) > 1)
    promise = "nobody gets an answer to what is hidden, and no 500"
    return Held(f"request smuggling, {where}", promise, len(requests), broken)


def _statuses(said: bytes) -> list[int]:
    found = (int(status) for status in re.findall(rb"HTTP/1\.[01] (\d\d\d) ", said))
    return [status for status in found if status >= OK]


def _said(port: int, request: bytes) -> bytes:
    said = b""
    with socket.create_connection(("127.0.0.1", port), 5) as peer, suppress(OSError):
        peer.settimeout(1.5)
        peer.sendall(request)
        while piece := peer.recv(65536):
            said += piece
    return said


@contextmanager
def _proxy(name: str, behind: int) -> Iterator[int]:
    port, (configuration, command) = free_port(), PROXIES[name]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        file = Path(folder) / "configuration"
        file.write_text(configuration.format(folder=folder, port=port, behind=behind))
        arguments = [argument.format(file=file, folder=folder) for argument in command]
        with subprocess.Popen(  # noqa: S603 - a proxy of this list
            arguments, stderr=subprocess.DEVNULL, env={"HOME": folder, "PATH": "/usr/sbin:/usr/bin:/bin"}
        ) as process:
            try:
                _wait(port)
                yield port
            finally:
                process.terminate()


def _wait(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise TimeoutError(port)
