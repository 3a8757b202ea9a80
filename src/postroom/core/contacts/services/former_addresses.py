"""What people wanted under an address they gave up goes along with them; what was wrong with it stays behind."""

from datetime import datetime
from typing import Final

from django.db.models import Q

from postroom.core.contacts.models import Contact, Suppression
from postroom.core.contacts.services.consent import opt_out
from postroom.core.contacts.services.suppression import SCOPE_ALONG, suppress_entry, will_under
from postroom.core.contacts.types import NewSuppression, OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit import crypto

_TAKEN_AWAY: Final = "address taken away"


def carry_will(*, workspace: Workspace, contact: Contact, former: str, actor: Actor, now: datetime) -> None:
    """Let complaints, opt-outs, bans and manual entries on a former address hold for the one a person has now.

    What the platform holds against the former address holds in this organization alone, and does not say why. Whoever
    has no address any more counts as opted out, for the day when they have one. ``contact`` is locked.
    """
    held = Suppression.objects.filter(
        Q(scope=SuppressionScope.PLATFORM) | Q(organization_id=contact.organization_id),
        address_hash=crypto.address_hash(former),
    )
    for row in held.select_related("workspace").order_by("pk"):
        detail = row.detail if row.organization_id else ""
        said = NewSuppression(former, SuppressionReason(row.reason), detail, is_opted_out=row.is_opted_out)
        entry, room = will_under(said, contact.email or ""), row.workspace or workspace
        if entry is None:
            continue
        if contact.email:
            scope = SCOPE_ALONG[SuppressionScope(row.scope)]
            suppress_entry(workspace=room, entry=entry, scope=scope, actor=actor, now=now)
        else:
            reach = OptOutScope(is_everything=row.workspace is None)
            opt_out(workspace=room, contact_id=contact.pk, scope=reach, source=_TAKEN_AWAY, actor=actor, now=now)
            contact.refresh_from_db(fields=["is_globally_opted_out", "globally_opted_out_at"])
