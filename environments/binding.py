"""A transaction that stands in one environment: what wall two reads."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from environments.errors import Refusal
from environments.ids import decode
from environments.models import Environment

SETTING = "agentpost.environment_id"


class AlreadyElsewhere(RuntimeError):
    """Work for one environment was started inside work for another."""


@contextmanager
def inside(environment: Environment | str, *, savepoint: bool = True) -> Iterator[None]:
    """Run the block in a transaction bound to this environment (or to the one with this id).

    PostgreSQL shows and accepts rows of that environment only, until the block ends. Blocks may follow one another in
    one outer transaction, for one durable commit over several environments; they do not nest across environments.

    Without ``savepoint``, an error in the block undoes the outer transaction too, for whoever lets it pass anyway.

    Raises AlreadyElsewhere when the transaction stands in another environment.
    """
    wanted = str(decode("env", environment if isinstance(environment, str) else environment.pk))
    before = standing_in()
    if before not in {None, wanted}:
        raise AlreadyElsewhere(f"This transaction stands in {before}; it cannot enter {wanted}.")
    nested = connection.in_atomic_block
    try:
        with transaction.atomic(savepoint=savepoint):
            _stand_in(wanted)
            yield
            if nested and not connection.needs_rollback:  # a rollback, and the outermost end, leave by themselves
                _stand_in(before)
    except Refusal as refusal:
        connection.agentpost_environment = before  # type: ignore[attr-defined]
        if before is None:
            finish(refusal)
        raise
    finally:
        connection.agentpost_environment = before  # type: ignore[attr-defined]


def finish(refusal: Refusal) -> None:
    """Do what a refusal wants done once what was refused has been rolled back; a second call does nothing.

    Whoever turns a refusal into an answer without letting it pass through the outermost ``inside`` calls this after
    the rollback: what is refused for good (a runaway that is stopped) must not be undone with it.
    """
    afterwards, refusal.afterwards = refusal.afterwards, None
    if afterwards:
        afterwards()


@contextmanager
def outside() -> Iterator[None]:
    """Leave the environment for the block, so that it may step ``inside`` others; then stand in it again."""
    before = standing_in()
    if before is None:
        yield
        return
    _stand_in(None)
    try:
        yield
        _stand_in(before)
    finally:
        connection.agentpost_environment = before  # type: ignore[attr-defined]


def standing_in() -> str | None:
    """Return the uuid text of the environment that the open transaction is bound to, as this process knows it."""
    return getattr(connection, "agentpost_environment", None) if connection.in_atomic_block else None


def _stand_in(environment_uuid: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, environment_uuid or ""])
    connection.agentpost_environment = environment_uuid  # type: ignore[attr-defined]
