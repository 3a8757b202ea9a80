"""Where the database is, and how both ends of a connection notice that the other one has vanished."""

from pathlib import Path

import psycopg
import pytest
from django.db import connection

from postroom.config.database import database_settings
from postroom.config.environment import BadSetting


def test_a_url_says_where_and_its_own_options_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(
        "DATABASE_URL", "postgresql://ann:s%40cret@db.example:5433/post?connect_timeout=3&sslmode=require"
    )
    found = database_settings(tmp_path)
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("post", "ann", "s@cret")
    assert (found["HOST"], found["PORT"]) == ("db.example", "5433")
    assert (found["OPTIONS"]["connect_timeout"], found["OPTIONS"]["sslmode"]) == ("3", "require")


def test_a_url_of_another_database_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://db.example/post")
    with pytest.raises(BadSetting, match="postgresql://"):
        database_settings(tmp_path)


@pytest.mark.django_db
def test_the_server_takes_our_options_and_ends_a_transaction_whose_client_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    where = connection.get_connection_params()
    monkeypatch.setenv("DATABASE_URL", f"postgresql:///{where['dbname']}?options=-c%20work_mem%3D5MB")
    options = database_settings(tmp_path)["OPTIONS"]
    with psycopg.connect(dbname=where["dbname"], user=where["user"], host=where["host"], **options) as other:
        for name, value in (("idle_in_transaction_session_timeout", "1min"), ("work_mem", "5MB")):
            assert other.execute(f"SHOW {name}").fetchone() == (value,)
