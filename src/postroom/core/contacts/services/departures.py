"""People leave a workspace, one or many by the same few statements; what they refused outlives them."""

from collections.abc import Sequence
from datetime import datetime

from postroom.core.contacts.models import (
    AccountContact,
    Consent,
    Contact,
    ContactTag,
    ContactWorkspace,
    Interaction,
    ListMember,
)
from postroom.core.contacts.services.suppression import keep_opt_outs
from postroom.core.workspaces.models import Workspace


def remove_people(*, workspace: Workspace, people: Sequence[Contact], now: datetime) -> None:
    """Take people, locked by the caller, out of a workspace; a record dies with its last link.

    An opt-out outlives it as a suppression. Leaves telling to the caller.
    """
    keep_opt_outs(workspace=workspace, people=people, now=now)
    ids = [one.pk for one in people]
    ContactTag.objects.filter(contact_id__in=ids, tag__workspace=workspace).delete()
    ListMember.objects.filter(contact_id__in=ids, list__workspace=workspace).delete()
    Consent.objects.filter(contact_id__in=ids, category__workspace=workspace).delete()
    AccountContact.objects.filter(contact_id__in=ids, account__workspace=workspace).delete()
    Interaction.objects.filter(contact_id__in=ids, workspace=workspace).delete()
    ContactWorkspace.objects.filter(contact_id__in=ids, workspace=workspace).delete()
    elsewhere = set(ContactWorkspace.objects.filter(contact_id__in=ids).values_list("contact_id", flat=True))
    Contact.objects.filter(pk__in=[pk for pk in ids if pk not in elsewhere]).delete()
