"""A transaction stands in one environment, and leaves nothing of it behind."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from environments.binding import SETTING, AlreadyElsewhere, inside, standing_in
from environments.callers import SYSTEM
from environments.ids import decode
from environments.models import Environment
from environments.services.environments import create_environment
from environments.services.organizations import create_organization
from mail.models import Blob


@pytest.fixture
def two(transactional_db: None) -> tuple[Environment, Environment]:
    organization, production, _ = create_organization("Acme", "owner@acme.example")
    return production, create_environment(organization, "Staging", actor=SYSTEM)[0]


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SETTING])
        return cursor.fetchone()[0]


def uuid(environment: Environment) -> str:
    return str(decode("env", environment.pk))


def test_postgresql_knows_where_the_block_stands(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        assert setting() == standing_in() == uuid(here)


def test_an_id_is_as_good_as_an_environment(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here.pk):
        assert setting() == uuid(here)


def test_blocks_do_not_nest_across_environments(two: tuple[Environment, Environment]) -> None:
    here, there = two
    with inside(here):
        with pytest.raises(AlreadyElsewhere), inside(there):
            pytest.fail("stood in two environments at once")
        assert setting() == uuid(here)


def test_blocks_nest_in_one_environment(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        with inside(here):
            assert setting() == uuid(here)
        assert setting() == uuid(here)
    assert setting() == ""


def test_blocks_follow_one_another_in_one_transaction(two: tuple[Environment, Environment]) -> None:
    with transaction.atomic():
        for environment in two:
            with inside(environment):
                assert setting() == uuid(environment)
            assert (setting(), standing_in()) == ("", None)


def commit(here: Environment) -> None:
    with inside(here):
        Blob.objects.in_environment(here).create(environment=here, sha256=bytes(32), size=0)


def roll_back(here: Environment) -> None:
    with inside(here):
        transaction.set_rollback(True)


def raise_inside(here: Environment) -> None:
    with pytest.raises(ZeroDivisionError), inside(here):
        raise ZeroDivisionError


def break_the_transaction(here: Environment) -> None:
    with pytest.raises(IntegrityError), inside(here):
        Blob.objects.in_environment(here).create(environment=here, sha256=bytes(32), size=None)


def break_a_nested_one(here: Environment) -> None:
    with transaction.atomic(), pytest.raises(IntegrityError), inside(here):
        Blob.objects.in_environment(here).create(environment=here, sha256=bytes(32), size=None)


ENDINGS = [commit, roll_back, raise_inside, break_the_transaction, break_a_nested_one]


@pytest.mark.parametrize("end", ENDINGS)
def test_nothing_is_left_on_the_connection_after(
    end: Callable[[Environment], None], two: tuple[Environment, Environment]
) -> None:
    here, there = two
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()
    end(here)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == backend
    assert (setting(), standing_in()) == ("", None)
    assert Blob.everywhere.count() == 0
    with inside(there):
        assert setting() == uuid(there)


def test_a_rolled_back_savepoint_returns_to_where_the_block_stood(two: tuple[Environment, Environment]) -> None:
    here, _ = two
    with inside(here):
        with pytest.raises(ZeroDivisionError), inside(here):
            raise ZeroDivisionError
        assert setting() == standing_in() == uuid(here)


def test_a_row_for_another_environment_is_refused(two: tuple[Environment, Environment]) -> None:
    from django.db import ProgrammingError

    here, there = two
    with pytest.raises(ProgrammingError, match="row-level security"), inside(here):
        Blob.everywhere.create(environment=there, sha256=bytes(32), size=0)
