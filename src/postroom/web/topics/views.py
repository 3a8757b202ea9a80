"""The categories of mail of a workspace: made, changed, put in order, deleted."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.kit import clock
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room
from postroom.web.topics.forms import NewTopicForm, TopicForm


@in_room(methods=("GET", "HEAD", "POST"))
def show_topics(request: HttpRequest, room: Room) -> HttpResponse:
    """Show all categories in the readers' order; make a new one."""
    form = NewTopicForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            made = services.create_category(
                workspace=room.workspace,
                slug=slugify(form.cleaned_data["name"]),
                actor=room.actor,
                now=clock.now(),
                **form.cleaned_data,
            )
            messages.success(request, f"The topic {made.name} is made.")
            return redirect("web:topics", room.workspace.slug)
    topics = contacts.list_categories(workspace=room.workspace)
    return render_page(request, room, "web/topics/list.html", {"form": form, "topics": topics})


@in_room(methods=("GET", "HEAD", "POST"))
def show_topic(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one category with what people said of it; change it."""
    topic = contacts.get_category_by_uid(workspace=room.workspace, uid=uid)
    form = TopicForm(request.POST or None, initial={"name": topic.name, "description": topic.description})
    if form.is_valid():
        with errors_in(form):
            services.update_category(
                workspace=room.workspace,
                category_id=topic.pk,
                actor=room.actor,
                now=clock.now(),
                **form.cleaned_data,
            )
            messages.success(request, "Saved.")
            return redirect("web:topics", room.workspace.slug)
    return render_page(request, room, "web/topics/one.html", {"form": form, "topic": topic})


@in_room()
def count_topic(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show how many said yes and no: a part of the page by itself, for counting takes a moment."""
    topic = contacts.get_category_by_uid(workspace=room.workspace, uid=uid)
    counts = contacts.count_consents(workspace=room.workspace).get(topic.pk, {})
    context = {"granted": counts.get("granted", 0), "withdrawn": counts.get("withdrawn", 0)}
    return render_page(request, room, "web/topics/_counts.html", context)


@in_room(methods=("POST",))
def move_topic(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Move a category up or down in the readers' order."""
    topic = contacts.get_category_by_uid(workspace=room.workspace, uid=uid)
    steps = -1 if request.POST.get("to") == "up" else 1
    services.move_category(
        workspace=room.workspace, category_id=topic.pk, steps=steps, actor=room.actor, now=clock.now()
    )
    return redirect("web:topics", room.workspace.slug)


@in_room(methods=("POST",))
def delete_topic(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a category and everybody's word on it."""
    topic = contacts.get_category_by_uid(workspace=room.workspace, uid=uid)
    with errors_flashed(request):
        services.delete_category(workspace=room.workspace, category_id=topic.pk, actor=room.actor, now=clock.now())
        messages.success(request, f"The topic {topic.name} is deleted.")
    return redirect("web:topics", room.workspace.slug)
