"""Foreign keys that cannot leave home."""

from typing import Any, ClassVar

from django.db import models


class SameEnvironmentForeignKey(models.ForeignKey):
    """A reference from one environment-owned row to another, held inside the environment by PostgreSQL.

    The constraint is ``FOREIGN KEY (environment_id, <field>) REFERENCES parent (environment_id, id)``, which
    ``environments.walls`` raises; Django's own single-column one would let a row straddle. ``on_delete`` names what
    PostgreSQL does when the parent goes (CASCADE, RESTRICT or SET_NULL); Django itself leaves it to PostgreSQL.
    """

    database_actions: ClassVar[dict[Any, str]] = {
        models.CASCADE: "CASCADE",
        models.RESTRICT: "RESTRICT",
        models.SET_NULL: "SET NULL",
    }

    def __init__(self, to: Any, on_delete: Any, **options: Any) -> None:
        self.when_parent_goes = on_delete
        options["db_constraint"] = False
        options.setdefault("related_name", "+")
        options.setdefault("db_index", False)
        super().__init__(to, models.DO_NOTHING, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options["on_delete"] = self.when_parent_goes
        options.pop("db_constraint", None)
        return name, path, args, options

    @property
    def database_action(self) -> str:
        """Return the SQL of ON DELETE, without a column list."""
        return self.database_actions[self.when_parent_goes]


class SameOrganizationForeignKey(SameEnvironmentForeignKey):
    """The same between rows of one organization: ``(organization_id, <field>)``."""
