"""Reads of people's word on categories."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from postroom.core.contacts.models import Consent, ConsentChange
from postroom.core.contacts.rules.consent_words import say_change, say_proof
from postroom.core.contacts.types import ConsentEntry, ConsentState
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page


def load_consents(*, workspace: Workspace, contact_ids: Iterable[int]) -> dict[int, dict[str, ConsentState]]:
    """Return people's word on the workspace's categories, by slug, with one statement; the silent are absent."""
    said: dict[int, dict[str, ConsentState]] = defaultdict(dict)
    rows = Consent.objects.filter(category__workspace=workspace, contact_id__in=list(contact_ids))
    for contact_id, slug, state in rows.order_by("category__slug").values_list("contact_id", "category__slug", "state"):
        said[contact_id][slug] = ConsentState(state)
    return dict(said)


def list_consent_history(*, workspace: Workspace, contact_id: int, page: PageRequest) -> Page[ConsentEntry]:
    """Return what a person said of this workspace's mail, and of everything, newest first."""
    said_here = (
        Q(workspace=workspace)
        | Q(workspace=None, list__workspace=workspace)
        | Q(workspace=None, category__workspace=workspace)
        | Q(state__endswith="_all", contact__organization_id=workspace.organization_id)
    )
    changes = ConsentChange.objects.filter(said_here, contact_id=contact_id)
    rows = changes.select_related("list", "category", "user").order_by("-at", "-pk")
    return fetch_page(rows, page).map(_entry)


def _entry(change: ConsentChange) -> ConsentEntry:
    what = say_change(
        change.state,
        list_name=change.list.name if change.list else "",
        category_name=change.category.name if change.category else "",
    )
    who = (change.user.name or change.user.email) if change.user else ""
    return ConsentEntry(change.at, what, who, change.door, change.source, say_proof(change.proof))
