"""An operator's first hour: start, make an administrator, ask the doctor, import people, look at the figures."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.journeys.running import Running, are_gone, seconds_until

PEOPLE = "E-Mail,First name,Favourite\nada@example.com,Ada,Engines\nbad address,Bob,\ngrace@example.com,Grace,Ships\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    yield running
    running.remove()


def test_everything_an_operator_does_first_works(running: Running, tmp_path: Path) -> None:
    seconds_until(running.is_ready, 90)
    made = running.run("createadmin", "ada@example.com", "--workspace", "news", "--password", "analytical engine")
    assert made.returncode == 0, made.stderr
    assert "administers the workspace news" in made.stdout

    again = running.run("createadmin", "ada@example.com", "--workspace", "more", "--password", "analytical engine")
    assert again.returncode == 1
    assert again.stderr == "postroom: Somebody signs in with ada@example.com already.\n"

    (tmp_path / "people.csv").write_text(PEOPLE)
    imported = running.run("import", str(tmp_path / "people.csv"), "--workspace", "news", "--list", "Readers")
    assert "3 rows: 2 created, 0 updated, 1 refused." in imported.stdout, imported.stderr
    assert "is not an e-mail address" in imported.stdout
    assert imported.returncode == 0
    nowhere = running.run("import", str(tmp_path / "people.csv"), "--workspace", "nowhere")
    assert nowhere.stderr == "postroom: There is no workspace 'nowhere'.\n"

    doctor = running.run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    with urlopen(f"http://127.0.0.1:{running.web_port}/metrics") as answer:
        assert b"\npostroom_workers 1.0\n" in answer.read()

    second = running.run("up")
    assert second.returncode == 1
    assert second.stderr.startswith("postroom: Postroom already runs on ")

    family = running.family()
    assert running.stop() == 0
    assert are_gone(family)
