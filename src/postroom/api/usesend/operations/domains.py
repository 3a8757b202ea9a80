"""Domains: added with keys of their own, verified by the records that their owners publish, and deleted."""

from typing import TYPE_CHECKING, Annotated, Final

from ninja import Path, Router, Status

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import FULL_KEY, writer_of
from postroom.api.usesend.domain_words import show_domain
from postroom.api.usesend.schemas.domains import Domain, DomainCreate, DomainDeleted, MessageResult, PlainError
from postroom.api.usesend.schemas.shared import CONFLICT, ERRORS, NOT_FOUND, REFUSALS
from postroom.api.usesend.schemas.values import whole_text
from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.errors import NoSuchDomain
from postroom.core.workspaces.errors import KeyTooNarrow
from postroom.core.workspaces.types import Role
from postroom.kit import clock

if TYPE_CHECKING:
    from postroom.core.mail.models import Domain as SendingDomain

router: Final = Router(tags=["Domains"], by_alias=True, auth=FULL_KEY)

DomainId = Annotated[int, whole_text(), Path(...)]

NOT_YOURS: Final = "API key doesn't have access to this domain"


@router.get("/domains", operation_id="listDomains", response={200: list[Domain], **REFUSALS})
def list_domains(request: KeyRequest) -> list[Domain]:
    """List the domains that this key may see, newest first."""
    identity, now = request.auth, clock.now()
    found = mail.list_domains(workspace=identity.workspace)
    seen = [one for one in found if identity.mail_domain in ("", one.name)]
    states = mail.map_record_states(domains=seen)
    newest = sorted(seen, key=lambda one: -one.pk)
    return [show_domain(one, states[one.pk], identity.workspace, now) for one in newest]


@router.post("/domains", operation_id="createDomain", response={200: Domain, **ERRORS, **CONFLICT})
def create_domain(request: KeyRequest, new: DomainCreate) -> Domain:
    """Add a domain and make its keys; nothing is watched in its mail until somebody switches that on."""
    identity = writer_of(request, Role.ADMIN)
    domain = services.create_domain(
        workspace=identity.workspace,
        name=new.name,
        region=new.region,
        is_tracked=False,
        actor=identity.actor,
        now=clock.now(),
    )
    return _show(request, domain)


@router.put(
    "/domains/{id}/verify", operation_id="verifyDomain", response={200: MessageResult, **ERRORS, 404: PlainError}
)
def verify_domain(request: KeyRequest, id: DomainId) -> MessageResult | Status[PlainError]:
    """Have a domain's records looked up, now and often from now on."""
    identity = request.auth
    try:
        domain = mail.get_domain_by_id(workspace=identity.workspace, domain_id=id)
    except NoSuchDomain:
        return Status(404, PlainError(error="Domain not found"))
    if identity.mail_domain not in ("", domain.name):
        return Status(404, PlainError(error=NOT_YOURS))
    writer_of(request, Role.ADMIN)
    services.want_verification(workspace=identity.workspace, uid=domain.uid, actor=identity.actor, now=clock.now())
    return MessageResult(message="Domain verification started")


@router.get("/domains/{id}", operation_id="getDomain", response={200: Domain, **ERRORS, **NOT_FOUND})
def get_domain(request: KeyRequest, id: DomainId) -> Domain:
    """Show a domain; while it is being verified, have its records looked up again for the next time."""
    identity = request.auth
    domain = mail.get_domain_by_id(workspace=identity.workspace, domain_id=id)
    if identity.mail_domain not in ("", domain.name):
        raise NoSuchDomain("There is no such domain in this workspace.")
    if domain.verify_wanted_at is not None:
        services.keep_verifying(workspace=identity.workspace, uid=domain.uid, now=clock.now())
    return _show(request, domain)


@router.delete("/domains/{id}", operation_id="deleteDomain", response={200: DomainDeleted, **ERRORS, **NOT_FOUND})
def delete_domain(request: KeyRequest, id: DomainId) -> DomainDeleted:
    """Forget a domain; mail that was sent from it stays."""
    identity = request.auth
    domain = mail.get_domain_by_id(workspace=identity.workspace, domain_id=id)
    if identity.mail_domain not in ("", domain.name):
        raise KeyTooNarrow(NOT_YOURS)
    writer_of(request, Role.ADMIN)
    services.delete_domain(workspace=identity.workspace, uid=domain.uid, actor=identity.actor, now=clock.now())
    return DomainDeleted(id=id, success=True, message="Domain deleted successfully")


def _show(request: KeyRequest, domain: "SendingDomain") -> Domain:
    states = mail.map_record_states(domains=[domain])
    return show_domain(domain, states[domain.pk], request.auth.workspace, clock.now())
