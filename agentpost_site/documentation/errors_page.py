"""docs/errors.md, out of every refusal in the code: ``make docs`` writes it."""

import importlib
import inspect
import os
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/errors.md"
APPS = ("environments", "apikeys", "webhooks", "inboxes", "mail", "agentpost_site")
NOT_SERVED = (
    ".documentation",
    ".migrations",
    ".management",
    ".isolation",
    ".demo",
    ".admin",
    ".console",
    ".second_factors",
)
FIRST = """# Errors

<!-- Written by `make docs` from the classes that refuse; change those. -->

Whatever is refused is answered in one shape, with `Request-Id` in the headers as well:

```json
{
  "error": {
    "code": "validation_error",
    "message": "Some fields are not valid.",
    "fix": "Correct the fields named in details.",
    "details": [{"field": "to", "message": "This field is required."}],
    "request_id": "req_01KB5Z2M3N4P5Q6R7S8T9V0W1X"
  }
}
```

Decide by `code`, which stays; `message` and `fix` are for people, and may say more than here. `details` names fields of
the request. Give `request_id` to whoever runs the server.

Worth trying again, with the same `Idempotency-Key` if something is sent: 429 and 503 after `Retry-After`, 502 and 504
of a proxy, a connection that broke. Nothing else is: the same call will be refused again. The SDKs do exactly this.

Whatever a key cannot reach is `not_found`, as is what does not exist: the two answers are the same, byte for byte.
"""


def written() -> str:
    """Return the page as it should be."""
    return (
        "\n".join(
            [FIRST, *(line for status, codes in _by_status().items() for line in _section(status, codes))]
        ).rstrip()
        + "\n"
    )


def _by_status() -> dict[int, dict[str, list[type[Any]]]]:
    from environments.errors import Refusal

    _import_all()
    found: dict[int, dict[str, list[type[Any]]]] = defaultdict(lambda: defaultdict(list))
    for refusal in sorted(_below(Refusal), key=lambda one: (one.status, one.code, one.__module__)):
        if not any(part in f".{refusal.__module__}" for part in NOT_SERVED):
            found[refusal.status][refusal.code].append(refusal)
    return found


def _import_all() -> None:
    for app in APPS:
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            if not any(part in module.name for part in NOT_SERVED):
                importlib.import_module(module.name)


def _below(base: type[Any]) -> Iterator[type[Any]]:
    for child in base.__subclasses__():
        if child.__module__.partition(".")[0] in APPS:  # not of a test
            yield child
        yield from _below(child)


def _section(status: int, codes: dict[str, list[type[Any]]]) -> Iterator[str]:
    yield f"## {status} {HTTPStatus(status).phrase}\n"
    for code, refusals in codes.items():
        yield f"### `{code}`\n"
        for refusal in refusals:
            yield _docstring(refusal) + "\n"
            yield f"- **Message:** {refusal.message}"
            yield f"- **Fix:** {refusal.fix}"
            yield f"- **From:** `{refusal.__module__.replace('.', '/')}.py`\n"


def _docstring(refusal: type[Any]) -> str:
    return inspect.cleandoc(refusal.__doc__ or "").replace("``", "`").replace("\n", " ")


def main() -> None:
    """Write the page."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
    django.setup()
    PAGE.write_text(written(), "utf-8")


if __name__ == "__main__":
    main()
