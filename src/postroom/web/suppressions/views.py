"""The suppression pages. Members add addresses; lifting is for administrators, of whatever the suppression reaches."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import Lift, RunStatus, SuppressionReason, SuppressionScope, Upload
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.errors import NotPermitted
from postroom.web.shared.pace import measure_pace
from postroom.web.shared.pages import errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment
from postroom.web.suppressions.forms import AddForm, FileForm, FilterForm, LiftForm


@in_room()
def show_suppressions(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the addresses that must not be mailed."""
    narrowing = FilterForm(request.GET)
    said: dict[str, Any] = narrowing.said
    uncounted = replace(page_request(request), with_total=False)  # to count a million takes longer than to show some
    context = {
        "page": contacts.list_suppressions(workspace=room.workspace, page=uncounted, **said),
        "said": said,
        "reasons": list(SuppressionReason),
        "runs": contacts.list_suppression_runs(workspace=room.workspace),
    }
    return render_page(request, room, "web/suppressions/list.html", context)


@in_room(methods=("GET", "HEAD", "POST"), read=Role.MEMBER)
def add_suppressions(request: HttpRequest, room: Room) -> HttpResponse:
    """Suppress one address or many, all of them or none."""
    form = AddForm(request.POST or None, reaches_organization=_is_organization_admin(room))
    if form.is_valid():
        with errors_in(form):
            added = services.suppress_addresses(
                workspace=room.workspace,
                entries=form.entries(),
                scope=SuppressionScope(form.cleaned_data["scope"]),
                source="suppressions page",
                actor=room.actor,
                now=clock.now(),
            )
            known = len(form.entries()) - added
            messages.success(request, f"{added:,} added{f', {known:,} were there already' if known else ''}.")
            return redirect("web:suppressions", room.workspace.slug)
    return render_page(request, room, "web/suppressions/add.html", {"form": form})


@in_room(methods=("GET", "HEAD", "POST"), read=Role.MEMBER)
def show_suppression(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one suppression; lift it."""
    row = contacts.get_suppression(workspace=room.workspace, uid=uid)
    can_lift = room.can_administer if row.scope == SuppressionScope.WORKSPACE else _is_organization_admin(room)
    if request.method == "POST" and not can_lift:
        raise NotPermitted("Lifting this suppression is for an administrator of what it reaches.")
    form = LiftForm(request.POST or None)
    if form.is_valid():
        lift = Lift(form.cleaned_data["note"], form.cleaned_data["is_confirmed"])
        with errors_in(form):
            services.lift_suppression(workspace=room.workspace, uid=uid, lift=lift, actor=room.actor, now=clock.now())
            messages.success(request, "The suppression is lifted.")
            return redirect("web:suppressions", room.workspace.slug)
    context = {"row": row, "form": form, "can_lift": can_lift and row.reason != SuppressionReason.ERASED}
    return render_page(request, room, "web/suppressions/one.html", context)


@in_room(methods=("GET", "HEAD", "POST"), read=Role.MEMBER)
def read_file(request: HttpRequest, room: Room) -> HttpResponse:
    """Take a file of addresses in; a job reads it."""
    form = FileForm(request.POST or None, request.FILES or None, reaches_organization=_is_organization_admin(room))
    if form.is_valid():
        upload = Upload(form.cleaned_data["file"].file, form.cleaned_data["file"].name)
        with errors_in(form), contacts.open_sheets(upload=upload) as sheets:
            run = services.start_suppression_file(
                workspace=room.workspace,
                upload=Upload(sheets[0].file, upload.filename),
                scope=SuppressionScope(form.cleaned_data["scope"]),
                reason=SuppressionReason(form.cleaned_data["reason"]),
                actor=room.actor,
                now=clock.now(),
            )
            return redirect("web:suppression_run", room.workspace.slug, run.uid)
    return render_page(request, room, "web/suppressions/file.html", {"form": form})


@in_room(read=Role.MEMBER)
def show_run(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show how far a file is, and which of its rows could not be read."""
    run = contacts.get_suppression_run(workspace=room.workspace, uid=uid)
    is_live = run.status in {RunStatus.QUEUED, RunStatus.RUNNING}
    pace = measure_pace(
        done=run.processed_rows,
        total=run.total_rows,
        started_at=run.started_at,
        until=run.finished_at or clock.now(),
        is_live=is_live,
    )
    template = "web/suppressions/_run.html" if is_fragment(request) else "web/suppressions/run.html"
    return render_page(request, room, template, {"run": run, "is_live": is_live, "pace": pace})


@in_room(methods=("POST",))
def take_file(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Give out the suppressions as a file, and write down who took it."""
    said = FilterForm(request.POST).said
    pieces = services.take_suppressions(
        workspace=room.workspace,
        scope=said["scope"],  # type: ignore[arg-type]
        reason=said["reason"],  # type: ignore[arg-type]
        actor=room.actor,
        now=clock.now(),
    )
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    name = f"{room.workspace.slug} suppressions.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _is_organization_admin(room: Room) -> bool:
    return workspaces.is_organization_admin(user=room.user, workspace=room.workspace)
