"""A model without its walls keeps the server from starting."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import models

from environments import checks
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import Environment, EnvironmentOwned
from environments.sealed import SealedText
from mail.models import Message


@pytest.fixture
def invented() -> Iterator[Any]:
    """Return a function that declares a model of the app ``mail``; it is forgotten after the test."""
    made: list[str] = []

    def declare(base: type[models.Model], **attributes: Any) -> type[models.Model]:
        name = f"Invented{len(made)}"
        made.append(name.lower())
        meta = type("Meta", (), {"app_label": "mail", **attributes.pop("meta", {})})
        return type(name, (base,), {"__module__": "mail.models", "Meta": meta, **attributes})

    yield declare
    for name in [name for name in apps.all_models["mail"] if name.startswith(tuple(made))]:
        del apps.all_models["mail"][name]  # with the tables that Django invented between two of them
    apps.clear_cache()


def own_id() -> PrefixedIDField:
    return PrefixedIDField("tst", primary_key=True)


class Wide(models.Manager):
    """A manager that opens everywhere."""


def environment_key() -> models.ForeignKey:
    return models.ForeignKey(Environment, models.CASCADE, related_name="+")


def to_message(**options: Any) -> models.ForeignKey:
    return models.ForeignKey(Message, models.CASCADE, **{"related_name": "+", **options})


UNGUARDED = [  # base, what its author wrote, the error that must come
    (models.Model, lambda: {"environment": environment_key()}, "environments.E001"),
    (models.Model, dict, "environments.E002"),
    (EnvironmentOwned, lambda: {"id": own_id(), "objects": Wide()}, "environments.E003"),
    (EnvironmentOwned, lambda: {"id": own_id(), "all_rows": Wide()}, "environments.E003"),
    (EnvironmentOwned, lambda: {"id": own_id(), "message": to_message()}, "environments.E004"),
    (models.Model, lambda: {"message": to_message()}, "environments.E004"),
    (EnvironmentOwned, dict, "environments.E006"),
    (EnvironmentOwned, lambda: {"id": own_id(), "to": models.ManyToManyField(Message)}, "environments.E007"),
    (
        EnvironmentOwned,
        lambda: {"id": own_id(), "message": SameEnvironmentForeignKey(Message, models.CASCADE, related_name="x")},
        "environments.E008",
    ),
    (EnvironmentOwned, lambda: {"id": own_id(), "name": models.TextField(unique=True)}, "environments.E009"),
    (
        EnvironmentOwned,
        lambda: {
            "id": own_id(),
            "name": models.TextField(),
            "meta": {"constraints": [models.UniqueConstraint(fields=["name"], name="tells")]},
        },
        "environments.E009",
    ),
    (EnvironmentOwned, lambda: {"id": own_id(), "secret": SealedText(max_length=9)}, "environments.E010"),
]


@pytest.mark.parametrize(("base", "written", "error"), UNGUARDED)
def test_a_model_with_a_hole_is_refused(invented: Any, base: type[models.Model], written: Any, error: str) -> None:
    model = invented(base, **written())
    found = [problem.id for problem in checks.check_walls() if problem.obj is model]
    assert error in found


def test_a_model_behind_both_walls_is_welcome(invented: Any) -> None:
    model = invented(EnvironmentOwned, id=own_id(), message=SameEnvironmentForeignKey(Message, models.CASCADE))
    assert [problem for problem in checks.check_walls() if problem.obj is model] == []


def test_nothing_invented_is_left_behind() -> None:
    left = [model.__name__ for model in apps.get_models(include_auto_created=True)]
    assert [name for name in left if name.startswith("Invented")] == []


def test_the_house_as_it_stands_has_no_complaint() -> None:
    assert run_checks() == []
