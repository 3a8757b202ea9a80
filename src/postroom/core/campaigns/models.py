"""Tables of campaigns."""

from django.db import models

from postroom.core.campaigns.types import CampaignStatus, Metric
from postroom.core.contacts.models import Category, List, Segment
from postroom.core.mail.models import Batch, Content, SenderAccount
from postroom.core.mail.types import BodyFormat
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7


class Campaign(models.Model):
    """One newsletter to an audience: lists, a segment, or everyone of the workspace (neither).

    With ``resend_of`` the audience is whoever got that campaign and neither opened it nor clicked in it
    (``resend_by``). ``local_date`` and ``local_time`` are what the clock shows in each reader's zone when they get it.
    ``made_from`` names the repeating campaign whose run this is. ``document`` (an editor document in JSON) and
    ``source_html`` are what ``body`` was made from, where a program brought them; ``source_subject`` and
    ``source_preheader`` likewise. ``lost_list``: all its lists were deleted since, and who it is for has to be said
    again. With a window, ``batch_size`` people get it every ``batch_window_minutes``.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="campaigns")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200)
    subject = models.CharField(max_length=998, blank=True, default="")
    preheader = models.CharField(max_length=300, blank=True, default="")
    sender_name = models.CharField(max_length=200, blank=True, default="")
    body_format = models.CharField(max_length=8, choices=BodyFormat, default=BodyFormat.HTML)
    body = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    document = models.TextField(blank=True, default="", db_default="")
    source_html = models.TextField(blank=True, default="", db_default="")
    source_subject = models.TextField(blank=True, default="", db_default="")
    source_preheader = models.TextField(blank=True, default="", db_default="")
    from_address = models.CharField(max_length=600, blank=True, default="", db_default="")
    reply_to = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    cc = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    bcc = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    batch_size = models.IntegerField(default=500, db_default=500)
    batch_window_minutes = models.IntegerField(default=0, db_default=0)
    sender = models.ForeignKey(SenderAccount, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, null=True, related_name="+")
    lists = models.ManyToManyField(List, through="CampaignList", related_name="+")
    lost_list = models.BooleanField(default=False, db_default=False)
    status = models.CharField(max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT)
    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    resend_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    resend_by = models.CharField(max_length=6, choices=Metric, blank=True, default="")
    made_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="runs", db_index=False)
    error = models.CharField(max_length=1000, blank=True, default="")
    scheduled_at = models.DateTimeField(null=True)
    local_date = models.DateField(null=True)
    local_time = models.TimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("workspace", "-id"), name="campaign_by_workspace"),
            models.Index(fields=("scheduled_at",), condition=models.Q(status="scheduled"), name="campaign_due"),
            models.Index(
                fields=("made_from", "-id"), condition=models.Q(made_from__isnull=False), name="campaign_by_origin"
            ),
            models.Index(fields=("resend_of",), condition=models.Q(resend_of__isnull=False), name="campaign_by_resent"),
        )

    def __str__(self) -> str:
        return self.name


class CampaignList(models.Model):
    """A list that a campaign is for; protected, so that a list's end never widens an audience to everyone."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    list = models.ForeignKey(List, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("campaign", "list"), name="campaign_list_once"),)

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.list_id}"


class Variant(models.Model):
    """Other words of a campaign, tried out beside its own, which are variant A. Empty texts are the campaign's.

    ``content`` is what it was frozen to.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants", db_index=False)
    letter = models.CharField(max_length=1)
    subject = models.CharField(max_length=998, blank=True, default="")
    preheader = models.CharField(max_length=300, blank=True, default="")
    sender_name = models.CharField(max_length=200, blank=True, default="")
    body = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("campaign", "letter"), name="variant_once"),)

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.letter}"


class Trial(models.Model):
    """How a campaign's variants are tried out and which one won; see ``TrialPlan``.

    ``sampled_at`` is when the last of the sample had been handed over; ``winner`` is empty until it is decided.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="trial")
    percent = models.SmallIntegerField()
    metric = models.CharField(max_length=6, choices=Metric)
    wait_minutes = models.IntegerField(null=True)
    wanted_count = models.IntegerField(null=True)
    sampled_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    winner = models.CharField(max_length=1, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    def __str__(self) -> str:
        return f"trial {self.campaign_id} {self.winner}"


class Recurrence(models.Model):
    """When a repeating campaign runs: a cron expression by the clock of ``zone``; no ``next_at`` while it rests.

    ``ends_on`` is the last day a run may fall on. ``skip_count`` counts the times there was nobody to mail.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="recurrence")
    schedule = models.CharField(max_length=60)
    zone = models.CharField(max_length=64)
    ends_on = models.DateField(null=True)
    most_runs = models.IntegerField(null=True)
    run_count = models.IntegerField(default=0)
    skip_count = models.IntegerField(default=0)
    last_run_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("next_at",), condition=models.Q(next_at__isnull=False), name="recurrence_due"),)

    def __str__(self) -> str:
        return f"{self.schedule} {self.zone}"
