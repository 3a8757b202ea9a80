"""Three sender hosts and two worker hosts: one cut off and brought back, two killed; nobody twice, the limit holds."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from postroom.config import postgres
from tests.chaos.network import HOME, NETWORK, is_possible, network
from tests.chaos.report import PLACE
from tests.chaos.several_hosts import CONNECTIONS, PER_MINUTE
from tests.servers import remove_server

ROOT: Final = Path(__file__).resolve().parents[2]
KILLS: Final = 2

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not is_possible(), reason="making hosts needs root, ip and unshare (Linux)"),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """A durable server of its own that listens on the hosts' network; yields its address."""
    home = tmp_path / "database"
    postgres.start(home)
    data = (home / "postgres").resolve() / "data"
    (data / "hosts.conf").write_text(f"local all all peer map=people\nhost all all {NETWORK} trust\n")
    (data / "hosts.conf").chmod(0o644)
    local = data / "local.conf"
    local.write_text(f"listen_addresses = '{HOME}'\nhba_file = '{data}/hosts.conf'\n")
    postgres.stop(home)
    with network():  # the server listens on the bridge's address, so that must be there when it starts
        postgres.start(home)
        yield f"postgresql://postroom@{HOME}:5432/postroom"
        postgres.stop(home)
    remove_server(home)


def test_a_campaign_of_three_hosts_survives_a_cut_line_and_a_kill_and_keeps_its_limit(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "hosts"
    place.mkdir()
    environment = {**os.environ, "DATABASE_URL": database, "POSTROOM_DATA_DIR": str(place / "home")}
    command = [sys.executable, "-m", "tests.chaos.several_hosts", str(place)]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=800)
    assert told.returncode == 0, told.stderr[-3000:]
    report = json.loads(told.stdout.strip().splitlines()[-1])
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / "hosts.json").write_text(json.dumps(report, indent=1))
    with capsys.disabled():
        sys.stdout.write(f"\n{report['text']}\n  {report['notes']}\n")
    assert (report["lost"], report["duplicates"], report["unaccounted"]) == ([], [], 0)
    assert report["ledger"].get("in_doubt", 0) <= KILLS * CONNECTIONS
    assert report["notes"]["most in any 60 s"] <= PER_MINUTE
