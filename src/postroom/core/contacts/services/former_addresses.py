"""What people wanted under an address they gave up goes along with them; what was wrong with it stays behind."""

from datetime import datetime

from django.db.models import Q

from postroom.core.contacts.models import Contact, Suppression
from postroom.core.contacts.services.suppression import SCOPE_ALONG, suppress_entry, will_under
from postroom.core.contacts.types import NewSuppression, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit import crypto


def carry_will(*, workspace: Workspace, contact: Contact, former: str, actor: Actor, now: datetime) -> None:
    """Let complaints, opt-outs, bans and manual entries on a former address hold for the one a person has now.

    What the platform holds against the former address holds in this organization alone, and does not say why.
    """
    held = Suppression.objects.filter(
        Q(scope=SuppressionScope.PLATFORM) | Q(organization_id=contact.organization_id),
        address_hash=crypto.address_hash(former),
    )
    for row in held.select_related("workspace").order_by("pk"):
        detail = row.detail if row.organization_id else ""
        said = NewSuppression(former, SuppressionReason(row.reason), detail, is_opted_out=row.is_opted_out)
        entry = will_under(said, contact.email or "")
        if entry is not None and entry.address:
            scope = SCOPE_ALONG[SuppressionScope(row.scope)]
            suppress_entry(workspace=row.workspace or workspace, entry=entry, scope=scope, actor=actor, now=now)
