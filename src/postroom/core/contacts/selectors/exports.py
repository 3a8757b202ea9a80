"""Reads of exports."""

from datetime import datetime
from uuid import UUID

from postroom.core.contacts.errors import NoSuchExport
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.types import RunStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page


def get_export(*, workspace: Workspace, uid: UUID) -> ExportRun:
    """Return an export of the workspace. Raises NoSuchExport."""
    run = ExportRun.objects.select_related("created_by").filter(workspace=workspace, uid=uid).first()
    if run is None:
        raise NoSuchExport(uid=uid)
    return run


def list_exports(*, workspace: Workspace, page: PageRequest) -> Page[ExportRun]:
    """Return the workspace's exports, newest first."""
    return fetch_page(ExportRun.objects.select_related("created_by").filter(workspace=workspace).order_by("-pk"), page)


def is_export_ready(run: ExportRun, *, now: datetime) -> bool:
    """Return whether the file can be fetched."""
    return bool(run.status == RunStatus.DONE and run.file and run.expires_at and now < run.expires_at)
