"""The way of a file: uploaded, mapped, looked at, imported before one's eyes, explained row by row, taken back."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import ImportMapping, ImportStatus, Upload
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.imports.forms import MappingForm, UploadForm
from postroom.web.imports.staging import StagedFile, drop_staged_file, find_staged_file, open_sheet, stage_file
from postroom.web.shared.pace import measure_pace
from postroom.web.shared.pages import errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from typing import BinaryIO

    from postroom.core.contacts.types import EarlierImport

LIVE: Final = (ImportStatus.QUEUED, ImportStatus.RUNNING, ImportStatus.UNDOING)


@in_room()
def show_imports(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what was imported lately."""
    page = contacts.list_imports(workspace=room.workspace, page=page_request(request))
    return render_page(request, room, "web/imports/list.html", {"page": page})


@in_room(methods=("GET", "HEAD", "POST"))
def upload_file(request: HttpRequest, room: Room) -> HttpResponse:
    """Take a file and lead on to its mapping."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        upload = Upload(form.cleaned_data["file"].file, form.cleaned_data["file"].name)
        with errors_in(form), contacts.open_sheets(upload=upload) as sheets:
            token = stage_file(room.workspace, upload.filename, sheets)
            return redirect("web:import_map", room.workspace.slug, token)
    return render_page(request, room, "web/imports/upload.html", {"form": form})


@in_room(methods=("GET", "HEAD", "POST"))
def map_columns(request: HttpRequest, room: Room, token: str) -> HttpResponse:
    """Show the first rows with a proposed mapping, then what it would do; start the import when that is confirmed."""
    staged = find_staged_file(room.workspace, token)
    sheet = staged.choose_sheet(whole_number(request.GET.get("sheet")))
    act = request.POST.get("act")
    with open_sheet(sheet) as file:
        form, earlier = _mapping_form(request, room, file)
        context: dict[str, object] = {"form": form, "earlier": earlier, "staged": staged, "sheet": sheet}
        if act != "change" and form.is_valid():
            with errors_in(form):
                if act == "start":
                    return _start(room, staged, Upload(file, _name(staged, sheet.name)), form.to_mapping())
                context["forecast"] = contacts.forecast_import(
                    workspace=room.workspace, file=file, mapping=form.to_mapping()
                )
                return render_page(request, room, "web/imports/check.html", context)
    return render_page(request, room, "web/imports/map.html", context)


@in_room()
def show_import(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show an import: live while it runs, with its bad rows when it is done."""
    run = contacts.get_import(workspace=room.workspace, uid=uid)
    is_live = run.status in LIVE
    pace = measure_pace(
        done=run.processed_rows,
        total=run.total_rows,
        started_at=run.started_at,
        until=run.finished_at or clock.now(),
        is_live=run.status == ImportStatus.RUNNING,
    )
    page = contacts.list_import_errors(workspace=room.workspace, uid=uid, page=page_request(request))
    context = {"run": run, "is_live": is_live, "pace": pace, "page": page}
    if not is_fragment(request):
        return render_page(request, room, "web/imports/run.html", context)
    response = render_page(request, room, "web/imports/_run.html", context)
    if not is_live:
        response.headers["HX-Refresh"] = "true"  # what can be done with it now stands outside the live part
    return response


@in_room(read=Role.MEMBER)
def download_errors(request: HttpRequest, room: Room, uid: UUID) -> HttpResponseBase:
    """Send the refused rows as a file that can be mended and imported again."""
    run = contacts.get_import(workspace=room.workspace, uid=uid)
    pieces = contacts.iter_error_file(workspace=room.workspace, uid=uid)
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    stem = run.filename.rpartition(".")[0] or run.filename
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{stem} - refused rows.csv") or ""
    return response


@in_room(methods=("POST",))
def cancel_import(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Stop an import; what it has brought in stays."""
    with errors_flashed(request):
        services.cancel_import(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The import is stopped. What it had brought in by then is here.")
    return redirect("web:import", room.workspace.slug, uid)


@in_room(methods=("GET", "HEAD", "POST"))
def undo_import(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Say who would be taken back and who would stay; take them back when that is confirmed."""
    run = contacts.get_import(workspace=room.workspace, uid=uid)
    if request.method == "POST":
        with errors_flashed(request):
            services.undo_import(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        return redirect("web:import", room.workspace.slug, uid)
    if not run.can_be_undone:
        return redirect("web:import", room.workspace.slug, uid)
    forecast = contacts.forecast_undo(run=run)
    kept = [(reason.label, count) for reason, count in forecast.kept.items()]
    return render_page(request, room, "web/imports/undo.html", {"run": run, "forecast": forecast, "kept": kept})


def _mapping_form(request: HttpRequest, room: Room, file: "BinaryIO") -> tuple[MappingForm, "EarlierImport | None"]:
    """Return the form and, unless somebody starts afresh, the earlier import whose answers it proposes."""
    sample = contacts.read_sample(file=file, workspace=room.workspace)
    is_fresh = request.GET.get("fresh") == "1"
    earlier = None if is_fresh else contacts.find_earlier_import(workspace=room.workspace, headers=sample.headers)
    form = MappingForm(
        request.POST or None,
        sample=sample,
        fields=contacts.list_fields(workspace=room.workspace),
        lists=contacts.list_lists(workspace=room.workspace),
        proposed=earlier.mapping if earlier else ImportMapping(sample.suggested),
    )
    return form, earlier


def _start(room: Room, staged: StagedFile, upload: Upload, mapping: ImportMapping) -> HttpResponse:
    run = services.start_import(
        workspace=room.workspace, upload=upload, mapping=mapping, actor=room.actor, now=clock.now()
    )
    drop_staged_file(staged)
    return redirect("web:import", room.workspace.slug, run.uid)


def _name(staged: StagedFile, sheet: str) -> str:
    return f"{staged.filename} ({sheet})" if len(staged.sheets) > 1 else staged.filename
