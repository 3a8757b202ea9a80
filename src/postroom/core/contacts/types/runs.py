"""Values of long work done by a job, step by step: exports and bulk actions."""

from django.db.models import TextChoices


class RunStatus(TextChoices):
    """The life of long work."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


class PrivacyRequestKind(TextChoices):
    """What a person may ask about their own data."""

    EXPORT = "export"
    ERASURE = "erasure"


class PrivacyRequestStatus(TextChoices):
    """The life of such a request: the link went out, it was used, all of it is done."""

    SENT = "sent"
    USED = "used"
    DONE = "done"
