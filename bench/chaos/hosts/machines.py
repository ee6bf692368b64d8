"""An AgentPost of several machines: a PostgreSQL, a bucket, and two machines of each kind behind a proxy."""

import contextlib
import http.client
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from agentpost_site.embedded_postgres import EmbeddedPostgres
from bench.chaos.hosts.network import NETWORK, OUTSIDE, Network, address
from bench.chaos.instance import House
from bench.report import ROOT
from tests.mail.bucket import Bucket
from tests.mail.sink import Sink, authority
from tests.names import NameServer
from tests.site.instance import wait_for

DATABASE, STORE = 2, 3
HTTP, SMTP, S3 = 8000, 2525, 5000
GIVES_UP_AFTER = 10.0  # seconds, of a client of the API
KINDS = {  # the numbers of the machines, and the arguments of manage.py that start what runs on each
    "SMTP": ((11, 12), [["smtpd"]]),
    "web": ((21, 22), [["web"]]),
    "worker": ((31, 32), [["deliver"], ["send_mail"], ["procrastinate", "worker", "--concurrency=4"]]),
}
PROXY = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
http://127.0.0.1:{port} {{
    reverse_proxy {upstreams} {{
        health_uri /readyz
        health_interval 1s
        health_timeout 3s
        health_headers {{
            Host 127.0.0.1
        }}
        lb_policy round_robin
        lb_try_duration 5s
        flush_interval -1
        transport http {{
            dial_timeout 1s
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Call:
    """A call of the API: when it began and ended, and whether it was answered as it should be."""

    began: float
    ended: float
    is_answered: bool


class Machines(House):
    """The product on several machines; to its clients it is one."""

    def __init__(self, folder: Path, network: Network, relay: Sink, names: NameServer) -> None:
        self.bucket = Bucket(f"http://{address(STORE)}:{S3}", "mail")
        database = f"@{address(DATABASE)}:5432/agentpost"
        folder.mkdir(mode=0o711)
        super().__init__(
            folder,
            relay,
            names,
            DATABASE_URL=f"postgresql://agentpost_app{database}",
            DATABASE_OWNER_URL=f"postgresql://agentpost_owner{database}",
            AGENTPOST_SECRET_KEY=secrets.token_urlsafe(),
            AGENTPOST_HTTP_HOST="0.0.0.0",  # noqa: S104 - in a network of our own
            **self.bucket.variables,
        )
        self.network, self.postgres_server = network, EmbeddedPostgres(folder)
        self.processes, self.calls = list[subprocess.Popen[bytes]](), list[Call]()
        self.log.touch()
        self.smtp_port = SMTP
        doors = ",".join(map(address, KINDS["SMTP"][0]))
        trusted = folder / "authority.pem"
        authority().cert_pem.write_to_path(str(trusted))
        self.environment |= {
            "SSL_CERT_FILE": str(trusted),
            "AGENTPOST_HTTP_PORT": str(HTTP),
            "AGENTPOST_SMTP_PORT": str(SMTP),
            "AGENTPOST_SMTP_HOST": doors,
            "AGENTPOST_PUBLIC_URL": f"http://127.0.0.1:{self.http_port}",
        }

    def __enter__(self) -> Self:
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_all(self) -> None:
        self._start_database()
        self._start_store()
        self._prepare()
        for kind, (numbers, _) in KINDS.items():
            for number in numbers:
                self.start(kind, number)
        self._start_proxy()
        wait_for(self.is_ready)

    def __exit__(self, *_: object) -> None:
        self.postgres_server.stop()  # in good order, since it would leave its shared memory
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, kind: str, number: int) -> None:
        """Bring a machine up, with all that runs on it."""
        self.network.add(number)
        own = {"AGENTPOST_DATA_DIR": str(self.folder / f"machine-{number}")}
        if kind == "SMTP":
            own["AGENTPOST_SMTP_HOST"] = address(number)
        for arguments in KINDS[kind][1]:
            self._run(number, [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment | own)

    def opened(
        self, method: str, path: str, content: bytes | None = None, timeout: float = GIVES_UP_AFTER, **headers: str
    ) -> contextlib.AbstractContextManager[http.client.HTTPResponse]:
        """Make a call, as a client that gives up sooner."""
        return super().opened(method, path, content, timeout, **headers)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a call, and keep how it went."""
        began, is_answered = time.monotonic(), False
        try:
            answer = super().call(method, path, body, **headers)
            is_answered = True
        finally:
            self.calls.append(Call(began, time.monotonic(), is_answered))
        return answer

    def octets(self, key: str) -> int | None:
        """Return the size of an object in the bucket, None when it is missing."""
        try:
            return int(self.bucket.client.head_object(Bucket=self.bucket.name, Key=key)["ContentLength"])
        except ClientError:
            return None

    def _start_database(self) -> None:
        self.postgres_server.before_start()
        with (self.postgres_server.location / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK} trust\n")
        self.network.add(DATABASE)
        command = [*self.postgres_server.command(), f"--listen_addresses={address(DATABASE)}"]
        self._run(DATABASE, command, cwd=self.postgres_server.location, **self.postgres_server.identity())
        self.postgres_server.wait_until_ready()
        self.postgres_server.create_roles()

    def _start_store(self) -> None:
        self.network.add(STORE)
        self._run(STORE, [sys.executable, "-m", "moto.server", f"--host={address(STORE)}", f"--port={S3}"])
        wait_for(self._bucket_is_made)

    def _bucket_is_made(self) -> bool:
        with contextlib.suppress(BotoCoreError):
            self.bucket.make()
            return True
        return False

    def _prepare(self) -> None:
        for arguments in (["migrate", "--database=owner", "--verbosity=0"], ["first_run"]):
            done = self.manage(*arguments)
            if done.returncode:
                raise RuntimeError(done.stderr)
            self.told_before += done.stdout

    def _start_proxy(self) -> None:
        page = self.folder / "Caddyfile"
        upstreams = " ".join(f"{address(number)}:{HTTP}" for number in KINDS["web"][0])
        page.write_text(PROXY.format(folder=self.folder, port=self.http_port, upstreams=upstreams))
        command = ["caddy", "run", f"--config={page}", "--adapter=caddyfile"]
        self._run(OUTSIDE, command, env=os.environ | {"HOME": str(self.folder)})

    def _run(self, number: int, command: list[str], **options: Any) -> None:
        with self.network.inside(number), self.log.open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, **options))  # noqa: S603
