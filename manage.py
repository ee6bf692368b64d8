#!/usr/bin/env python
"""AgentPost's commands. Without DATABASE_URL they share a running server's database, or start it for themselves."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

# `serve` supervises its own, and `web` is started beside it
WITHOUT_DATABASE = {"", "help", "version", "serve", "demo", "web", "collectstatic", "findstatic"}


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
    from django.core.management import execute_from_command_line

    from agentpost_site.postgres_programs import EmbeddedPostgresError

    try:
        with _database_for(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except EmbeddedPostgresError as error:
        sys.exit(str(error))


def _database_for(arguments: list[str]) -> AbstractContextManager[None]:
    from django.conf import settings

    name = next(iter(arguments), "")
    if name in WITHOUT_DATABASE or {"-h", "--help", "--version"} & set(arguments):
        return nullcontext()
    embedded = settings.EMBEDDED_POSTGRES
    return embedded.temporarily_running() if embedded else nullcontext()


if __name__ == "__main__":
    main()
