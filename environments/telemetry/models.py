"""The table of beats."""

from django.db import models


class Beat(models.Model):
    """The last sign of life of a process, and what it has counted. Unlogged: a second later there is another."""

    unlogged = True

    id = models.CharField(max_length=300, primary_key=True)
    kind = models.CharField(max_length=20)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    started = models.FloatField(help_text="When, in seconds of the epoch: another process may get its number.")
    at = models.DateTimeField()
    figures = models.BinaryField(null=True, editable=False)

    def __str__(self) -> str:
        return self.id
