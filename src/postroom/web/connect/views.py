"""All that a program is told to hand mail over by SMTP, and what came that way; and where the APIs are documented."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from postroom.core.mail import selectors as mail
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import KEYED_DOORS, Door
from postroom.kit import clock
from postroom.kit.certificates import BadCertificate, CertificateFacts, read_certificate
from postroom.kit.paging import PageRequest
from postroom.web.connect.examples import Server, write_examples
from postroom.web.keys.words import DOORS
from postroom.web.shared.pages import render_page
from postroom.web.shared.rooms import Room, in_room
from postroom.web.shared.snippets import UNFILLED, plan_first_mail

_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class CertificateState:
    """What a program will think of the server's certificate, as the word of a state, and what is in it."""

    status: str
    facts: CertificateFacts | None = None
    trouble: str = ""


@in_room()
def show_smtp(request: HttpRequest, room: Room) -> HttpResponse:
    """Show host, ports, user and certificate, how programs are set up, and what came last."""
    server = Server(
        host=urlsplit(settings.PUBLIC_URL).hostname or "localhost",
        port=settings.SUBMISSION_PORT,
        tls_port=settings.SUBMISSIONS_PORT,
        user=str(settings.SUBMISSION_USER),
        is_trusted=bool(settings.TLS_CERT),
    )
    keys = workspaces.list_api_keys(workspace=room.workspace, user=room.user, page=PageRequest(size=100))
    first = plan_first_mail(room.workspace, to=room.user.email)
    context = {
        "server": server,
        "is_only_here": settings.SUBMISSION_HOST in _HERE and server.host not in _HERE,
        "certificate": judge_certificate(clock.now()),
        "has_key": any(key.door == Door.USESEND and key.revoked_at is None for key in keys.items),
        "examples": write_examples(server, first),
        "unfilled": UNFILLED,
        "hand_overs": mail.list_hand_overs(workspace=room.workspace, maker=None if room.can_administer else room.user),
    }
    return render_page(request, room, "web/connect/smtp.html", context)


@in_room()
def show_docs(request: HttpRequest, room: Room) -> HttpResponse:
    """Show which doors there are, and lead to what each says of itself."""
    doors = [(DOORS[door], workspaces.door_address(door=door)) for door in KEYED_DOORS]
    return render_page(request, room, "web/connect/docs.html", {"doors": doors})


def judge_certificate(now: datetime) -> CertificateState:
    """Return what is known of the certificate of the submission ports on this machine."""
    if not settings.SUBMISSION_CERT.exists():
        return CertificateState("unknown")
    try:
        facts = read_certificate(settings.SUBMISSION_CERT)
    except BadCertificate as error:
        return CertificateState("failing", trouble=str(error))
    if facts.good_until <= now:
        return CertificateState("expired", facts)
    return CertificateState("self_signed" if facts.is_self_signed else "ok", facts)
