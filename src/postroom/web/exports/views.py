"""The export pages. A file of everybody is the most that can be carried away: members make and fetch one, viewers do
not, and every start and every download is in the audit trail.
"""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from postroom.core.contacts import rules, services
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.errors import ExportGone
from postroom.core.contacts.types import ExportFormat, RunStatus
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.exports.forms import ExportForm
from postroom.web.shared.pace import measure_pace
from postroom.web.shared.pages import EXPECTED, errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment
from postroom.web.shared.selection_words import describe_selection
from postroom.web.shared.selections import read_selection

if TYPE_CHECKING:
    from postroom.core.contacts.models import ExportRun

_KINDS = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@in_room()
def show_exports(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the files made lately."""
    page = contacts.list_exports(workspace=room.workspace, page=page_request(request))
    rows = [(run, contacts.is_export_ready(run, now=clock.now())) for run in page.items]
    return render_page(request, room, "web/exports/list.html", {"page": page, "rows": rows})


@in_room(methods=("GET", "HEAD", "POST"), read=Role.MEMBER)
def start_export(request: HttpRequest, room: Room) -> HttpResponse:
    """Say of whom the file would be; make it when asked."""
    selection = read_selection(request.GET)
    form = ExportForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            run = services.start_export(
                workspace=room.workspace,
                selection=selection,
                format=ExportFormat(form.cleaned_data["format"]),
                actor=room.actor,
                now=clock.now(),
            )
            return redirect("web:export", room.workspace.slug, run.uid)
    people = describe_selection(workspace=room.workspace, selection=selection)
    return render_page(request, room, "web/exports/new.html", {"form": form, "people": people})


@in_room(read=Role.MEMBER)
def show_size(request: HttpRequest, room: Room) -> HttpResponse:
    """Show how many people a file would hold: a part of the page by itself, for counting a million takes a moment."""
    count = None
    with suppress(*EXPECTED), contacts.segment_time_limit():
        count = contacts.count_people(workspace=room.workspace, selection=read_selection(request.GET))
    return render_page(request, room, "web/exports/_size.html", {"count": count})


@in_room(read=Role.MEMBER)
def show_export(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show an export: live while it runs, with its file when it is done."""
    run = contacts.get_export(workspace=room.workspace, uid=uid)
    template = "web/exports/_run.html" if is_fragment(request) else "web/exports/run.html"
    return render_page(request, room, template, _seen(room, run))


@in_room(read=Role.MEMBER)
def fetch_file(request: HttpRequest, room: Room, uid: UUID) -> HttpResponseBase:
    """Hand the file over, and have it written down who took it."""
    try:
        run = services.fetch_export(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        file = default_storage.open(run.file, "rb")
    except (ExportGone, FileNotFoundError):
        messages.error(request, "The file is not there any more. Make a new export.")
        return redirect("web:export", room.workspace.slug, uid)
    name = f"contacts-{room.workspace.slug}-{run.created_at:%Y-%m-%d}.{run.format}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=_KINDS[ExportFormat(run.format)])


@in_room(methods=("POST",))
def cancel_export(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Call an export off."""
    with errors_flashed(request):
        services.cancel_export(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    return redirect("web:export", room.workspace.slug, uid)


def _seen(room: Room, run: "ExportRun") -> dict[str, object]:
    is_live = run.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    pace = measure_pace(
        done=run.processed_rows,
        total=run.total_rows,
        started_at=run.started_at,
        until=run.finished_at or clock.now(),
        is_live=is_live,
    )
    return {
        "run": run,
        "is_live": is_live,
        "is_ready": contacts.is_export_ready(run, now=clock.now()),
        "pace": pace,
        "people": describe_selection(workspace=room.workspace, selection=rules.parse_selection(run.selection)),
    }
