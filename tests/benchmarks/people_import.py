"""A million people through the whole import, against a bare COPY of the very same rows into the very same tables.

The import runs in a process of its own, as a worker runs it, and once it is killed half-way and started again. What it
wrote is then copied out, the tables are emptied, and the same rows are copied in again: nothing but COPY is timed.
"""

import json
import random
import subprocess
import sys
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

from django.db import connection

from tests.benchmarks.ground import ROOT, cpu_seconds
from tests.benchmarks.people import make_workspace
from tests.benchmarks.rounds import say

if TYPE_CHECKING:
    from postroom.core.contacts.models import ImportRun

ROWS: Final = 1_000_000
MIN_RATE, MAX_RATIO, MAX_RSS_MB = 20_000, 6.0, 300
TABLES: Final = ("contacts_contact", "contacts_contactworkspace", "contacts_contacttag", "contacts_listmember")
HEADERS: Final = (
    *("Email", "First Name", "Last Name", "Company", "Country", "Signed up", "Age", "Lifetime value", "VIP"),
    *("Interests", "Tags", "Lists"),
)
FIELDS: Final = {
    "Country": "text",
    "Signed up": "date",
    "Age": "number",
    "Lifetime value": "number",
    "VIP": "boolean",
    "Interests": "multiselect",
}
TAGS: Final = ("customer", "lead", "partner", "press", "beta", "speaker", "donor", "volunteer", "alumni", "staff")
LISTS: Final = ("News", "Offers", "Events", "Weekly", "Press")
_FIRST: Final = (
    "Ada",
    "Brandon",
    "Chloé",
    "Dieter",
    "Élodie",
    "Frank",
    "Greta",
    "Hans",
    "Ines",
    "José",
    "Karl",
    "Lena",
    "Mia",
    "Noah",
    "Olga",
    "Pia",
    "Quinn",
    "Zoë",
)
_STEMS: Final = (
    "Mül",
    "Wel",
    "Ri",
    "Kow",
    "Smi",
    "Jo",
    "Fer",
    "Gar",
    "Nak",
    "Lin",
    "Berg",
    "Hof",
    "Sand",
    "Stein",
    "Wald",
    "Gold",
)
_ENDS: Final = (
    "ler",
    "ls",
    "poll",
    "alski",
    "th",
    "nes",
    "nandez",
    "cia",
    "amura",
    "dgren",
    "er",
    "mann",
    "berg",
    "ström",
    "feld",
)
_INTERESTS: Final = ("policy;events", "volunteering", "policy", "events;music;tech", "music", "")
_numbers = count(1)

CHILD: Final = """
import json, resource, sys, uuid
import django
django.setup()
from postroom.core.contacts import services
from postroom.kit import clock

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

print("ready", flush=True)
sys.stdin.readline()
before = cpu()
services.run_import(run_uid=uuid.UUID(sys.argv[1]), clock=clock.now)
own, beside = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({
    "rss_mb": own.ru_maxrss / 1024, "beside_mb": beside.ru_maxrss / 1024,
    "cpu_s": cpu() - before, "beside_s": beside.ru_utime + beside.ru_stime,
}))
"""


def run(directory: Path, rounds: int, rows: int = ROWS) -> None:
    """Measure both in turns, then kill an import half-way and bring it to its end."""
    path = write_people(directory / "people.csv", rows)
    say(
        f"\nImport of {rows:,} new people with {len(FIELDS)} fields, some of {len(TAGS)} tags and of {len(LISTS)} lists"
    )
    results = [_measure(directory, path, rows) for _ in range(rounds)]
    _show(results, rows)
    _kill_and_resume(path, rows)


def write_people(path: Path, rows: int) -> Path:
    """Write people as a shop knows them: names that repeat, addresses that do not."""
    chance = random.Random(rows)
    names = [stem + end for stem in _STEMS for end in _ENDS]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(HEADERS) + "\n")
        for number in range(rows):
            file.write(",".join(_person(chance, names, number)) + "\n")
    return path


def _person(chance: random.Random, names: list[str], number: int) -> tuple[str, ...]:
    last = chance.choice(names)
    local = last.lower().encode("ascii", "ignore").decode()
    return (
        f"{local}.{number * 7919 % 100_000_007}@mail{chance.randrange(500)}.example",
        chance.choice(_FIRST),
        last,
        f"{chance.choice(names)} & Co" if chance.random() < 0.6 else "",
        chance.choice(("DE", "FR", "ES", "US", "GB", "IT", "AT", "CH")),
        f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        str(chance.randrange(18, 90)),
        str(chance.randrange(100_000) / 100),
        chance.choice(("true", "false")),
        chance.choice(_INTERESTS),
        ";".join(chance.sample(TAGS, chance.randrange(1, 4))),
        ";".join(f"{name}=subscribed" for name in chance.sample(LISTS, chance.randrange(1, 4))),
    )


def start_people_import(path: Path) -> "ImportRun":
    """Take a file of ``write_people`` into a fresh workspace, as the application does when it is uploaded."""
    from postroom.core.contacts import services
    from postroom.core.contacts.rules.field_keys import field_key
    from postroom.core.contacts.types import FieldType, ImportMapping, NewField, Upload
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    workspace = make_workspace(f"Million-{next(_numbers)}")
    for label, type_ in FIELDS.items():
        new = NewField(label=label, type=FieldType(type_))
        services.create_field(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())
    columns = {"Email": "email", "First Name": "first_name", "Last Name": "last_name", "Company": "company"}
    columns |= {"Tags": "tags", "Lists": "lists"} | {label: f"custom.{field_key(label)}" for label in FIELDS}
    with path.open("rb") as file:
        return services.start_import(
            workspace=workspace,
            upload=Upload(file, path.name),
            mapping=ImportMapping(columns=columns),
            actor=SYSTEM,
            now=clock.now(),
        )


def _measure(directory: Path, path: Path, rows: int) -> dict[str, float]:
    _empty()
    started = start_people_import(path)
    with _start_worker(started) as worker:
        database = _database_cpu()
        begun = perf_counter()
        said, _ = worker.communicate("go\n")
        elapsed = perf_counter() - begun
    if worker.returncode:
        sys.exit("The import's process failed.")
    _check(started, rows)
    result: dict[str, float] = json.loads(said)
    result |= {"import_s": elapsed, "database_s": _database_cpu() - database}
    files = [_copy_out(directory, table) for table in TABLES]
    _empty()
    result["bare_s"] = sum(_copy_in(table, file) for table, file in zip(TABLES, files, strict=True))
    result["text_s"] = _copy_text(path)
    return result


def _start_worker(started: "ImportRun") -> "subprocess.Popen[str]":
    """Start a process that waits, as a worker does, for the word to run the import."""
    command = [sys.executable, "-c", CHILD, str(started.uid)]
    pipe = subprocess.PIPE
    worker = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert worker.stdout is not None
    if worker.stdout.readline() != "ready\n":
        sys.exit("The import's process did not start.")
    return worker


def _check(started: "ImportRun", rows: int) -> None:
    started.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT email) FROM contacts_contact")
        people = cursor.fetchone()
    if (started.status, started.created_rows, *people) != ("done", rows, rows, rows):
        sys.exit(f"The import is {started.status}: created {started.created_rows:,} of {rows:,}, stored {people}.")


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def _copy_out(directory: Path, table: str) -> Path:
    path = directory / f"{table}.copy"
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY {table} TO STDOUT") as copy,
    ):
        file.writelines(copy)
    return path


def _copy_in(table: str, path: Path) -> float:
    return _timed_copy(f"COPY {table} FROM STDIN", path)


def _copy_text(path: Path) -> float:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_plain")
        cursor.execute(f"CREATE TABLE bench_plain ({', '.join(f'c{n} text' for n in range(len(HEADERS)))})")
    return _timed_copy("COPY bench_plain FROM STDIN (FORMAT csv, HEADER true)", path)


def _timed_copy(statement: str, path: Path) -> float:
    begun = perf_counter()
    with path.open("rb") as file, connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        while octets := file.read(256 * 1024):
            copy.write(octets)
    return perf_counter() - begun


def _database_cpu() -> float:
    """Return the processor time of all the server's processes, those that have ended included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / 100
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return ended + cpu_seconds(postmaster) + sum(cpu_seconds(int(child)) for child in children)


def _show(results: list[dict[str, float]], rows: int) -> None:
    def middle(name: str) -> float:
        return median(result[name] for result in results)

    ratios = [result["import_s"] / result["bare_s"] for result in results]
    _line("rows/s from the stored upload to the end", f"{rows / middle('import_s'):,.0f}", f"{MIN_RATE:,} at least")
    _line("times as long as COPY of the same rows", f"{median(ratios):.2f}", f"{MAX_RATIO:.0f} at most")
    _line("resident memory of the worker, MB", f"{middle('rss_mb'):.0f}", f"{MAX_RSS_MB} at most")
    _line("resident memory of the reader beside it, MB", f"{middle('beside_mb'):.0f}")
    _line("bare COPY of the same rows, rows/s", f"{rows / middle('bare_s'):,.0f}")
    _line("bare COPY of the file into texts, rows/s", f"{rows / middle('text_s'):,.0f}")
    for name, label in (("cpu_s", "the worker"), ("beside_s", "the reader"), ("database_s", "the database")):
        _line(f"processor time of {label}, µs per row", f"{middle(name) / rows * 1e6:.1f}")


def _line(label: str, figure: str, target: str = "") -> None:
    say(f"  {label:<48} {figure:>10}" + (f"   (target: {target})" if target else ""))


def _kill_and_resume(path: Path, rows: int) -> None:
    _empty()
    started = start_people_import(path)
    worker = _start_worker(started)
    assert worker.stdin is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    while started.processed_rows < rows // 2 and worker.poll() is None:
        sleep(0.05)
        started.refresh_from_db()
    worker.kill()
    worker.wait()
    sleep(1)  # the server may still be at the dead one's last batch
    started.refresh_from_db()
    at = started.processed_rows
    with _start_worker(started) as again:
        again.communicate("go\n")
    _check(started, rows)
    say(f"  killed with -9 at {at:,} rows and resumed: exactly {started.created_rows:,} people")
