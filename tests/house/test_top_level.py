"""Whoever opens the repository sees few names, and each is there for a reason."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = {
    "environments": "organizations, people, environments, and the walls between them",
    "inboxes": "inboxes, domains and addresses",
    "mail": "mail, in and out",
    "webhooks": "events, and telling others of them",
    "apikeys": "keys, scopes, rates and idempotency",
    "agentpost_site": "what puts the apps together: settings, the front, tools of agents, the proof",
}
BESIDE_THEM = {
    "templates": "pages that are of no one app",
    "tests": "everything above, tried",
    "docs": "the documentation, and the records of decisions",
    "sdk": "the clients for Python and TypeScript, and the description that they are made from",
    "bench": "the measurements that the documentation quotes",
    "examples": "whole programs to begin with",
}
FILES = {
    "manage.py", "pyproject.toml", "mkdocs.yml", "Makefile", "requirements.in", "requirements.txt",
    "requirements-dev.in", "requirements-dev.txt", "requirements-tracing.in", "requirements-tracing.txt",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "LICENSE",
}  # fmt: skip


def test_the_top_level_holds_what_is_named_here_and_nothing_else() -> None:
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - made == {*APPS, *BESIDE_THEM, *FILES}
