"""Haraka, and nodemailer's smtp-server, each with a maildir in which every mail is synced before it is answered."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.peers import DOMAIN, Maildirs, NotInstalled, addresses, from_npm, in_maildirs
from bench.processes import family, free_port, running

HERE = Path(__file__).parent
HARAKA, SMTP_SERVER = "3.3.4", "3.21.6"


@contextmanager
def haraka(folder: Path, mailboxes: int) -> Iterator[Maildirs]:
    """Run Haraka with our plugin ``maildir.js`` until the block ends."""
    node, package, port = _node(), from_npm("Haraka", HARAKA), free_port()
    config = folder / "config"
    shutil.copytree(package / "config", config)
    (folder / "plugins").mkdir()
    shutil.copy(HERE / "haraka_maildir.js", folder / "plugins" / "maildir.js")
    settings = {
        "smtp.ini": f"listen=127.0.0.1:{port}\nnodes=0\n",
        "host_list": DOMAIN,
        "me": f"mx.{DOMAIN}",
        "plugins": "rcpt_to.in_host_list\nmaildir",
        "loglevel": "WARN",
    }
    for name, text in settings.items():
        (config / name).write_text(f"{text}\n", encoding="utf-8")
    variables = {"MAILDIRS": str(folder / "mail"), "TMPDIR": str(folder)}
    with running([node, str(package / "bin" / "haraka"), "-c", str(folder)], port=port, variables=variables) as process:
        yield _peer(port, folder, mailboxes, process.pid)


@contextmanager
def smtp_server(folder: Path, mailboxes: int) -> Iterator[Maildirs]:
    """Run smtp-server with our ``smtp_server_maildir.js`` until the block ends."""
    node, package, port = _node(), from_npm("smtp-server", SMTP_SERVER), free_port()
    variables = {"MAILDIRS": str(folder / "mail"), "PACKAGE": str(package), "PORT": str(port), **os.environ}
    with running([node, str(HERE / "smtp_server_maildir.js")], port=port, variables=variables) as process:
        yield _peer(port, folder, mailboxes, process.pid)


def _node() -> str:
    if node := shutil.which("node"):
        return node
    raise NotInstalled("Node.js is not there")


def _peer(port: int, folder: Path, mailboxes: int, pid: int) -> Maildirs:
    mail = folder / "mail"
    return Maildirs(port, addresses(mailboxes), lambda: True, partial(in_maildirs, mail), mail, partial(family, pid))
