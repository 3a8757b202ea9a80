"""How a person came to the organization."""

from postroom.core.contacts.models import Contact, ImportBatch, ImportRun
from postroom.core.workspaces.models import Workspace


def find_bringing_import(*, workspace: Workspace, contact: Contact) -> ImportRun | None:
    """Return the import that brought a person, or None: only those that ran when they were stored are looked at."""
    ran_then = ImportRun.objects.filter(workspace=workspace, started_at__lte=contact.created_at)
    ran_then = ran_then.exclude(finished_at__lt=contact.created_at)
    batches = ImportBatch.objects.filter(run__in=ran_then, created_ids__contains=[contact.pk])
    found = batches.select_related("run").first()
    return found.run if found else None
