"""The webhook pages: all of them, one with its log, and one call."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.mail import selectors as mail
from postroom.core.webhooks import selectors as webhooks
from postroom.core.webhooks import services
from postroom.core.webhooks.rules.schedules import terms_of
from postroom.core.webhooks.types import CallFilter, HourCount
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.ids import parse_uuid
from postroom.kit.types import JSONObject
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room, is_fragment
from postroom.web.webhooks.forms import (
    GROUPS,
    LogForm,
    NewWebhookForm,
    ReplayForm,
    SecretForm,
    WebhookForm,
    choose_door,
)

if TYPE_CHECKING:
    from postroom.core.webhooks.models import Endpoint

CALLS_SHOWN = 50


@in_room()
def show_webhooks(request: HttpRequest, room: Room) -> HttpResponse:
    """Show all webhooks with how they do."""
    found = webhooks.list_endpoints(workspace=room.workspace)
    labels = dict(webhooks.door_names())
    rows = [(one, labels.get(one.door, one.door), _heard(one)) for one in found]
    return render_page(request, room, "web/webhooks/list.html", {"rows": rows})


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN, read=Role.ADMIN)
def add_webhook(request: HttpRequest, room: Room) -> HttpResponse:
    """Add a webhook in the dialect that was chosen."""
    door = choose_door(request.GET.get("format"))
    form = NewWebhookForm(request.POST or None, door=door, domains=_domains(room))
    if form.is_valid():
        with errors_in(form):
            made = services.create_endpoint(
                workspace=room.workspace,
                door=door,
                terms=form.to_terms(),
                actor=room.actor,
                now=clock.now(),
                secret=form.cleaned_data["secret"],
            )
            messages.success(request, "The webhook is here. Send it a test to see whether it is heard.")
            return redirect("web:webhook", room.workspace.slug, made.uid)
    context = {"form": form, "door": door, "doors": webhooks.door_names()}
    return render_page(request, room, "web/webhooks/form.html", context)


@in_room()
def show_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one webhook: how it does, its secret, its calls; the log live."""
    endpoint = webhooks.get_endpoint(workspace=room.workspace, uid=uid)
    log = _log(request, endpoint)
    if is_fragment(request):
        return render_page(request, room, "web/webhooks/_log.html", log)
    return render_page(request, room, "web/webhooks/webhook.html", {**log, **_facts(endpoint, room, clock.now())})


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN, read=Role.ADMIN)
def edit_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change where a webhook is and what it hears."""
    endpoint = webhooks.get_endpoint(workspace=room.workspace, uid=uid)
    domains = sorted({*_domains(room), *endpoint.mail_domains})
    form = WebhookForm(request.POST or None, door=endpoint.door, domains=domains, initial=_initial(endpoint))
    if form.is_valid():
        with errors_in(form):
            services.update_endpoint(
                workspace=room.workspace, uid=uid, terms=form.to_terms(), actor=room.actor, now=clock.now()
            )
            messages.success(request, "Saved. It holds for what happens from now on.")
            return redirect("web:webhook", room.workspace.slug, uid)
    return render_page(request, room, "web/webhooks/form.html", {"form": form, "endpoint": endpoint})


@in_room(methods=("POST",))
def test_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have it called with a test event."""
    with errors_flashed(request):
        call = services.test_endpoint(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        return redirect("web:webhook_call", room.workspace.slug, call.uid)
    return redirect("web:webhook", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def pause_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Call it no more."""
    with errors_flashed(request):
        services.pause_endpoint(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "Paused. What waited is discarded; you can replay it later.")
    return redirect("web:webhook", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def resume_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Call it again."""
    with errors_flashed(request):
        services.resume_endpoint(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The webhook is called again from now on.")
    return redirect("web:webhook", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def rotate_secret(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Sign with another secret."""
    webhooks.get_endpoint(workspace=room.workspace, uid=uid)
    form = SecretForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("web:webhook", room.workspace.slug, uid)
    with errors_flashed(request):
        secret = form.cleaned_data["secret"]
        services.rotate_secret(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now(), secret=secret)
        messages.success(request, "The secret is a new one. For 24 hours the former one signs as well.")
    return redirect("web:webhook", room.workspace.slug, uid)


@in_room(methods=("POST",))
def replay_failed(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Make every call again that failed lately."""
    webhooks.get_endpoint(workspace=room.workspace, uid=uid)
    form, now = ReplayForm(request.POST), clock.now()
    if form.is_valid():
        with errors_flashed(request):
            count = services.replay_failed(
                workspace=room.workspace, uid=uid, since=now - form.back, actor=room.actor, now=now
            )
            messages.success(request, f"{count:,} calls are made again." if count else "No call failed in that time.")
    return redirect("web:webhook", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def delete_webhook(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget it and its calls."""
    services.delete_endpoint(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "The webhook is gone.")
    return redirect("web:webhooks", room.workspace.slug)


@in_room()
def show_call(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one call: what was sent, what came back, and when it is tried again."""
    call = webhooks.find_call(workspace=room.workspace, uid=uid)
    endpoint = call.endpoint
    context = {
        "call": call,
        "endpoint": endpoint,
        "word": webhooks.event_word(endpoint.door, call.type),
        "most": terms_of(endpoint.door).attempts,
        "shown": webhooks.show_call(call=call, endpoint=endpoint),
        "answer": _pretty(call.answer),
        "can_replay": call.finished_at is not None and endpoint.status == "active",
    }
    return render_page(request, room, "web/webhooks/call.html", context)


@in_room(methods=("POST",))
def replay_call(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Make a call again."""
    call = webhooks.find_call(workspace=room.workspace, uid=uid)
    with errors_flashed(request):
        services.replay_call(
            workspace=room.workspace, uid=call.endpoint.uid, call_uid=uid, actor=room.actor, now=clock.now()
        )
    return redirect("web:webhook_call", room.workspace.slug, uid)


def _facts(endpoint: "Endpoint", room: Room, now: datetime) -> dict[str, object]:
    hours = webhooks.count_hours(endpoint=endpoint, now=now)
    return {
        "dialect": dict(webhooks.door_names()).get(endpoint.door, endpoint.door),
        "heard": _heard(endpoint),
        "secret": webhooks.reveal_secret(endpoint) if room.can_administer else "",
        "both_until": endpoint.previous_until if endpoint.previous_until and endpoint.previous_until > now else None,
        "secret_form": SecretForm(None),
        "replay_form": ReplayForm(None),
        "delivered": sum(hour.delivered for hour in hours),
        "failed": sum(hour.failed for hour in hours),
        "plot": _plot(hours),
    }


def _plot(hours: Sequence[HourCount]) -> JSONObject:
    lines = (
        Line("Answered well", "green", [hour.delivered for hour in hours]),
        Line("Failed", "red", [hour.failed for hour in hours]),
    )
    return describe_plot([hour.at for hour in hours], lines, is_hourly=True)


def _log(request: HttpRequest, endpoint: "Endpoint") -> dict[str, object]:
    form = LogForm(request.GET, endpoint=endpoint)
    form.is_valid()
    said = form.cleaned_data
    wanted = CallFilter(said.get("status", ""), said.get("type", ""), parse_uuid(said.get("before", "")))
    found = webhooks.list_calls(endpoint=endpoint, wanted=wanted, limit=CALLS_SHOWN + 1)
    shown = found[:CALLS_SHOWN]
    return {
        "endpoint": endpoint,
        "log_form": form,
        "wanted": wanted,
        "calls": [(call, webhooks.event_word(endpoint.door, call.type)) for call in shown],
        "next": shown[-1].uid if len(found) > CALLS_SHOWN else None,
    }


def _heard(endpoint: "Endpoint") -> str:
    if not endpoint.event_types:
        return "Everything"
    if len(endpoint.event_types) <= 3:
        return ", ".join(endpoint.event_types)
    return f"{len(endpoint.event_types)} events"


def _initial(endpoint: "Endpoint") -> dict[str, object]:
    events = endpoint.event_types
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "mail_domains": endpoint.mail_domains,
        **{f"{group}_events": [one for one in events if one.startswith(f"{group}.")] for group, _ in GROUPS},
    }


def _domains(room: Room) -> list[str]:
    return [domain.name for domain in mail.list_domains(workspace=room.workspace)]


def _pretty(text: str) -> str:
    """Return an answer as it reads best; most that is JSON is short enough to be whole."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
