"""What apps add to what is done with a whole environment: each lists its own in a module whose name says for what.

``<app>/exports.py`` lists ``FILES``, ``TABLES`` and ``LEFT_OUT``, ``<app>/imports.py`` lists ``STEPS``,
``<app>/erasing.py`` lists ``ALSO``, ``<app>/clones.py`` lists ``COPIES``, ``<app>/readiness.py`` lists ``CHECKS``,
``LOSSES``, ``WAITING`` and ``USED``. So this app, leftmost, needs to import none of those on its right. What else apps
add, and where, is in docs/decisions/0046-which-registry-is-for-what.md.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps

from environments.checks import OURS


def contributed(module: str, name: str) -> list[Any]:
    """Return what our apps list under this name in their modules of this name, the leftmost app's first."""
    found: list[Any] = []
    for app in OURS:
        path = f"{apps.get_app_config(app).name}.{module}"
        if find_spec(path):
            found += getattr(import_module(path), name, ())
    return found
