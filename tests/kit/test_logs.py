"""Log lines: JSON with bound ids when nobody watches, and no secret in them."""

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from postroom.kit.logs import configure_logs
configure_logs(part="test")
with structlog.contextvars.bound_contextvars(request_id="r1", job_id=7):
    structlog.get_logger("ours").info("thing.done", count=2, password="hunter2", email="ada@example.com")
    logging.getLogger("theirs").warning("it took %s ms", 12)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("theirs").exception("it broke")
"""


REFUSED = """
import logging
from postroom.kit.logs import configure_logs
configure_logs(part="test")
try:
    raise ValueError(
        'duplicate key value violates unique constraint "contact_email_once"\\n'
        "DETAIL:  Key (organization_id, email)=(1, ada@example.com) already exists.\\n"
        'CONTEXT:  COPY contacts_contact, line 3: "7 Ada Lovelace"\\n'
        "LINE 1: ...VALUES ('+49 30 1234')\\n"
        "                    ^"
    )
except ValueError:
    logging.getLogger("theirs").exception("it was refused")
"""


def run(log_format: str, program: str = PROGRAM) -> str:
    command = [sys.executable, "-c", program]
    environment = {"POSTROOM_LOG_FORMAT": log_format} if log_format else {}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_our_lines_and_those_of_libraries_are_json_with_the_bound_ids() -> None:
    ours, theirs, broken = map(json.loads, run("").splitlines())
    assert (ours["event"], ours["count"], ours["part"], ours["level"]) == ("thing.done", 2, "test", "info")
    assert theirs["event"] == "it took 12 ms"
    assert theirs["logger"] == "theirs"
    assert all((line["request_id"], line["job_id"]) == ("r1", 7) for line in (ours, theirs))
    assert "request_id" not in broken
    assert "ZeroDivisionError" in broken["exception"]


def test_secrets_and_personal_data_are_blanked() -> None:
    for text in (run("json"), run("console")):
        assert "hunter2" not in text
        assert "ada@example.com" not in text
        assert "[hidden]" in text


def test_what_the_database_quotes_of_a_row_is_left_out_of_tracebacks() -> None:
    for text in (run("json", REFUSED), run("console", REFUSED)):
        assert "duplicate key value" in text
        assert "Traceback" in text
        for word in ("ada@example.com", "Lovelace", "1234", "^"):
            assert word not in text.rpartition("duplicate key value")[2]
