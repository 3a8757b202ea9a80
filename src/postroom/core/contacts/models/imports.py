"""Tables of imports."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.contacts.types import ImportStatus
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7

_ENDED: Final = (ImportStatus.DONE, ImportStatus.FAILED, ImportStatus.CANCELLED)


class ImportRun(models.Model):
    """One import of a file: how to read it, how far it is, what came of it.

    ``processed_rows = created_rows + updated_rows + skipped_rows + error_rows`` at every commit; ``file`` names the
    stored upload, ``headers`` are its columns, by which a later file is known to be of the same kind. When it is
    undone, ``undone_rows`` counts the people who are gone and ``kept_rows`` those who stay, by reason
    (``types.KeptBy``).
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    door = models.CharField(max_length=12)
    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=255)
    file_size = models.BigIntegerField()
    encoding = models.CharField(max_length=20, blank=True, default="")
    delimiter = models.CharField(max_length=1, blank=True, default="")
    headers = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.QUEUED)
    error = models.CharField(max_length=1000, blank=True, default="")
    total_rows = models.IntegerField(null=True)
    processed_rows = models.IntegerField(default=0)
    created_rows = models.IntegerField(default=0)
    updated_rows = models.IntegerField(default=0)
    skipped_rows = models.IntegerField(default=0)
    error_rows = models.IntegerField(default=0)
    undone_rows = models.IntegerField(default=0)
    kept_rows = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.filename} {self.status}"

    @property
    def settled_people(self) -> int:
        """Of the people it made, those an undo has dealt with: gone, or kept for a reason."""
        return int(self.undone_rows + sum(self.kept_rows.values()))

    @property
    def can_be_undone(self) -> bool:
        """Whether it has ended and made people whom no undo has dealt with."""
        return self.status in _ENDED and self.created_rows > self.settled_people


class ImportRowError(models.Model):
    """One row that could not become a contact; ``row_number`` counts data rows from 1."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="errors", db_index=False)
    row_number = models.IntegerField()
    column = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "row_number"), name="import_error_once"),)

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"


class ImportBatch(models.Model):
    """The people one batch of an import brought into the organization, so that the import can be undone."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="batches", db_index=False)
    first_row = models.IntegerField()
    created_ids = ArrayField(models.BigIntegerField())
    is_undone = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "first_row"), name="import_batch_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} from row {self.first_row}"
