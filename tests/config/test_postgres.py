"""The embedded server: made once, found again, and up again after every kind of death."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from postroom.config import postgres
from postroom.config.postgres import files, layout
from tests.servers import remove_server


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    data_dir = tmp_path / "var"
    yield data_dir
    remove_server(data_dir)


def connect(data_dir: Path) -> psycopg.Connection[tuple[object, ...]]:
    where = postgres.connection_parameters(data_dir)
    return psycopg.connect(
        dbname=where["NAME"], user=where["USER"], host=where["HOST"], port=where["PORT"], autocommit=True
    )


def postmaster(data_dir: Path) -> int:
    pid = files.find_postmaster(data_dir / "postgres" / "data")
    assert pid is not None
    return pid


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_starts_once_and_keeps_what_was_committed(data_dir: Path) -> None:
    postgres.start(data_dir, durable=False)
    first = postmaster(data_dir)
    postgres.start(data_dir, durable=False)
    assert postmaster(data_dir) == first
    with connect(data_dir) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.stop(data_dir)
    assert not postgres.is_running(data_dir)
    assert not postgres.is_ready(data_dir)
    postgres.start(data_dir, durable=False)
    with connect(data_dir) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_our_role_is_no_superuser_and_pages_carry_checksums(data_dir: Path) -> None:
    postgres.start(data_dir, durable=False)
    with connect(data_dir) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SELECT lower('ÄRGER')").fetchone() == ("ärger",)


def test_its_log_quotes_no_row_and_no_statement(data_dir: Path) -> None:
    postgres.start(data_dir)
    with connect(data_dir) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('ada@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('ada@example.com')")
    log = layout.prepare_layout(data_dir).log.read_text()
    assert "duplicate key value" in log
    assert "ada@example.com" not in log


def test_a_killed_server_comes_back_with_every_acknowledged_row(data_dir: Path) -> None:
    postgres.start(data_dir)
    with connect(data_dir) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        for number in range(50):
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
        pid = postmaster(data_dir)
        os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    postgres.start(data_dir)
    with connect(data_dir) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (50,)


def test_a_lock_file_that_names_somebody_elses_process_does_not_stop_the_start(data_dir: Path) -> None:
    postgres.start(data_dir, durable=False)
    lock = data_dir / "postgres" / "data" / "postmaster.pid"
    content = lock.read_text()
    pid = postmaster(data_dir)
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    lock.write_text(content.replace(str(pid), "1", 1))
    postgres.start(data_dir, durable=False)
    assert postgres.is_ready(data_dir)


def test_an_interrupted_first_start_is_begun_again(data_dir: Path) -> None:
    place = layout.prepare_layout(data_dir)
    (place.home / "draft").mkdir()
    (place.home / "draft" / "half").write_text("made")
    postgres.start(data_dir, durable=False)
    assert postgres.is_ready(data_dir)


def test_a_deep_data_directory_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 15)
    assert len(str(postgres.socket_directory(deep))) <= layout.SOCKET_DIRECTORY_LIMIT
    assert postgres.socket_directory(deep) != postgres.socket_directory(tmp_path)


def test_stopping_what_never_started_is_nothing(tmp_path: Path) -> None:
    postgres.stop(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_as_root_an_unreachable_data_directory_is_staged_without_opening_its_parents(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    data_dir = private / "var"
    try:
        postgres.start(data_dir, durable=False)
        assert postgres.is_ready(data_dir)
        assert (data_dir / "postgres").readlink().parent == layout.STAGE
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        remove_server(data_dir)
