"""What all connections of one process share: the way in, the way to the store, and the limits."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mail.intake import Account, Admit, Attempt, Examine, Login, Note, Recipient, Resolve, Store, Submission, Submit
from mail.smtp.budget import ByteBudget
from mail.smtp.committer import Committer
from mail.smtp.examiner import Examiner
from mail.smtp.notebook import Notebook
from mail.smtp.options import SmtpOptions
from mail.smtp.workers import Workers

if TYPE_CHECKING:
    from mail.smtp.session import SmtpSession


CLOSING = "421 4.3.2 {hostname} is going down, try again later"
_CROWDED = "421 4.3.2 Too many connections, try again later"
_CROWDED_BY_PEER = "421 4.7.0 Too many connections from your address"
_PEER_PREFIX_IPV6 = 64
ABORT_TIMEOUT = 0.5


class SubmissionDesk:
    """Where mail of our own inboxes is handed in: who may, and what becomes of it."""

    def __init__(self, admit: Admit, submit: Submit, options: SmtpOptions) -> None:
        """Start the worker threads; needs the running event loop. Raises OSError for an unreadable certificate."""
        self.tls_context = _tls_context(options.tls_certificate or options.submission_certificate, options.tls_key)
        self.logins: Workers[Login, Account] = Workers("submission-login", admit, options.limits.login_threads)
        self.mails: Workers[Submission, str] = Workers("submission", submit, options.limits.submission_threads)

    def close(self) -> None:
        """End the threads, each after what it is at."""
        self.logins.close()
        self.mails.close()


class Reception:
    """The sessions of one process and what they have in common. Belongs to the event loop's thread."""

    def __init__(
        self,
        options: SmtpOptions,
        resolve: Resolve,
        examine: Examine,
        store: Store,
        note: Note | None = None,
        submission: tuple[Admit, Submit] | None = None,
    ) -> None:
        """Start the worker threads; needs the running event loop. Raises OSError for an unreadable certificate."""
        self.options = options
        self.limits = options.limits
        self.tls_context = _tls_context(options.tls_certificate, options.tls_key)
        self.desk = SubmissionDesk(*submission, options) if submission else None
        self.lookups: Workers[str, Recipient] = Workers("smtp-lookup", resolve, options.limits.lookup_threads)
        self.examiner = Examiner(examine, options.limits)
        self.committer = Committer(store, options.limits)
        self.notebook = Notebook(note, options.limits) if note else None
        self.budget = ByteBudget(options.limits.max_held_bytes)
        self.is_closing = False
        self._sessions: set[SmtpSession] = set()
        self._peers: Counter[str] = Counter()

    @property
    def closing_reply(self) -> str:
        """What a peer is told when this process is about to end."""
        return CLOSING.format(hostname=self.options.hostname)

    def objection_to(self, session: SmtpSession) -> str:
        """Return the reply that sends a new connection away; empty when it is welcome."""
        if self.is_closing:
            return self.closing_reply
        if len(self._sessions) >= self.limits.max_connections:
            return _CROWDED
        if self._peers[network_of(session.peer)] >= self.limits.max_connections_per_peer:
            return _CROWDED_BY_PEER
        return ""

    def enter(self, session: SmtpSession) -> None:
        """Count a connection in."""
        self._sessions.add(session)
        self._peers[network_of(session.peer)] += 1

    def leave(self, session: SmtpSession) -> None:
        """Count it out again, if it was in."""
        if session not in self._sessions:
            return
        self._sessions.discard(session)
        network = network_of(session.peer)
        self._peers[network] -= 1
        if not self._peers[network]:
            del self._peers[network]

    def note(self, attempts: Iterable[Attempt]) -> None:
        """Have attempts noted in the intake ledger, if there is one."""
        if self.notebook:
            for attempt in attempts:
                self.notebook.add(attempt)

    async def close(self) -> None:
        """End idle connections at once, let mails in progress come to their answer, then drop the rest."""
        self.is_closing = True
        try:
            async with asyncio.timeout(self.limits.stop_timeout):
                for session in tuple(self._sessions):
                    session.wind_down()
                while self._sessions:
                    await asyncio.wait([session.task for session in self._sessions])
                await self.committer.close()
        except TimeoutError:
            await self._abort_all()
        self.lookups.close()
        self.examiner.close()
        if self.desk:
            self.desk.close()
        if self.notebook:
            await self.notebook.close()

    async def _abort_all(self) -> None:
        tasks = [session.task for session in self._sessions]
        for session in tuple(self._sessions):
            session.abort()
        if tasks:  # each has something to note
            await asyncio.wait(tasks, timeout=ABORT_TIMEOUT)


def network_of(peer: str) -> str:
    """Return what counts as one peer: an IPv4 address, or the /64 that every IPv6 host owns."""
    if ":" not in peer:
        return peer
    return str(ipaddress.IPv6Network((peer.partition("%")[0], _PEER_PREFIX_IPV6), strict=False))


def _tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
