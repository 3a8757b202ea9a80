"""The segment pages: the list, and the builder with its live count."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.types import JSONObject
from postroom.web.segments.builder import Question, from_filter, make_row, questions_for, read_rows, to_filter
from postroom.web.segments.forms import SegmentForm
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room()
def show_segments(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the segments by name."""
    segments = contacts.list_segments(workspace=room.workspace)
    return render_page(request, room, "web/segments/list.html", {"segments": segments})


@in_room(methods=("GET", "HEAD", "POST"))
def add_segment(request: HttpRequest, room: Room) -> HttpResponse:
    """Ask a new question."""
    questions = _questions(room)
    form, rows = SegmentForm(request.POST or None), read_rows(request.POST, questions)
    if form.is_valid():
        with errors_in(form):
            services.create_segment(
                workspace=room.workspace,
                name=form.cleaned_data["name"],
                filter=to_filter(form.cleaned_data["match"], rows),
                actor=room.actor,
                now=clock.now(),
            )
            return redirect("web:segments", room.workspace.slug)
    context: dict[str, object] = {"form": form, "rows": rows or [make_row(questions, "", "", "")]}
    return _render_builder(request, room, questions, context)


@in_room(methods=("GET", "HEAD", "POST"))
def edit_segment(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change a question, or its name."""
    segment, questions = contacts.get_segment(workspace=room.workspace, uid=uid), _questions(room)
    known = {"name": segment.name, "match": segment.filter["match"]}
    form = SegmentForm(request.POST or None, initial=known)
    shown = from_filter(segment.filter, questions)
    rows = read_rows(request.POST, questions) if request.method == "POST" and shown is not None else shown
    if form.is_valid():
        # What the rows cannot show, they do not change.
        filter_ = segment.filter if rows is None else to_filter(form.cleaned_data["match"], rows)
        with errors_in(form):
            services.update_segment(
                workspace=room.workspace,
                uid=uid,
                name=form.cleaned_data["name"],
                filter=filter_,
                actor=room.actor,
                now=clock.now(),
            )
            messages.success(request, "The segment is saved.")
            return redirect("web:segments", room.workspace.slug)
    return _render_builder(request, room, questions, {"form": form, "rows": rows, "segment": segment})


@in_room(methods=("POST",))
def delete_segment(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a question."""
    with errors_flashed(request):
        services.delete_segment(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    return redirect("web:segments", room.workspace.slug)


@in_room()
def show_condition(request: HttpRequest, room: Room) -> HttpResponse:
    """Show one row of the builder: a fresh one, or the one sent with operators that fit its field."""
    questions, sent = _questions(room), request.GET
    row = make_row(questions, sent.get("field", ""), sent.get("operator", ""), sent.get("value", ""))
    return render_page(request, room, "web/segments/_condition.html", {"row": row, **_choices(room, questions)})


@in_room(methods=("POST",), write=Role.VIEWER)
def preview(request: HttpRequest, room: Room) -> HttpResponse:
    """Count who matches the rows as they stand, and name the newest few."""
    form, rows = SegmentForm({**request.POST.dict(), "name": "-"}), read_rows(request.POST, _questions(room))
    context: dict[str, object] = {"form": form}
    if form.is_valid() and all(row.is_complete for row in rows):
        with errors_in(form):
            filter_: JSONObject = to_filter(form.cleaned_data["match"], rows)
            context["found"] = contacts.preview_segment(workspace=room.workspace, filter=filter_, now=clock.now())
    return render_page(request, room, "web/segments/_preview.html", context)


def _questions(room: Room) -> list[Question]:
    return questions_for(contacts.list_fields(workspace=room.workspace))


def _choices(room: Room, questions: list[Question]) -> dict[str, object]:
    """Return what the rows offer to choose from."""
    return {
        "questions": questions,
        "lists": contacts.list_lists(workspace=room.workspace, with_counts=False),
        "tags": contacts.list_tags(workspace=room.workspace, with_counts=False),
    }


def _render_builder(
    request: HttpRequest, room: Room, questions: list[Question], context: dict[str, object]
) -> HttpResponse:
    return render_page(request, room, "web/segments/builder.html", {**context, **_choices(room, questions)})
