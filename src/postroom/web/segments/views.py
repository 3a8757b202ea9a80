"""The segment pages: the list, and the builder with its live count."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.types import JSONObject
from postroom.web.segments.builder import describe_use, first_tree, load_mailings, load_questions
from postroom.web.segments.examples import EXAMPLES, find_example
from postroom.web.segments.forms import SegmentForm
from postroom.web.segments.questions import Question
from postroom.web.segments.tree import act, complete, from_filter, read_tree, to_filter
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room

if TYPE_CHECKING:
    from postroom.core.contacts.models import SegmentSize


@in_room()
def show_segments(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the segments by name, with what they counted last."""
    context = {"segments": contacts.list_segments(workspace=room.workspace), "examples": EXAMPLES}
    return render_page(request, room, "web/segments/list.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def add_segment(request: HttpRequest, room: Room) -> HttpResponse:
    """Ask a new question; one to start from may be named."""
    questions = load_questions(room)
    if request.method == "POST":
        return _save(request, room, questions, None)
    example = find_example(request.GET.get("example", ""))
    form = SegmentForm(initial={"name": example.name if example else ""})
    tree = first_tree(example.filter if example else None, questions)
    return _render_builder(request, room, questions, {"form": form, "tree": tree})


@in_room(methods=("GET", "HEAD", "POST"))
def edit_segment(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change a question, or its name; see how many it found day by day."""
    segment, questions = contacts.get_segment(workspace=room.workspace, uid=uid), load_questions(room)
    if request.method == "POST":
        return _save(request, room, questions, uid)
    context = {"form": SegmentForm(initial={"name": segment.name}), "tree": from_filter(segment.filter, questions)}
    return _render_builder(request, room, questions, {**context, "segment": segment})


def _save(request: HttpRequest, room: Room, questions: list[Question], uid: UUID | None) -> HttpResponse:
    """Keep what the form says, or only change the tree when one of its buttons was pressed without a script."""
    segment = contacts.get_segment(workspace=room.workspace, uid=uid) if uid else None
    is_shown = segment is None or from_filter(segment.filter, questions) is not None
    word, form = request.POST.get("do"), SegmentForm(request.POST)
    sent = act(read_tree(request.POST, questions), word or "", questions)
    context: dict[str, object] = {"form": form, "tree": sent if is_shown else None, "segment": segment}
    if word is not None:
        context["form"] = SegmentForm(initial={"name": request.POST.get("name", "")})
    elif form.is_valid():
        with errors_in(form):
            # What the tree cannot show, it does not change.
            filter_ = to_filter(sent) if segment is None or is_shown else segment.filter
            _write(room, form.cleaned_data["name"], filter_, uid)
            messages.success(request, "The segment is saved.")
            return redirect("web:segments", room.workspace.slug)
    return _render_builder(request, room, questions, context)


def _write(room: Room, name: str, filter_: JSONObject, uid: UUID | None) -> None:
    now = clock.now()
    if uid is None:
        services.create_segment(workspace=room.workspace, name=name, filter=filter_, actor=room.actor, now=now)
    else:
        services.update_segment(workspace=room.workspace, uid=uid, name=name, filter=filter_, actor=room.actor, now=now)


@in_room(methods=("POST",))
def delete_segment(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a question."""
    with errors_flashed(request):
        services.delete_segment(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    return redirect("web:segments", room.workspace.slug)


@in_room(methods=("POST",), write=Role.VIEWER)
def show_tree(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the tree after one of its buttons, with the comparisons that fit its fields."""
    questions = load_questions(room)
    tree = act(read_tree(request.POST, questions), request.POST.get("do", ""), questions)
    context = {"tree": tree, "questions": questions, "mailings": load_mailings(room)}
    return render_page(request, room, "web/segments/_tree.html", context)


@in_room(methods=("POST",), write=Role.VIEWER)
def preview(request: HttpRequest, room: Room) -> HttpResponse:
    """Count who matches the tree as it stands, and name the newest few."""
    tree, form = read_tree(request.POST, load_questions(room)), SegmentForm({"name": "-"})
    context: dict[str, object] = {"form": form}
    if tree.parts and complete(tree.rows()):
        with errors_in(form):
            filter_ = to_filter(tree)
            context["found"] = contacts.preview_segment(workspace=room.workspace, filter=filter_, now=clock.now())
    return render_page(request, room, "web/segments/_preview.html", context)


def _render_builder(
    request: HttpRequest, room: Room, questions: list[Question], context: dict[str, object]
) -> HttpResponse:
    context |= {"questions": questions, "mailings": load_mailings(room)}
    segment = context.get("segment")
    if segment is not None:
        context |= describe_use(room, segment)  # type: ignore[arg-type]
        context["plot"] = _plot(context["sizes"])  # type: ignore[arg-type]
    return render_page(request, room, "web/segments/builder.html", context)


def _plot(sizes: "list[SegmentSize]") -> JSONObject:
    line = Line("People", "primary", [size.count for size in sizes])
    return describe_plot([size.at for size in sizes], [line], is_hourly=False)
