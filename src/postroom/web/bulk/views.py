"""The pages of bulk changes: what would happen to whom, the change as it goes on, and what was done lately."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import rules, services
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import BulkForecast, BulkKind, RunStatus, Selection
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.bulk.forms import make_form
from postroom.web.shared.pace import measure_pace
from postroom.web.shared.pages import EXPECTED, errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment
from postroom.web.shared.selection_words import describe_selection
from postroom.web.shared.selections import read_selection

if TYPE_CHECKING:
    from postroom.core.contacts.models import BulkRun

LIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.UNDOING)


@in_room()
def show_runs(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what was changed lately."""
    page = contacts.list_bulk(workspace=room.workspace, page=page_request(request))
    rows = [(run, BulkKind(run.action)) for run in page.items]
    return render_page(request, room, "web/bulk/list.html", {"page": page, "rows": rows})


@in_room(methods=("GET", "HEAD", "POST"), read=Role.MEMBER)
def start_run(request: HttpRequest, room: Room) -> HttpResponse:
    """Say whom a change would meet and what it would do; do it when that is confirmed."""
    if not (request.GET.get("all") or "uid" in request.GET):
        messages.error(request, "Nobody is ticked. Tick people in the table, or change all found.")
        return redirect("web:contacts", room.workspace.slug)
    kind, selection = _kind(request), read_selection(request.GET)
    form = make_form(kind, request.POST or None, room.workspace)
    if form.is_valid():
        with errors_in(form):
            run = services.start_bulk(
                workspace=room.workspace,
                selection=selection,
                action=form.to_action(),
                actor=room.actor,
                now=clock.now(),
            )
            return redirect("web:bulk_run", room.workspace.slug, run.uid)
    context = {"form": form, "kind": kind, "kinds": BulkKind.choices, "forecast": _forecast(room, selection)}
    context["people"] = describe_selection(workspace=room.workspace, selection=selection)
    context["tags"] = contacts.list_tags(workspace=room.workspace) if kind is BulkKind.TAG else ()
    return render_page(request, room, "web/bulk/new.html", context)


@in_room()
def show_run(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show a change: live while it goes on."""
    run = contacts.get_bulk(workspace=room.workspace, uid=uid)
    if not is_fragment(request):
        return render_page(request, room, "web/bulk/run.html", _seen(room, run))
    response = render_page(request, room, "web/bulk/_run.html", _seen(room, run))
    if run.status not in LIVE:
        response.headers["HX-Refresh"] = "true"  # what can be done with it now stands outside the live part
    return response


@in_room(methods=("POST",))
def cancel_run(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Stop a change; what it has done stays."""
    with errors_flashed(request):
        services.cancel_bulk(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The change is stopped. What it had done by then stays.")
    return redirect("web:bulk_run", room.workspace.slug, uid)


@in_room(methods=("POST",))
def undo_run(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Take a change back."""
    with errors_flashed(request):
        services.undo_bulk(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    return redirect("web:bulk_run", room.workspace.slug, uid)


def _kind(request: HttpRequest) -> BulkKind:
    try:
        return BulkKind(request.GET.get("action", BulkKind.TAG))
    except ValueError as error:
        raise Http404("There is no such change.") from error


def _forecast(room: Room, selection: Selection) -> BulkForecast | None:
    """Return whom it would meet, None when that takes too long to count."""
    try:
        with contacts.segment_time_limit():
            return contacts.forecast_bulk(workspace=room.workspace, selection=selection)
    except EXPECTED:
        return None


def _seen(room: Room, run: "BulkRun") -> dict[str, object]:
    pace = measure_pace(
        done=run.processed_rows,
        total=run.total_rows,
        started_at=run.started_at,
        until=run.finished_at or clock.now(),
        is_live=run.status == RunStatus.RUNNING,
    )
    selection = rules.parse_selection(run.selection)
    return {
        "run": run,
        "kind": BulkKind(run.action),
        "is_live": run.status in LIVE,
        "pace": pace,
        "people": describe_selection(workspace=room.workspace, selection=selection),
        "can_undo": contacts.can_undo_bulk(run=run),
    }
