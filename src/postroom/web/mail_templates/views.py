"""The pages of templates: the list, and the editor with its live preview."""

import json
from pathlib import Path
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import escape

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.types import BodyFormat, Composition, NewTemplate
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.web.mail_templates.forms import (
    VALUE,
    NewTemplateForm,
    TemplateForm,
    TestForm,
    WordsForm,
    example_values,
    read_values,
)
from postroom.web.shared.frames import frame_response, under_subject
from postroom.web.shared.pages import errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room

STARTER: Final = Composition(
    subject="Your order {{ order_number }}",
    body=(Path(__file__).parent / "starter.mjml").read_text(encoding="utf-8"),
    body_format=BodyFormat.MJML,
)


@in_room(methods=("GET", "HEAD", "POST"))
def show_templates(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the templates; start a new one from an example."""
    form = NewTemplateForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            new = NewTemplate(name=form.cleaned_data["name"], composition=STARTER)
            made = services.create_template(workspace=room.workspace, new=new, actor=room.actor, now=clock.now())
            return redirect("web:template", room.workspace.slug, made.uid)
    page = mail.page_templates(workspace=room.workspace, page=page_request(request))
    return render_page(request, room, "web/mail_templates/list.html", {"page": page, "form": form})


@in_room(methods=("GET", "HEAD", "POST"))
def edit(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Write a template, with what it looks like beside it."""
    template = mail.get_template_by_uid(workspace=room.workspace, uid=uid)
    form = TemplateForm(request.POST or None, template=template)
    if form.is_valid():
        with errors_in(form):
            services.update_template(
                workspace=room.workspace,
                template_id=template.pk,
                name=form.cleaned_data["name"],
                composition=form.to_composition(),
                actor=room.actor,
                now=clock.now(),
            )
            messages.success(request, "The template is saved: the next mail is written from it.")
            return redirect("web:template", room.workspace.slug, uid)
    variables = mail.list_variables(composition=mail.template_composition(template))
    call = {"templateId": template.uid.hex, "variables": example_values(variables)}
    context = {
        "template": template,
        "form": form,
        "test_form": TestForm(initial={"to": room.user.email}),
        "variables": [(name, f"{VALUE}{name}", request.POST.get(f"{VALUE}{name}", "")) for name in variables],
        "call": json.dumps(call, indent=2),
    }
    return render_page(request, room, "web/mail_templates/edit.html", context)


@in_room(methods=("POST",), write=Role.VIEWER)
def preview(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the words of the editor with the example values, for the frame beside it."""
    form = WordsForm(request.POST)
    if not form.is_valid():
        return frame_response(form.errors.as_ul())
    try:
        shown = mail.preview_template(composition=form.to_composition(), values=read_values(request.POST.dict()))
    except AppError as error:
        return frame_response(f"<p role=alert>{escape(error.message)}</p>")
    html = shown.html or f"<pre>{escape(shown.text)}</pre>"
    return frame_response(under_subject(shown.subject, html))


@in_room(methods=("POST",))
def send_test(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the saved template with the example values to an address."""
    form = TestForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A test needs one address.")
        return redirect("web:template", room.workspace.slug, uid)
    to = form.cleaned_data["to"]
    with errors_flashed(request):
        services.send_template_test(
            workspace=room.workspace,
            uid=uid,
            to=to,
            values=read_values(request.POST.dict()),
            actor=room.actor,
            now=clock.now(),
        )
        messages.success(request, f"The test is on its way to {to}.")
    return redirect("web:template", room.workspace.slug, uid)


@in_room(methods=("POST",))
def duplicate(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Store a copy and open it."""
    made = services.duplicate_template(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, f"This is {made.name}.")
    return redirect("web:template", room.workspace.slug, made.uid)


@in_room(methods=("POST",))
def delete(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a template."""
    services.delete_template(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "The template is deleted.")
    return redirect("web:templates", room.workspace.slug)
