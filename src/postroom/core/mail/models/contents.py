"""What is sent: templates, frozen contents and their tracked links."""

from django.db import models

from postroom.core.mail.types import BodyFormat
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Template(models.Model):
    """A reusable composition."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=20, default="en")
    subject = models.CharField(max_length=998)
    body_format = models.CharField(max_length=8, choices=BodyFormat, default=BodyFormat.HTML)
    body = models.TextField()
    text = models.TextField(blank=True, default="")
    version = models.IntegerField(default=1)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name", "language"), name="template_once"),)

    def __str__(self) -> str:
        return self.name


class Content(models.Model):
    """A frozen composition: HTML with its links replaced by numbered slots, text, subject. Never edited.

    ``from_name`` is the name it is from, empty for the sender account's own.

    ``digest`` is the SHA-256 of all of it, so an equal composition is stored once per workspace.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="contents")
    digest = models.BinaryField(max_length=32)
    from_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    subject = models.TextField()
    html = models.TextField()
    text = models.TextField()
    tracks_opens = models.BooleanField()
    tracks_clicks = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "digest"), name="content_once"),)

    def __str__(self) -> str:
        return f"content {self.pk}"


class TrackedLink(models.Model):
    """Where link number ``index`` of a content leads; a click token names (message, content, index) and is signed."""

    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="links")
    index = models.IntegerField()
    url = models.TextField()
    label = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("content", "index"), name="tracked_link_once"),)

    def __str__(self) -> str:
        return self.url


class AttachedFile(models.Model):
    """The octets of an attachment, stored once per workspace (``digest`` is their SHA-256)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    size = models.IntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "digest"), name="attached_file_once"),)

    def __str__(self) -> str:
        return f"{self.size} octets"
