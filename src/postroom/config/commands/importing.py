"""``postroom import``."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.console import Console
from rich.progress import Progress

from postroom.core.contacts import selectors, services
from postroom.core.contacts.types import ImportForecast, ImportMapping, ImportStatus, MemberStatus, Upload
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.selectors import find_workspace
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.clock import now
from postroom.kit.errors import Invalid
from postroom.kit.paging import PageRequest

ACTOR: Final = Actor(door=Door.COMMAND)
POLL_S: Final = 0.3
SHOWN_ERRORS: Final = 20


class BadMapping(Invalid):
    """A column's mapping cannot be read."""

    code = "bad_mapping"


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, where to, and how it is meant; ``is_check`` asks only what it would do."""

    file: Path
    workspace: str
    mapping: tuple[str, ...] = ()
    list_name: str = ""
    tags: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    skips_known: bool = False
    is_unsubscribed: bool = False
    is_check: bool = False


def import_file(order: ImportOrder) -> int:
    """Start the import, show how far it is, and return 0 when it is done or 1 when it failed.

    A workbook's first sheet that holds something is imported.
    """
    workspace = find_workspace(slug=order.workspace)
    if workspace is None:
        raise WorkspaceNotFound(f"There is no workspace {order.workspace!r}.")
    with order.file.open("rb") as file, selectors.open_sheets(upload=Upload(file, order.file.name)) as sheets:
        table = sheets[0].file
        mapping = _read_order(workspace, order, table)
        if order.is_check:
            return _show_forecast(selectors.forecast_import(workspace=workspace, file=table, mapping=mapping))
        run = services.start_import(
            workspace=workspace, upload=Upload(table, order.file.name), mapping=mapping, actor=ACTOR, now=now()
        )
    return _report(workspace, _follow(workspace, run))


def _read_order(workspace: Any, order: ImportOrder, table: BinaryIO) -> ImportMapping:
    list_id = _find_list(workspace, order.list_name)
    columns = _read_pairs("--mapping", "COLUMN=FIELD", order.mapping)
    return ImportMapping(
        columns=columns or selectors.read_sample(file=table, workspace=workspace).suggested,
        tags=order.tags,
        list_id=list_id,
        new_list="" if list_id else order.list_name,
        constants=_read_pairs("--constant", "FIELD=TEXT", order.constants),
        on_known="skip" if order.skips_known else "merge",
        list_status=MemberStatus.UNSUBSCRIBED if order.is_unsubscribed else MemberStatus.SUBSCRIBED,
    )


def _read_pairs(option: str, shape: str, entries: tuple[str, ...]) -> dict[str, str]:
    """Return the two sides of each entry; a column's name may hold an equals sign, a field's never does."""
    cut = str.rpartition if option == "--mapping" else str.partition
    pairs = [cut(entry, "=") for entry in entries]
    for (left, _, right), entry in zip(pairs, entries, strict=True):
        if not left or not right:
            raise BadMapping(f"{option} must look like {shape}, not {entry!r}.")
    return {left: right for left, _, right in pairs}


def _find_list(workspace: Any, name: str) -> int | None:
    """Return the list of this name, None when there is none yet."""
    known = (one for one in selectors.list_lists(workspace=workspace) if one.name.lower() == name.lower())
    return next((int(one.pk) for one in known), None)


def _follow(workspace: Any, run: Any) -> Any:
    with Progress() as progress:
        bar = progress.add_task("waiting for a worker", total=None)
        while run.status in {ImportStatus.QUEUED, ImportStatus.RUNNING}:
            time.sleep(POLL_S)
            run = selectors.get_import(workspace=workspace, uid=run.uid)
            words = "importing" if run.started_at else "waiting for a worker (postroom worker)"
            progress.update(bar, description=words, completed=run.processed_rows, total=run.total_rows)
    return run


def _report(workspace: Any, run: Any) -> int:
    console = Console()
    if run.status == ImportStatus.FAILED:
        console.print(f"The import failed: {run.error}", markup=False)
        return 1
    skipped = f"{run.skipped_rows} skipped, " if run.skipped_rows else ""
    counts = f"{run.created_rows} created, {run.updated_rows} updated, {skipped}{run.error_rows} refused."
    console.print(f"{run.processed_rows} rows: {counts}", soft_wrap=True)
    _report_errors(console, workspace, run)
    return 0


def _show_forecast(forecast: ImportForecast) -> int:
    """Say what an import would do; 1 when it would refuse rows, so that a script can stop there."""
    console = Console()
    seen = "All" if forecast.is_whole_file else "The first"
    skipped = f"{forecast.skipped} skipped, " if forecast.skipped else ""
    counts = f"{forecast.created} would be created, {forecast.updated} updated, {skipped}{forecast.refused} refused."
    console.print(f"{seen} {forecast.rows_read} rows: {counts} Nothing was changed.", soft_wrap=True)
    for error in forecast.errors:
        _print_error(console, error.number, error.column, error.reason)
    return 1 if forecast.refused else 0


def _print_error(console: Console, row: int, column: str, reason: str) -> None:
    where = f"row {row}" + (f", {column}" if column else "")
    console.print(f"  {where}: {reason}", markup=False, highlight=False, soft_wrap=True)


def _report_errors(console: Console, workspace: Any, run: Any) -> None:
    page = selectors.list_import_errors(workspace=workspace, uid=run.uid, page=PageRequest(size=SHOWN_ERRORS))
    for error in page.items:
        _print_error(console, error.row_number, error.column, error.reason)
    if page.has_next:
        console.print(f"  … and {run.error_rows - SHOWN_ERRORS} more, in the application.")
