"""Files of people in the shape of the demonstration's, as large as wanted, and their way into a fresh workspace."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.ground import ROOT

if TYPE_CHECKING:
    from postroom.core.contacts.models import ImportRun
    from postroom.core.workspaces.models import Workspace

DEMO = ROOT / "demo" / "contacts-10k.csv"


def write_people(path: Path, count: int) -> Path:
    """Write the demonstration's rows over and over, each time with addresses of their own."""
    header, *rows = DEMO.read_text(encoding="utf-8").splitlines(keepends=True)
    copies = (f"n{copy}.{row}" for copy in range(count // len(rows) + 1) for row in rows)
    path.write_text(header + "".join(islice(copies, count)), encoding="utf-8")
    return path


def make_workspace(name: str) -> "Workspace":
    """Return a workspace in an organization of its own, where nobody is known."""
    from postroom.core.workspaces import services as workspaces
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    organization = workspaces.create_organization(name=name, now=clock.now())
    return workspaces.create_workspace(
        organization=organization, name=name, slug=name.lower(), actor=SYSTEM, now=clock.now()
    )


def import_people(workspace: "Workspace", path: Path) -> "ImportRun":
    """Import a file as the application does: taken in, then merged by what the worker runs."""
    from postroom.core.contacts import selectors, services
    from postroom.core.contacts.types import ImportMapping, Upload
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    with path.open("rb") as file:
        sample = selectors.read_sample(file=file)
        file.seek(0)
        run = services.start_import(
            workspace=workspace,
            upload=Upload(file, path.name),
            mapping=ImportMapping(columns=sample.suggested),
            actor=SYSTEM,
            now=clock.now(),
        )
    services.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run
