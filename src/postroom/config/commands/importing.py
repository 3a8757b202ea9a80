"""``postroom import``."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from postroom.core.contacts import selectors, services
from postroom.core.contacts.types import ImportMapping, ImportStatus, Upload
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


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, where to, and how its columns are meant."""

    file: Path
    workspace: str
    mapping: tuple[str, ...]
    list_name: str
    tags: tuple[str, ...]


def import_file(order: ImportOrder) -> int:
    """Start the import, show how far it is, and return 0 when it is done or 1 when it failed."""
    workspace = find_workspace(slug=order.workspace)
    if workspace is None:
        raise WorkspaceNotFound(f"There is no workspace {order.workspace!r}.")
    list_id = _find_list(workspace, order.list_name)
    with order.file.open("rb") as file:
        columns = _read_columns(order.mapping) or selectors.read_sample(file=file).suggested
        file.seek(0)
        run = services.start_import(
            workspace=workspace,
            upload=Upload(file, order.file.name),
            mapping=ImportMapping(columns, order.tags, list_id, new_list="" if list_id else order.list_name),
            actor=ACTOR,
            now=now(),
        )
    return _report(workspace, _follow(workspace, run))


def _read_columns(mapping: tuple[str, ...]) -> dict[str, str]:
    pairs = [entry.rpartition("=") for entry in mapping]
    for (column, _, target), entry in zip(pairs, mapping, strict=True):
        if not column or not target:
            raise BadMapping(f"--mapping must look like COLUMN=FIELD, not {entry!r}.")
    return {column: target for column, _, target in pairs}


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
    console.print(
        f"{run.processed_rows} rows: {run.created_rows} created, {run.updated_rows} updated, {run.error_rows} refused."
    )
    _report_errors(console, workspace, run)
    return 0


def _report_errors(console: Console, workspace: Any, run: Any) -> None:
    page = selectors.list_import_errors(workspace=workspace, uid=run.uid, page=PageRequest(size=SHOWN_ERRORS))
    for error in page.items:
        where = f"row {error.row_number}" + (f", {error.column}" if error.column else "")
        console.print(f"  {where}: {error.reason}", markup=False, highlight=False, soft_wrap=True)
    if page.has_next:
        console.print(f"  … and {run.error_rows - SHOWN_ERRORS} more, in the application.")
