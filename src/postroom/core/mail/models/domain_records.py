"""What the name system said about a domain's records, now and earlier."""

from django.db import models

from postroom.core.mail.models.accounts import Domain
from postroom.core.mail.types import RecordPurpose, RecordStatus


class DomainRecord(models.Model):
    """The last word on one record: what was ``found`` where it should be, and a ``note`` on what is wrong with it."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="records")
    purpose = models.CharField(max_length=12, choices=RecordPurpose)
    name = models.CharField(max_length=320)
    status = models.CharField(max_length=10, choices=RecordStatus)
    found = models.JSONField(default=list)
    note = models.CharField(max_length=1000, blank=True, default="")
    checked_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("domain", "purpose", "name"), name="domain_record_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.status}"


class DomainChange(models.Model):
    """One record that turned from one state into another."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="changes")
    purpose = models.CharField(max_length=12, choices=RecordPurpose)
    name = models.CharField(max_length=320)
    before = models.CharField(max_length=10, choices=RecordStatus)
    after = models.CharField(max_length=10, choices=RecordStatus)
    note = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("domain", "-id"), name="domain_change_latest"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.before}, then {self.after}"
