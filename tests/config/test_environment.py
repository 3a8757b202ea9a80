"""Settings come from the environment, secrets also from files, and nonsense is told by name."""

from pathlib import Path

import pytest

from postroom.config.environment import BadSetting, env_bool, env_int, env_list, env_str


def test_a_file_may_hold_the_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env_str("THING") == "from a file"


def test_a_value_and_a_file_at_once_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING", "")
    monkeypatch.setenv("THING_FILE", str(tmp_path))
    with pytest.raises(BadSetting, match="Set THING or THING_FILE, not both"):
        env_str("THING")


def test_a_file_that_cannot_be_read_is_told_with_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / "absent"))
    with pytest.raises(BadSetting, match=r"THING_FILE: cannot read .*absent: No such file"):
        env_str("THING")


def test_numbers_and_answers_are_read_or_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (env_int("THING", 3), env_bool("THING", default=True), env_list("THING", ("a",))) == (3, True, ["a"])
    monkeypatch.setenv("THING", "off")
    assert env_bool("THING", default=True) is False
    with pytest.raises(BadSetting, match="THING must be a whole number, not 'off'"):
        env_int("THING", 3)
    monkeypatch.setenv("THING", "a, b,")
    assert env_list("THING") == ["a", "b"]
    with pytest.raises(BadSetting, match="THING must be true or false"):
        env_bool("THING", default=True)
