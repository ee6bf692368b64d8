"""Running commands of manage.py as a machine does."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def machine(command: str, *arguments: str) -> Any:
    output = StringIO()
    call_command(command, *arguments, "--json", stdout=output, stderr=StringIO())
    return json.loads(output.getvalue())


def refused(command: str, *arguments: str) -> str:
    with pytest.raises(CommandError) as problem:
        call_command(command, *arguments, stdout=StringIO(), stderr=StringIO())
    return str(problem.value)
