"""The ground every test stands on: Django, set up against a PostgreSQL of its own.

That server lives in ``var/test`` and is shared by test runs at the same time; the last one to end stops it. Each such
run needs a database of its own: ``PYTEST_DB_SUFFIX`` names it. ``DATABASE_URL`` chooses another server altogether.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from pytest_django import DjangoDbBlocker

DATA_DIR = Path(__file__).resolve().parent.parent / "var" / "test"

for name in [name for name in os.environ if name.startswith("POSTROOM_")]:
    del os.environ[name]  # the settings of whoever runs the tests are not theirs
os.environ["POSTROOM_DATA_DIR"] = str(DATA_DIR)
os.environ["POSTROOM_INTERNAL_SMTP_HOSTS"] = "*"  # every mail server of a test is on this machine
os.environ["POSTROOM_INTERNAL_HTTP_HOSTS"] = "127.0.0.1"  # and so is every provider
os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.config.settings"
django.setup()


@pytest.fixture(scope="session")
def database_server() -> Iterator[None]:
    """Run the embedded server while any test run needs it."""
    from postroom.config import postgres
    from postroom.config.database import is_embedded

    if not is_embedded():
        yield
        return
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (DATA_DIR / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        postgres.start(DATA_DIR, durable=False)
        yield
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another run still uses it
        postgres.stop(DATA_DIR)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, database_server: None) -> None:
    """Name the test database after ``PYTEST_DB_SUFFIX``."""
    from django.db import connections

    suffix = os.environ.get("PYTEST_DB_SUFFIX", "")
    for connection in connections.all():
        settings = connection.settings_dict
        settings["TEST"]["NAME"] = f"{settings['TEST'].get('NAME') or 'test_' + settings['NAME']}{suffix}"


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> None:
    """Empty the database in our own way after each test that commits."""
    from django.test import TransactionTestCase

    from tests.emptying import empty_database

    TransactionTestCase._fixture_teardown = empty_database  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Part with sessions that are still ending (a server's, that a test has just stopped) before the database goes."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
