"""Putting a question of the event loop's own to the application, as a WSGI server would."""

import asyncio
from concurrent.futures import Executor
from io import BytesIO
from sys import stderr

from agentpost_site.front.bridge import Application, Environ, answer
from environments.asking import CALLER, Answer, Question


class Asking:
    """The application, on these threads."""

    def __init__(self, application: Application, threads: Executor) -> None:
        self._application, self._threads = application, threads

    async def __call__(self, question: Question, /) -> Answer:
        """Return the application's answer."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    def _answer(self, question: Question) -> Answer:
        answered = answer(self._application, environ_of(question))
        with answered.body:
            return Answer(answered.status, answered.headers, answered.body.read())


def environ_of(question: Question) -> Environ:
    """Return a question as PEP 3333 has it."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in question.headers.items()}
    return {
        "REQUEST_METHOD": question.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": question.path.encode().decode("latin-1"),
        "QUERY_STRING": question.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": question.address,
        "CONTENT_LENGTH": str(len(question.body)),
        "CONTENT_TYPE": "application/json" if question.body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(question.body),
        "wsgi.errors": stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        CALLER: question.caller,
        **headers,
        **question.extras,
    }
