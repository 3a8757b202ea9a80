"""The sender pages: accounts and how they do, and the way out of the sandbox."""

from datetime import datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.rules.brakes import HOUSE
from postroom.core.mail.rules.limit_terms import name_destination, say_limit
from postroom.core.mail.types import Provider
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.ids import parse_uuid
from postroom.kit.types import JSONObject
from postroom.web.senders.forms import BrakesForm, SenderForm, TestForm, WarmUpForm
from postroom.web.senders.hooks import describe_provider
from postroom.web.senders.limit_forms import LimitForm
from postroom.web.senders.providers import NAMES
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postroom.core.mail.models import Limit, SenderAccount, WarmUp
    from postroom.core.mail.types import PlannedDay


@in_room()
def show_senders(request: HttpRequest, room: Room) -> HttpResponse:
    """Show who sends and how they do, what limits them, and what makes campaigns stop."""
    return render_senders(request, room, LimitForm(None, workspace=room.workspace))


def render_senders(
    request: HttpRequest, room: Room, limit_form: LimitForm, brakes_form: BrakesForm | None = None
) -> HttpResponse:
    """Return the page of all accounts, with a form that may have been filled in wrongly."""
    levels = mail.load_levels(workspace=room.workspace)
    known = {"bounces": levels.bounces / 100, "complaints": levels.complaints / 100}
    context = {
        "states": [
            (state, _carrier(state.sender))
            for state in mail.list_account_states(workspace=room.workspace, now=clock.now())
        ],
        "limits": describe_limits(mail.list_limits(workspace=room.workspace)),
        "limit_form": limit_form,
        "levels": known,
        "is_house_level": levels == HOUSE,
        "brakes_form": brakes_form or BrakesForm(initial=known),
        "is_everything_stopped": mail.is_installation_stopped(),
        "providers": NAMES,
    }
    return render_page(request, room, "web/senders/list.html", context)


@in_room(methods=("GET", "HEAD", "POST"), read=Role.ADMIN, write=Role.ADMIN)
def add_sender(request: HttpRequest, room: Room) -> HttpResponse:
    """Store an account; the query string says who is to carry its mail."""
    provider = request.GET.get("provider", Provider.SMTP)
    provider = provider if provider in NAMES else Provider.SMTP
    form = SenderForm(request.POST or None, workspace=room.workspace, provider=provider)
    if form.is_valid():
        with errors_in(form):
            made = services.create_sender(
                workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"{made.name} is ready to send.")
            return redirect("web:sender", room.workspace.slug, made.uid)
    context = {"form": form, "providers": NAMES, "provider": provider, "provider_name": NAMES[Provider(provider)]}
    return render_page(request, room, "web/senders/form.html", context)


@in_room(methods=("POST",))
def add_sandbox(request: HttpRequest, room: Room) -> HttpResponse:
    """Make the sandbox account, unless it is there."""
    with errors_flashed(request):
        services.ensure_sandbox_sender(workspace=room.workspace, actor=room.actor, now=clock.now())
    return redirect("web:senders", room.workspace.slug)


@in_room()
def show_sender(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one account: how it does, how it grows, what limits it, and what came of a test."""
    sender = mail.get_sender(workspace=room.workspace, uid=uid)
    if is_fragment(request):
        return render_page(request, room, "web/senders/_test.html", {"sender": sender, **_test(request, room)})
    return render_sender(request, room, sender, WarmUpForm())


@in_room(methods=("GET", "HEAD", "POST"), read=Role.ADMIN, write=Role.ADMIN)
def edit_sender(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change an account; what is secret is changed only when it is given anew."""
    sender = mail.get_sender(workspace=room.workspace, uid=uid)
    form = SenderForm(request.POST or None, workspace=room.workspace, provider=sender.provider, sender=sender)
    if form.is_valid():
        with errors_in(form):
            services.update_sender(
                workspace=room.workspace, uid=uid, changes=form.to_changes(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"{form.cleaned_data['name']} is changed.")
            return redirect("web:sender", room.workspace.slug, uid)
    return render_page(request, room, "web/senders/form.html", {"form": form, "sender": sender})


def render_sender(request: HttpRequest, room: Room, sender: "SenderAccount", warm_up_form: WarmUpForm) -> HttpResponse:
    """Return the page of one account, with a form that may have been filled in wrongly."""
    now = clock.now()
    warm_up = mail.find_warm_up(sender=sender)
    days = mail.list_warm_up_days(warm_up=warm_up, now=now) if warm_up else []
    limits = mail.list_limits_of(sender=sender)
    context = {
        "sender": sender,
        "state": mail.get_account_state(sender=sender, now=now),
        "carrier": _carrier(sender),
        "rests": [(name_destination(one.destination), one) for one in mail.list_rests(sender_id=sender.pk, now=now)],
        "limits": describe_limits([limit for limit in limits if not hasattr(limit, "warm_up")]),
        "warm_up": warm_up,
        "warm_up_days": _around_today(days),
        "plot": _plot(days) if days else None,
        "warm_up_form": warm_up_form,
        "plan": _say_plan(warm_up),
        "test_form": TestForm(initial={"to": room.user.email}),
        **describe_provider(sender),
        **_test(request, room),
    }
    return render_page(request, room, "web/senders/sender.html", context)


def describe_limits(limits: "Sequence[Limit]") -> list[dict[str, object]]:
    """Return limits with what they say in words."""
    return [
        {
            "limit": limit,
            "words": say_limit(mail.terms_of(limit)),
            "who": limit.sender or limit.domain,
            "to": name_destination(limit.destination) if limit.destination else "",
        }
        for limit in limits
    ]


def _carrier(sender: "SenderAccount") -> str:
    if sender.carrier is not None:
        return f"{sender.carrier.name} ({_carrier(sender.carrier)})"
    if sender.provider == Provider.SMTP:
        return f"{sender.config.get('host')}:{sender.config.get('port')}"
    return NAMES.get(Provider(sender.provider), sender.get_provider_display())


def _say_plan(warm_up: "WarmUp | None") -> str:
    if warm_up is None:
        return ""
    return f"{warm_up.start:,} messages on the first day, {warm_up.growth} % more every day, up to {warm_up.target:,}."


def _around_today(days: "list[PlannedDay]") -> "list[PlannedDay]":
    """Return the last days that were and the next ones."""
    past = sum(day.sent is not None for day in days)
    return days[max(0, past - 7) : past + 7]


def _plot(days: "Sequence[PlannedDay]") -> JSONObject:
    lines = [
        Line("Planned", "secondary", [day.planned for day in days]),
        Line("Allowed", "blue", [day.cap for day in days]),
        Line("Sent", "green", [day.sent for day in days]),
    ]
    zone = timezone.get_current_timezone()
    return describe_plot([datetime.combine(day.day, time(), zone) for day in days], lines, is_hourly=False)


def _test(request: HttpRequest, room: Room) -> dict[str, object]:
    """Return the message that the address names as a test, and what was said about it; nothing when it names none."""
    uid = parse_uuid(request.GET.get("test", ""))
    if uid is None:
        return {}
    message = mail.get_message(workspace=room.workspace, uid=uid)
    attempts = mail.find_transcript(workspace=room.workspace, message_uid=uid)
    is_waiting = message.status in ("queued", "claimed", "wire") and not attempts
    return {"tested": message, "attempts": attempts, "is_waiting": is_waiting}
