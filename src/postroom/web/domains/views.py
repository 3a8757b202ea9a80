"""The domain pages: all domains, and one with its records, keys, and how receivers take its mail."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.domains.forms import NewDomainForm, TermsForm, TestForm
from postroom.web.domains.words import group_records, measure_progress
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.mail.models import Domain

HEALTH_DAYS = (7, 30)


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN)
def show_domains(request: HttpRequest, room: Room) -> HttpResponse:
    """Show all domains; add one."""
    form = NewDomainForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            name = form.cleaned_data["name"]
            made = services.create_domain(workspace=room.workspace, name=name, actor=room.actor, now=clock.now())
            messages.success(request, f"{made.name} is here. Now publish its records.")
            return redirect("web:domain", room.workspace.slug, made.uid)
    domains = mail.list_domains(workspace=room.workspace)
    return render_page(request, room, "web/domains/list.html", {"form": form, "domains": domains})


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN)
def show_domain(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one domain, its records live; change how its mail is signed."""
    domain = mail.get_domain(workspace=room.workspace, uid=uid)
    if is_fragment(request) and request.method != "POST":
        return render_page(request, room, "web/domains/_records.html", _records(domain))
    initial = {name: getattr(domain, name) for name in ("signing", "tracks_opens", "tracks_clicks")}
    form = TermsForm(request.POST or None, initial=initial)
    if form.is_valid():
        with errors_in(form):
            terms = form.to_terms()
            services.update_domain(workspace=room.workspace, uid=uid, terms=terms, actor=room.actor, now=clock.now())
            messages.success(request, "Saved. It holds for what is sent from now on.")
            return redirect("web:domain", room.workspace.slug, uid)
    return _render(request, room, domain, form)


@in_room(methods=("POST",))
def check_domain(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have the records looked up now."""
    services.want_check(workspace=room.workspace, uid=uid, now=clock.now())
    return redirect("web:domain", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def rotate_keys(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Make the next keys."""
    with errors_flashed(request):
        services.rotate_keys(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The next keys are made. Publish their records; they take over once they are seen.")
    return redirect("web:domain", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def drop_keys(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget the keys that have not signed yet."""
    services.drop_next_keys(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "The keys that had not signed yet are gone; you may take their records down.")
    return redirect("web:domain", room.workspace.slug, uid)


@in_room(methods=("POST",))
def send_test(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send a test mail."""
    domain = mail.get_domain(workspace=room.workspace, uid=uid)
    form = TestForm(request.POST, senders=mail.list_domain_senders(domain=domain))
    if not form.is_valid():
        messages.error(request, "Choose a sender and say where the test goes.")
        return redirect("web:domain", room.workspace.slug, uid)
    with errors_flashed(request):
        accepted = services.send_domain_test(
            workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now(), **form.cleaned_data
        )
        if accepted.reason:
            messages.error(request, f"Nothing was sent: the address is suppressed ({accepted.reason}).")
        else:
            messages.success(request, "The test is on its way.")
    return redirect("web:domain", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def delete_domain(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a domain that nobody signs for."""
    with errors_flashed(request):
        services.delete_domain(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The domain is gone. You may take its records down.")
        return redirect("web:domains", room.workspace.slug)
    return redirect("web:domain", room.workspace.slug, uid)


def _records(domain: "Domain") -> dict[str, object]:
    states = mail.list_record_states(domain=domain)
    is_looking = domain.checked_at is None or (domain.next_check_at is not None and domain.next_check_at <= clock.now())
    return {
        "domain": domain,
        "groups": group_records(states),
        "progress": measure_progress(states),
        "is_looking": is_looking,
        "is_awaited": domain.verify_wanted_at is not None and domain.verified_at is None,
    }


def _render(request: HttpRequest, room: Room, domain: "Domain", form: TermsForm) -> HttpResponse:
    now = clock.now()
    senders = mail.list_domain_senders(domain=domain)
    keys = mail.list_keys(domain=domain)
    due_at = mail.rotation_due_at(keys)
    context = {
        **_records(domain),
        "form": form,
        "senders": senders,
        "test_form": TestForm(None, senders=senders, to=room.user.email),
        "keys": keys,
        "due_at": due_at,
        "is_due": due_at is not None and due_at <= now,
        "is_rotating": any(key.state == "pending" for key in keys),
        "health": [(days, mail.measure_health(domain=domain, days=days, now=now)) for days in HEALTH_DAYS],
        "changes": mail.list_domain_changes(domain=domain),
    }
    return render_page(request, room, "web/domains/domain.html", context)
