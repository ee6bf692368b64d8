"""The database dies with an answer to COMMIT on its way: what it has committed keeps its bytes, whoever waited."""

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from environments.binding import inside
from mail.models import Message
from mail.services import blobs
from mail.services.receive import receive
from tests.mail.conftest import Home, arrival, mail

SOCKET = ".s.PGSQL.5432"


class Lossy:
    """PostgreSQL behind a socket of ours, which carries one COMMIT to it, and instead of the answer hangs up."""

    def __init__(self, folder: Path, behind: str) -> None:
        self.behind = behind
        self.lost = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / SOCKET))
        self.listener.listen()
        self.threads = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        self.listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(f"{self.behind}/{SOCKET}")
                for target, pair in ((self._answers, (server, client)), (self._questions, (client, server))):
                    self.threads.append(threading.Thread(target=target, args=pair, daemon=True))
                    self.threads[-1].start()

    def _questions(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while question := client.recv(65536):
                if b"COMMIT" in question and not self.lost:
                    self.lost += 1
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(question)
                    break
                server.sendall(question)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError), server:
            while answer := server.recv(65536):
                with contextlib.suppress(OSError):
                    client.sendall(answer)


@pytest.fixture
def lossy(transactional_db: None, homes: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lossy]:
    folder = Path(tempfile.mkdtemp(prefix="ap-"))
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    host = options.get("host") or connection.settings_dict["HOST"]
    connection.close()
    lossy = Lossy(folder, host)
    monkeypatch.setitem(connection.settings_dict, "HOST", str(folder))
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {k: v for k, v in options.items() if k != "host"})
    yield lossy
    connection.close()
    lossy.close()
    shutil.rmtree(folder)


def test_a_mail_that_was_committed_without_an_answer_is_whole_and_taken_once(
    lossy: Lossy, homes: tuple[Home, Home]
) -> None:
    ours, _ = homes
    again = arrival(mail(), ours.recipient())
    with pytest.raises(OperationalError):
        receive([again])
    assert receive([again]) == [None]
    with inside(ours.environment):
        [message] = Message.objects.in_environment(ours.environment)
        assert blobs.read(message.raw) == again.raw
    assert lossy.lost == 1
