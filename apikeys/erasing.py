"""What else of an environment goes when it is erased: the calls that were counted in it, by its bare id."""

from collections.abc import Callable, Sequence

from apikeys.models import RateWindow
from environments.ids import decode
from environments.models import Environment


def _forget_rates(environment: Environment) -> None:
    RateWindow.objects.filter(subject=decode("env", environment.pk)).delete()


ALSO: Sequence[Callable[[Environment], None]] = (_forget_rates,)
