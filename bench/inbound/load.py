"""A load of mail over SMTP: ``python -m bench.inbound.load``, what it does as JSON on its standard input.

Sessions of one process share a selector, so that the load costs little beside what it loads. Each mail has a
Message-ID of its own. It stops by itself after so many seconds, and prints what was answered 250.
"""

import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter

from bench.inbound.mails import template
from bench.inbound.orders import PATIENCE, Orders

MAILS_PER_CONNECTION = 200


class Load:
    """What is sent, and what came of it."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.template = template(orders.size)
        self.until = time.monotonic() + orders.seconds
        self.number = 0
        self.stored: list[int] = []
        self.refused: Counter[str] = Counter()
        self.selector = selectors.DefaultSelector()
        self.open = 0

    def run(self) -> None:
        """Send until the time is over and every mail under way is answered."""
        for _ in range(self.orders.sessions):
            Session(self)
        last = time.monotonic() + self.orders.seconds + PATIENCE
        while self.open and time.monotonic() < last:
            for key, _ in self.selector.select(1):
                key.data.hear()

    @property
    def is_over(self) -> bool:
        """Whether no further mail is begun."""
        return time.monotonic() > self.until


class Session:
    """One SMTP conversation, which begins anew after so many mails."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.mails = 0
        self.number = -1
        self.reply = b""
        self.next = self._greet
        self.socket = socket.create_connection(("127.0.0.1", load.orders.port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        load.selector.register(self.socket, selectors.EVENT_READ, self)
        load.open += 1

    def hear(self) -> None:
        """Take what the server says, and say what comes next when it has said all of it."""
        self.reply += self.socket.recv(4096) or b"421 lost\r\n"
        last_line = self.reply[self.reply.rfind(b"\n", 0, -1) + 1 :]
        if last_line.endswith(b"\n") and last_line[3:4] != b"-":
            self.reply = b""
            self.next(last_line)

    def _say(self, words: bytes, then: object) -> None:
        self.next = then  # type: ignore[assignment]
        self.socket.sendall(words)

    def _expect(self, reply: bytes, digit: bytes) -> bool:
        if reply.startswith(digit):
            return True
        self.load.refused[reply[:3].decode("ascii", "replace")] += 1
        self._leave(b"")
        return False

    def _greet(self, reply: bytes) -> None:
        if self._expect(reply, b"2"):
            self._say(b"EHLO client.sender.example\r\n", self._begin)

    def _begin(self, reply: bytes) -> None:
        if not self._expect(reply, b"2"):
            return
        if self.load.is_over or self.mails >= MAILS_PER_CONNECTION:
            self._say(b"QUIT\r\n", self._leave)
            return
        self.number, self.load.number = self.load.number, self.load.number + 1
        self.mails += 1
        self._say(b"MAIL FROM:<ann@sender.example>\r\n", self._name)

    def _name(self, reply: bytes) -> None:
        if self._expect(reply, b"2"):
            addresses = self.load.orders.addresses
            self._say(b"RCPT TO:<%s>\r\n" % addresses[self.number % len(addresses)].encode(), self._announce)

    def _announce(self, reply: bytes) -> None:
        if self._expect(reply, b"2"):
            self._say(b"DATA\r\n", self._hand_over)

    def _hand_over(self, reply: bytes) -> None:
        if self._expect(reply, b"3"):
            parts, name = self.load.template, f"{self.load.orders.tag}.{self.number}@sender.example"
            self._say(parts.head + b"Message-ID: <%s>\r\n" % name.encode() + parts.tail, self._note)

    def _note(self, reply: bytes) -> None:
        if reply.startswith(b"250"):
            self.load.stored.append(self.number)
        self._begin(reply)

    def _leave(self, _reply: bytes) -> None:
        self.load.selector.unregister(self.socket)
        self.socket.close()
        self.load.open -= 1
        if not self.load.is_over:
            Session(self.load)


def main() -> None:
    """Do what standard input says."""
    load = Load(Orders(**json.load(sys.stdin)))
    load.run()
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    json.dump({"stored": load.stored, "refused": load.refused, "unanswered": load.open, "cpu": cpu}, sys.stdout)


if __name__ == "__main__":
    main()
