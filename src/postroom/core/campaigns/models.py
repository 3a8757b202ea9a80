"""Tables of campaigns."""

from django.db import models

from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts.models import Category, List, Segment
from postroom.core.mail.models import Batch, SenderAccount
from postroom.core.mail.types import BodyFormat
from postroom.core.workspaces.models import User, Workspace
from postroom.kit.ids import uuid7


class Campaign(models.Model):
    """One newsletter to an audience: lists, a segment, or everyone of the workspace (neither)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="campaigns")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200)
    subject = models.CharField(max_length=998, blank=True, default="")
    preheader = models.CharField(max_length=300, blank=True, default="")
    body_format = models.CharField(max_length=8, choices=BodyFormat, default=BodyFormat.HTML)
    body = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    sender = models.ForeignKey(SenderAccount, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, null=True, related_name="+")
    lists = models.ManyToManyField(List, through="CampaignList", related_name="+")
    status = models.CharField(max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT)
    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    error = models.CharField(max_length=1000, blank=True, default="")
    scheduled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("workspace", "-id"), name="campaign_by_workspace"),
            models.Index(fields=("scheduled_at",), condition=models.Q(status="scheduled"), name="campaign_due"),
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
