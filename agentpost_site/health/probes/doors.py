"""Whether the doors of this server are answered."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import dns.exception
import dns.resolver
from django.conf import settings

from agentpost_site.health.probes.trouble import Trouble
from environments.doors import smtp_hosts
from environments.name_servers import stub_resolver

PATIENCE = 2.0  # seconds


def smtp() -> None:
    """Knock at the SMTP port of every machine that has one."""
    _one_of_them(_greets, settings.AGENTPOST_SMTP_PORT)


def submission() -> None:
    """Knock at the port with STARTTLS; the one inside TLS belongs to the same processes and answers with it."""
    if settings.AGENTPOST_SUBMISSION_PORT:
        _one_of_them(_greets, settings.AGENTPOST_SUBMISSION_PORT)
    elif settings.AGENTPOST_SUBMISSION_TLS_PORT:
        _one_of_them(_opens, settings.AGENTPOST_SUBMISSION_TLS_PORT)


def _one_of_them(knock: Callable[[str, int], None], port: int) -> None:
    """Knock at every SMTP host at once; one that answers is enough, and a dead one makes nobody wait for it.

    Raises OSError, the first one's, when none answers.
    """
    pool = ThreadPoolExecutor()
    try:
        knocking = [pool.submit(knock, host, port) for host in smtp_hosts()]
        if all(answer.exception() for answer in as_completed(knocking)):
            knocking[0].result()
    finally:
        pool.shutdown(wait=False)


def _opens(host: str, port: int) -> None:
    socket.create_connection((host, port), PATIENCE).close()


def _greets(host: str, port: int) -> None:
    with socket.create_connection((host, port), PATIENCE) as connected:
        connected.settimeout(PATIENCE)
        if not connected.recv(3).startswith(b"220"):
            raise ConnectionError


def name_servers() -> None:
    """Ask the name servers for the root, whatever they answer; while developing, only those that were named."""
    if settings.AGENTPOST_DEVELOPMENT and not settings.AGENTPOST_DNS_SERVERS:
        return
    resolver = stub_resolver(settings.AGENTPOST_DNS_SERVERS, PATIENCE)
    if resolver is None:
        raise Trouble("no name server is known")
    try:
        resolver.resolve(".", "NS", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return
    except dns.exception.DNSException as problem:
        raise Trouble("the name servers do not answer") from problem
