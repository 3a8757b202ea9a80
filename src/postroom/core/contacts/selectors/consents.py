"""Reads of people's word on categories."""

from collections import defaultdict
from collections.abc import Iterable

from postroom.core.contacts.models import Consent
from postroom.core.contacts.types import ConsentState
from postroom.core.workspaces.models import Workspace


def load_consents(*, workspace: Workspace, contact_ids: Iterable[int]) -> dict[int, dict[str, ConsentState]]:
    """Return people's word on the workspace's categories, by slug, with one statement; the silent are absent."""
    said: dict[int, dict[str, ConsentState]] = defaultdict(dict)
    rows = Consent.objects.filter(category__workspace=workspace, contact_id__in=list(contact_ids))
    for contact_id, slug, state in rows.order_by("category__slug").values_list("contact_id", "category__slug", "state"):
        said[contact_id][slug] = ConsentState(state)
    return dict(said)
