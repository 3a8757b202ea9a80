"""Reads of bulk actions."""

from typing import Final
from uuid import UUID

from postroom.core.contacts.errors import NoSuchBulk
from postroom.core.contacts.models import BulkChange, BulkRun, ContactWorkspace
from postroom.core.contacts.selectors.directory import count_people
from postroom.core.contacts.selectors.selections import select_people
from postroom.core.contacts.types import BulkForecast, RunStatus, Selection, SubscriptionStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page

_ENDED: Final = (RunStatus.DONE, RunStatus.CANCELLED, RunStatus.FAILED)


def get_bulk(*, workspace: Workspace, uid: UUID) -> BulkRun:
    """Return a bulk action of the workspace. Raises NoSuchBulk."""
    run = BulkRun.objects.select_related("created_by").filter(workspace=workspace, uid=uid).first()
    if run is None:
        raise NoSuchBulk(uid=uid)
    return run


def list_bulk(*, workspace: Workspace, page: PageRequest) -> Page[BulkRun]:
    """Return the workspace's bulk actions, newest first."""
    return fetch_page(BulkRun.objects.select_related("created_by").filter(workspace=workspace).order_by("-pk"), page)


def can_undo_bulk(*, run: BulkRun) -> bool:
    """Return whether the action is at an end, and something of it is kept that could be taken back."""
    return run.status in _ENDED and BulkChange.objects.filter(run=run).exists()


def forecast_bulk(*, workspace: Workspace, selection: Selection) -> BulkForecast:
    """Return how many people a bulk action would meet, and how many of these have opted out of all there is.

    Raises NoSuchSegment, BadFilter.
    """
    people = select_people(workspace=workspace, selection=selection)
    left = ContactWorkspace.objects.filter(workspace=workspace, status=SubscriptionStatus.UNSUBSCRIBED)
    gone = people.filter(is_globally_opted_out=True) | people.filter(pk__in=left.values("contact_id"))
    return BulkForecast(selected=count_people(workspace=workspace, selection=selection), opted_out=gone.count())
