"""Whether this machine can work: disk and objects."""

import shutil
import uuid

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from agentpost_site.health.probes.trouble import Trouble

LEAST_FREE = 256 * 1024 * 1024  # octets


def storage() -> None:
    """Write, read and delete a small object."""
    name = f"readyz-{uuid.uuid4().hex}"
    default_storage.save(name, ContentFile(b"ready"))
    default_storage.open(name).close()  # a bucket may let us write and not read
    default_storage.delete(name)


def disk() -> None:
    """Ask how much room the data folder has."""
    free = free_octets()
    if free < LEAST_FREE:
        raise Trouble(f"{free // 1024**2} MiB are free")


def free_octets() -> int:
    """Return how many octets are free for the data folder."""
    return shutil.disk_usage(settings.AGENTPOST_DATA_DIR).free
