"""The API beside bare views of the same tables: Django REST framework, and FastAPI with SQLAlchemy."""

from bench.report import Table


def measure(*, full: bool) -> list[Table]:
    """Measure; see ``bench.api.measuring``."""
    from bench.api import measuring  # what is imported there wants settings that come first

    return measuring.measure(full=full)
