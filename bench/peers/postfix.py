"""Debian's Postfix, with its queue on disk: it takes mail into maildirs, or relays it."""

import os
import pwd
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.peers import DOMAIN, Maildirs, NotInstalled, addresses, in_maildirs
from bench.processes import family, free_port, wait_for

UNDELIVERED = ("maildrop", "incoming", "active")
UNSENT = ("incoming", "active", "deferred")
PATIENCE = 120.0
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/state
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
in_flow_delay = 0
"""  # the delay slows down who is faster than delivery
TO_MAILDIRS = """
myhostname = mx.{domain}
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_transport = virtual
"""
TO_A_SINK = """
myhostname = relay.example
relayhost = [127.0.0.1]:{sink}
smtpd_data_restrictions = check_client_access static:HOLD
smtp_destination_concurrency_limit = 50
initial_destination_concurrency = 20
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix(folder: Path, mailboxes: int) -> Iterator[Maildirs]:
    """Run one that delivers into maildirs in a folder, until the block ends. Raises NotInstalled."""
    nobody = pwd.getpwnam("nobody")
    settings = TO_MAILDIRS.format(folder=folder, domain=DOMAIN, uid=nobody.pw_uid, gid=nobody.pw_gid)
    mailboxes_map = "".join(f"{address} {address}/\n" for address in addresses(mailboxes))
    with _running(folder, settings, mailboxes_map) as (port, master):
        shutil.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
        queues = [folder / "queue" / name for name in UNDELIVERED]
        is_settled, stored = partial(_are_empty, queues), partial(in_maildirs, folder / "mail")
        yield Maildirs(port, addresses(mailboxes), is_settled, stored, folder / "mail", partial(family, master))


class Relay:
    """One that relays."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port

    def hold(self, mails: list[tuple[str, str, bytes]]) -> None:
        """Let it take mails and keep them on hold."""
        with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as client:
            for sender, recipient, raw in mails:
                client.sendmail(sender, [recipient], raw)

    def seconds_to_release(self) -> float:
        """Let it hand over all that it holds; return how long that took. Raises TimeoutError."""
        held = self._count("hold")
        self._run("postsuper", "-H", "ALL")
        self._run("postqueue", "-f")
        began = None
        deadline = time.monotonic() + PATIENCE
        while left := sum(self._count(name) for name in UNSENT):
            if began is None and left < held:
                began = time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"Postfix still holds {left} mails")
            time.sleep(0.005)
        return time.monotonic() - (began or time.monotonic())

    def _count(self, queue: str) -> int:
        return sum(len(files) for _, _, files in os.walk(self._folder / "queue" / queue))

    def _run(self, program: str, *arguments: str) -> None:
        command = [_program(program), "-c", str(self._folder / "etc"), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603


@contextmanager
def relay(folder: Path, sink: int) -> Iterator[Relay]:
    """Run one that relays to a port of this machine, until the block ends. Raises NotInstalled."""
    with _running(folder, TO_A_SINK.format(sink=sink)) as (port, _):
        yield Relay(folder, port)


@contextmanager
def _running(folder: Path, settings: str, mailboxes: str = "") -> Iterator[tuple[int, int]]:
    """Run one with settings of its own in a folder until the block ends; give its port and its master's process id."""
    if not Path(_program("postfix")).exists():
        raise NotInstalled("the Debian package postfix is not there")
    port, command = free_port(), [_program("postfix"), "-c", str(folder / "etc")]
    try:
        _prepare(folder, port, settings, mailboxes)
    except (OSError, LookupError) as trouble:
        raise NotInstalled(f"it does not start: {trouble}") from trouble
    try:
        yield port, _started(command, folder / "queue" / "pid" / "master.pid")
    finally:
        subprocess.run([*command, "stop"], capture_output=True, timeout=60, check=False)  # noqa: S603


def _started(command: list[str], pid_file: Path) -> int:
    """Start it and return its master's process id. Raises NotInstalled."""
    done = subprocess.run([*command, "start"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    if done.returncode:
        raise NotInstalled(f"it does not start: {done.stderr.strip()[-200:]}")
    wait_for(lambda: pid_file.exists() and bool(pid_file.read_text().strip()), 30)
    return int(pid_file.read_text())


def _program(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"


def _prepare(folder: Path, port: int, settings: str, mailboxes: str) -> None:
    for name in ("etc", "queue", "state", "mail"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "state", "postfix", "postfix")
    (folder / "etc" / "main.cf").write_text(MAIN.format(folder=folder) + settings, encoding="utf-8")
    (folder / "etc" / "master.cf").write_text(MASTER.format(port=port), encoding="utf-8")
    (folder / "etc" / "mailboxes").write_text(mailboxes, encoding="utf-8")


def _are_empty(queues: list[Path]) -> bool:
    return not any(path.is_file() for queue in queues for path in queue.rglob("*"))
