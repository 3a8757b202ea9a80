"""What people wait for, at ten thousand, a hundred thousand and a million people: how each grows.

Every size goes through the whole import first (see ``people_import``), gets a mail history, and is then read through
the application's own pages, 40 warm requests of each a round. Plans of slow statements go to ``var/bench-people.txt``.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks import people_import, segments
from tests.benchmarks.ground import ROOT
from tests.benchmarks.rounds import say

if TYPE_CHECKING:
    from django.test import Client

    from postroom.core.workspaces.models import Workspace
    from postroom.kit.types import JSONObject

REQUESTS: Final = 40
"""How often each page is asked for in a round: 200 times in the five rounds that are the default."""
HEAVY_REQUESTS: Final = 20
PLANS: Final = ROOT / "var" / "bench-people.txt"
PAGE_MS, SEGMENT_MS, TAGS_PER_S = 300, 1_000, 20_000

SEARCHES: Final = {
    "1 letter": "m",
    "1 rare letter": "z",
    "2 letters": "we",
    "3 letters": "kow",
    "whole name": "nakamura",
    "two words": "ada mu",
    "two rare words": "quinn kowfeld",
    "address": "smi.79",
    "domain": "mail77.example",
    "nothing found": "xqzv",
}
FILTER: Final["JSONObject"] = {
    "match": "all",
    "conditions": [
        {"field": "age", "operator": "gt", "value": 40},
        {"field": "country", "operator": "eq", "value": "DE"},
        {"field": "tag", "operator": "has", "value": "customer"},
        {"field": "list", "operator": "has", "value": "News"},
        {"field": "mail.opened", "operator": "did", "value": {"within": {"amount": 30, "unit": "days"}}},
    ],
}
"""Five conditions: two custom fields, a tag, a list, and what became of mail."""


@dataclass(slots=True)
class Figures:
    """What was measured at one size: milliseconds by name, as (p50, p95), and rates per second."""

    rows: int
    waits: dict[str, tuple[float, float]] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)


def run(directory: Path, rounds: int, sizes: Sequence[int]) -> None:
    """Measure every size, and print how each figure grows."""
    PLANS.parent.mkdir(exist_ok=True)
    PLANS.write_text("", encoding="utf-8")
    found = [_measure(directory, rows, rounds * REQUESTS) for rows in sizes]
    _show(found, rounds * REQUESTS)


def _measure(directory: Path, rows: int, times: int) -> Figures:
    from postroom.core.contacts.models import ImportRun

    begun = perf_counter()
    people_import.run(directory, 1, rows)
    workspace = ImportRun.objects.select_related("workspace").latest("pk").workspace
    segments.write_mail(workspace, messages=max(1_000, rows // 2), campaigns=20)
    _vacuum()
    figures = Figures(rows)
    say(f"  prepared in {perf_counter() - begun:.0f} s; reading")
    _measure_pages(workspace, figures, times)
    _measure_segment(workspace, figures)
    _measure_work(directory, workspace, figures)
    return figures


def _measure_pages(workspace: "Workspace", figures: Figures, times: int) -> None:
    from postroom.core.contacts.models import Contact, List

    client, room = _sign_in(workspace), f"/w/{workspace.slug}/"
    hundredth = Contact.objects.order_by("-pk").values_list("pk", flat=True)[min(100 * 50, figures.rows - 51)]
    middle = Contact.objects.order_by("-pk").values_list("pk", flat=True)[figures.rows // 2]
    listed = List.objects.get(workspace=workspace, name="Press").pk
    pages = {
        "contacts, first page": "contacts/",
        "contacts, 100th page": f"contacts/?before={hundredth}",
        "contacts, middle": f"contacts/?before={middle}",
        "contacts by tag": "contacts/?tag=donor",
        "contacts by list": f"contacts/?list={listed}",
        "contacts by tag and list": f"contacts/?tag=donor&list={listed}",
        "lists": "lists/",
        **{f"search, {name}": f"contacts/?q={typed.replace(' ', '+')}" for name, typed in SEARCHES.items()},
        "search, 1 letter, by tag": "contacts/?q=m&tag=donor",
        "search, name, by tag and list": f"contacts/?q=kowfeld&tag=donor&list={listed}",
    }
    for name, path in pages.items():
        is_typing = name.startswith("search")
        figures.waits[name] = _time(times, _getter(client, [room + path], is_fragment=is_typing))
    chance = random.Random(1)
    some = Contact.objects.filter(pk__in=[hundredth - chance.randrange(figures.rows // 4) for _ in range(400)])
    people = [f"{room}contacts/{uid}/" for uid in some.values_list("uid", flat=True)]
    figures.waits["contact page, one after the other"] = _time(times, _getter(client, people))
    _explain(figures.rows, client, [room + path for path in pages.values()])


def _measure_segment(workspace: "Workspace", figures: Figures) -> None:
    from postroom.core.contacts import selectors
    from postroom.kit import clock

    def preview() -> None:
        selectors.preview_segment(workspace=workspace, filter=FILTER, now=clock.now())

    figures.waits["segment of 5 conditions, count + sample"] = _time(HEAVY_REQUESTS, preview)


def _measure_work(directory: Path, workspace: "Workspace", figures: Figures) -> None:
    from postroom.core.contacts import services
    from postroom.core.contacts.types import BulkAction, BulkKind, ExportFormat, Selection
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    common: dict[str, Any] = {"workspace": workspace, "actor": SYSTEM, "now": clock.now()}
    action = BulkAction(BulkKind.TAG, {"tag": "everybody"})
    run = services.start_bulk(selection=Selection(), action=action, **common)
    figures.rates["tag everybody"] = _pace(figures.rows, lambda: services.run_bulk(run_uid=run.uid, clock=clock.now))
    services.undo_bulk(uid=run.uid, **common)
    undo = _pace(figures.rows, lambda: services.run_bulk_undo(run_uid=run.uid, clock=clock.now))
    figures.rates["undo of that"] = undo
    export = services.start_export(selection=Selection(), format=ExportFormat.CSV, **common)
    figures.rates["export everybody (CSV)"] = _pace(
        figures.rows, lambda: services.run_export(run_uid=export.uid, clock=clock.now)
    )


def _sign_in(workspace: "Workspace") -> "Client":
    from django.test import Client

    from tests.factories import make_user

    client = Client(SERVER_NAME="localhost")
    client.force_login(make_user(workspace=workspace, password=None))
    return client


def _getter(client: "Client", paths: Sequence[str], *, is_fragment: bool = False) -> Callable[[], None]:
    """Return what asks for the next of the paths, as the browser does."""
    headers = {"HX-Request": "true"} if is_fragment else {}
    turn = iter(range(10**9))

    def get() -> None:
        path = paths[next(turn) % len(paths)]
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}.")

    return get


def _time(times: int, act: Callable[[], None]) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds, after one unmeasured time."""
    act()
    taken = sorted(_seconds(act) * 1000 for _ in range(times))
    return taken[len(taken) // 2], taken[min(len(taken) - 1, round(len(taken) * 0.95))]


def _seconds(act: Callable[[], None]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


def _pace(rows: int, act: Callable[[], None]) -> float:
    return rows / _seconds(act)


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _explain(rows: int, client: "Client", paths: Sequence[str]) -> None:
    """Write how the database answered the slowest statement of each page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with PLANS.open("a", encoding="utf-8") as file:
        for path in paths:
            with CaptureQueriesContext(connection) as seen:
                client.get(path, headers={"HX-Request": "true"} if "q=" in path else {})
            slowest = max(seen.captured_queries, key=lambda query: float(query["time"]))
            if not re.match("SELECT", slowest["sql"]):
                continue
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + slowest["sql"].replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
            file.write(f"\n== {rows:,} people: {path}\n{slowest['sql']}\n{plan}\n")


def _show(found: Sequence[Figures], times: int) -> None:
    say(f"\nWhat people wait for, in ms: p50 / p95 of {times} warm requests, plans in {PLANS.relative_to(ROOT)}")
    _line("", [f"{figures.rows:,}" for figures in found], "")
    for name in found[-1].waits:
        limit = SEGMENT_MS if name.startswith("segment") else PAGE_MS
        cells = ["{:,.0f} / {:,.0f}".format(*figures.waits[name]) for figures in found]
        _line(name, cells, f"p95 under {limit:,}{'' if found[-1].waits[name][1] < limit else '  MISSED'}")
    say("\nWhat works in the background, people per second")
    for name in found[-1].rates:
        target = f"{TAGS_PER_S:,} at least" if name.startswith("tag") else ""
        _line(name, [f"{figures.rates[name]:,.0f}" for figures in found], target)


def _line(name: str, cells: Sequence[str], target: str) -> None:
    say(f"  {name:<42}" + "".join(f"{cell:>16}" for cell in cells) + (f"   ({target})" if target else ""))
