"""The way of a file: uploaded, mapped, imported before one's eyes, explained row by row."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import ImportStatus, Upload
from postroom.kit import clock
from postroom.web.imports.forms import MappingForm, UploadForm
from postroom.web.imports.staging import drop_staged_file, find_staged_file, open_staged_file, stage_file
from postroom.web.shared.pace import measure_pace
from postroom.web.shared.pages import errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment


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
        with errors_in(form):
            contacts.read_sample(file=form.cleaned_data["file"].file)
            token = stage_file(room.workspace, form.cleaned_data["file"], clock.now())
            return redirect("web:import_map", room.workspace.slug, token)
    return render_page(request, room, "web/imports/upload.html", {"form": form})


@in_room(methods=("GET", "HEAD", "POST"))
def map_columns(request: HttpRequest, room: Room, token: str) -> HttpResponse:
    """Show the first rows with a proposed mapping; start the import when it is confirmed."""
    staged = find_staged_file(room.workspace, token)
    with open_staged_file(staged) as file:
        form = MappingForm(
            request.POST or None,
            sample=contacts.read_sample(file=file, workspace=room.workspace),
            fields=contacts.list_fields(workspace=room.workspace),
            lists=contacts.list_lists(workspace=room.workspace),
        )
        if form.is_valid():
            with errors_in(form):
                file.seek(0)
                run = services.start_import(
                    workspace=room.workspace,
                    upload=Upload(file, staged.filename),
                    mapping=form.to_mapping(),
                    actor=room.actor,
                    now=clock.now(),
                )
                drop_staged_file(staged)
                return redirect("web:import", room.workspace.slug, run.uid)
    return render_page(request, room, "web/imports/map.html", {"form": form, "filename": staged.filename})


@in_room()
def show_import(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show an import: live while it runs, with its bad rows when it is done."""
    run = contacts.get_import(workspace=room.workspace, uid=uid)
    is_live = run.status in (ImportStatus.QUEUED, ImportStatus.RUNNING)
    pace = measure_pace(
        done=run.processed_rows,
        total=run.total_rows,
        started_at=run.started_at,
        until=run.finished_at or clock.now(),
        is_live=is_live,
    )
    page = contacts.list_import_errors(workspace=room.workspace, uid=uid, page=page_request(request))
    context = {"run": run, "is_live": is_live, "pace": pace, "page": page}
    template = "web/imports/_run.html" if is_fragment(request) else "web/imports/run.html"
    return render_page(request, room, template, context)
