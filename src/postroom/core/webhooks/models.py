"""Webhooks, and the calls of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.webhooks.types import CallStatus, EndpointStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Door
from postroom.kit.ids import uuid7

ANSWER_KEPT = 4096


class Endpoint(models.Model):
    """An address of a customer's that is called when something happens.

    ``event_types`` are in the words of its ``door`` (none: all), ``mail_domains`` in lower case (none: all).
    ``secret`` is encrypted; ``previous_secret`` signs too until ``previous_until``. ``failures`` counts the calls in a
    row that used up their attempts, ``failing_since`` is when the first answer since the last good one went wrong.
    A deliverer holds it as ``owner`` until ``leased_until``: one call at a time.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhooks")
    door = models.CharField(max_length=12, choices=Door)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True, default="")
    event_types = ArrayField(models.CharField(max_length=60), default=list)
    mail_domains = ArrayField(models.CharField(max_length=253), default=list)
    secret = models.TextField()
    previous_secret = models.TextField(blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    status = models.CharField(max_length=8, choices=EndpointStatus, default=EndpointStatus.ACTIVE)
    failures = models.IntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_code = models.IntegerField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    disabled_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=64, blank=True, default="")
    leased_until = models.DateTimeField(null=True)
    served_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class Call(models.Model):
    """One event told to one webhook. ``uid`` is the event's id, the same however often it is told.

    ``data`` is in the core's words; the door writes it down anew for each attempt. ``next_attempt_at`` of one in
    progress is when its deliverer counts as lost.
    """

    uid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="calls", db_constraint=False, db_index=False
    )
    type = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    contact_id = models.BigIntegerField(null=True)
    status = models.CharField(
        max_length=11, choices=CallStatus, default=CallStatus.PENDING, db_default=CallStatus.PENDING
    )
    attempts = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    response_code = models.IntegerField(null=True)
    answer = models.CharField(max_length=ANSWER_KEPT, blank=True, default="", db_default="")
    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    duration_ms = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                "endpoint",
                models.F("attempts").desc(),
                "next_attempt_at",
                condition=models.Q(status__in=("pending", "in_progress")),
                name="webhook_call_due",
            ),
            models.Index(fields=("endpoint", "uid"), name="webhook_call_log"),
            models.Index(
                fields=("endpoint", "uid"),
                condition=models.Q(status__in=("failed", "discarded")),
                name="webhook_call_bad",
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.status}"
