"""Sealing again what a former key sealed, row by row, beside a running server."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from environments import walls
from environments.binding import inside
from environments.encryption import CannotOpen
from environments.models import Environment
from environments.sealed import sealed_fields
from environments.services import second_factors

BATCH = 100  # rows that are locked at once


@dataclass
class Rotation:
    """How many secrets were sealed anew, how many the present key had sealed, and which ones nothing opens."""

    resealed: Counter[str] = field(default_factory=Counter)
    present: int = 0
    refused: list[str] = field(default_factory=list)


def rotate() -> Rotation:
    """Seal every stored secret with the present key; what cannot be opened stays as it is. Safe to run again.

    Goes from environment to environment, in short transactions. A row that is written meanwhile is sealed with the
    key of whoever writes it, so every process has the new one before this runs.
    """
    rotation = Rotation()
    for environment in Environment.everywhere.order_by("pk").iterator():
        for model in walls.environment_owned():
            if list(sealed_fields(model)):
                _rotate_table(environment, model, rotation)
    _rotate_second_factors(rotation)
    return rotation


def _rotate_table(environment: Environment, model: Any, rotation: Rotation) -> None:
    last = None
    while True:
        with inside(environment):
            rows = model.objects.in_environment(environment).order_by("pk").select_for_update(no_key=True)
            names = [sealed.name for sealed in sealed_fields(model)]
            some = list((rows.filter(pk__gt=last) if last else rows).values_list("pk", *names)[:BATCH])
            for pk, *stored in some:
                changes = dict(_resealed(model, pk, stored, environment.pk, rotation))
                if changes:
                    model.objects.in_environment(environment).filter(pk=pk).update(**changes)
        if not some:
            return
        last = some[-1][0]


def _resealed(
    model: type[models.Model], pk: str, stored: list[Any], environment_id: str, rotation: Rotation
) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a row that are to be written, and count them all."""
    for sealed, value in zip(sealed_fields(model), stored, strict=True):
        if not value:
            continue
        try:
            anew = sealed.resealed(value, environment_id)
        except CannotOpen:
            rotation.refused.append(f"{sealed.purpose} of {pk}")
            continue
        if anew is None:
            rotation.present += 1
            continue
        rotation.resealed[sealed.purpose] += 1
        yield sealed.name, anew


def _rotate_second_factors(rotation: Rotation) -> None:
    for factor_id in second_factors.all_ids():
        with transaction.atomic():
            try:
                counts = second_factors.reseal(factor_id)
            except CannotOpen:
                rotation.refused.append(f"{second_factors.PURPOSE} {factor_id}")
                continue
        rotation.resealed[second_factors.PURPOSE] += counts["resealed"]
        rotation.present += counts["present"]
    rotation.resealed += Counter()  # leaves out what there is none of
