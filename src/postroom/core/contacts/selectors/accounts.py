"""Reads of accounts: the companies people belong to."""

from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from postroom.core.contacts.errors import NoSuchAccount
from postroom.core.contacts.models import Account, AccountContact, Contact, Interaction
from postroom.core.contacts.rules.domains import company_domains
from postroom.core.contacts.selectors.interactions import visible_interactions
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page

MAX_SUGGESTIONS: Final = 5


def get_account(*, workspace: Workspace, uid: UUID) -> Account:
    """Return a company of the workspace. Raises NoSuchAccount."""
    account = Account.objects.filter(workspace=workspace, uid=uid).first()
    if account is None:
        raise NoSuchAccount(uid=uid)
    return account


def list_accounts(*, workspace: Workspace, page: PageRequest, search: str = "") -> Page[Account]:
    """Return the companies by name, each with ``contact_count``; ``search`` looks into name and domain."""
    rows = Account.objects.filter(workspace=workspace)
    for word in search.replace("\0", "").split()[:5]:
        rows = rows.filter(Q(name__icontains=word) | Q(domain__icontains=word))
    found = fetch_page(rows.order_by("name", "pk"), page)
    keys = [account.pk for account in found.items]
    visible = _people(workspace).filter(account__in=keys).values_list("account_id")
    counts = dict(visible.annotate(count=Count("pk")).order_by())
    for account in found.items:
        account.contact_count = counts.get(account.pk, 0)  # type: ignore[attr-defined]
    return found


def list_account_people(*, workspace: Workspace, account: Account, page: PageRequest) -> Page[AccountContact]:
    """Return the people of a company whom the workspace sees, with their place in it, newest first."""
    rows = _people(workspace).filter(account=account).select_related("contact")
    return fetch_page(rows.order_by("-pk"), page)


def list_account_interactions(
    *, workspace: Workspace, account: Account, viewer_id: int | None, limit: int = 20
) -> list[Interaction]:
    """Return what last passed between the team and a company's people, as far as this user may see it."""
    people = _people(workspace).filter(account=account).values("contact_id")
    rows = visible_interactions(workspace=workspace, viewer_id=viewer_id).filter(contact__in=people)
    return list(rows.select_related("contact", "created_by").order_by("-occurred_at", "-pk")[:limit])


def suggest_accounts(*, workspace: Workspace, contact: Contact) -> list[Account]:
    """Return companies a person may belong to and does not yet: by the domain of their address, or by the name they
    gave as their company.
    """
    clue = Q(domain__in=company_domains(contact.email))
    if contact.company:
        clue |= Q(Exact(Lower("name"), Lower(Value(contact.company))))
    rows = Account.objects.filter(clue, workspace=workspace).exclude(contact_links__contact=contact)
    return list(rows.order_by("name", "pk")[:MAX_SUGGESTIONS])


def _people(workspace: Workspace) -> QuerySet[AccountContact]:
    return AccountContact.objects.filter(
        account__workspace=workspace, contact__links__workspace=workspace, contact__erased_at=None
    )
