"""Counts that are kept while things happen, so that nobody ever counts a million messages for a page."""

from django.db import models

from postroom.core.mail.models.accounts import SenderAccount
from postroom.core.mail.models.batches import Batch
from postroom.core.mail.models.contents import Content
from postroom.core.workspaces.models import Workspace


class Tally(models.Model):
    """How many messages of a batch are in which state, by destination and content: the sum of all rows of the batch.

    Triggers on the ledger append a row with the differences in the transaction that makes them (``booked`` is how many
    messages appeared), so nobody waits for anybody; ``fold_tallies`` adds them up now and then.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    destination = models.CharField(max_length=253)
    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    is_folded = models.BooleanField(default=False, db_default=False)
    booked = models.IntegerField(default=0, db_default=0)
    handed_over = models.IntegerField(default=0, db_default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    bounced = models.IntegerField(default=0, db_default=0)
    bounced_later = models.IntegerField(default=0, db_default=0)
    waiting = models.IntegerField(default=0, db_default=0)
    in_doubt = models.IntegerField(default=0, db_default=0)
    failed = models.IntegerField(default=0, db_default=0)
    suppressed = models.IntegerField(default=0, db_default=0)
    cancelled = models.IntegerField(default=0, db_default=0)
    opened = models.IntegerField(default=0, db_default=0)
    machine_opened = models.IntegerField(default=0, db_default=0)
    clicked = models.IntegerField(default=0, db_default=0)
    scanner_clicked = models.IntegerField(default=0, db_default=0)
    complained = models.IntegerField(default=0, db_default=0)
    unsubscribed = models.IntegerField(default=0, db_default=0)
    replied = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "destination", "content"), condition=models.Q(is_folded=True), name="tally_folded"
            ),
        )
        indexes = (models.Index(fields=("id",), condition=models.Q(is_folded=False), name="tally_loose"),)

    def __str__(self) -> str:
        return f"{self.batch_id} {self.destination}: {self.booked}"


class Pace(models.Model):
    """What happened to a workspace's messages of one sender account in the quarter of an hour that begins at ``at``,
    tests left out; kept like ``Tally``. Every time zone's day is made of whole quarters. Without a ``sender`` it is
    what was counted before accounts were told apart.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    sender = models.ForeignKey(
        SenderAccount, on_delete=models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    at = models.DateTimeField()
    is_folded = models.BooleanField(default=False, db_default=False)
    sent = models.IntegerField(default=0, db_default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    opened = models.IntegerField(default=0, db_default=0)
    clicked = models.IntegerField(default=0, db_default=0)
    bounced = models.IntegerField(default=0, db_default=0)
    complained = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "sender", "at"),
                condition=models.Q(is_folded=True),
                name="pace_folded",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=("workspace", "at"), name="pace_by_workspace"),
            models.Index(fields=("id",), condition=models.Q(is_folded=False), name="pace_loose"),
        )

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.at:%Y-%m-%d %H:%M}: {self.sent}"


class BatchPace(models.Model):
    """Opens and clicks of a batch in the quarter of an hour that begins at ``at``, each time counted; appended with the
    events themselves, and folded like ``Tally``.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    at = models.DateTimeField()
    is_folded = models.BooleanField(default=False, db_default=False)
    opened = models.IntegerField(default=0, db_default=0)
    machine_opened = models.IntegerField(default=0, db_default=0)
    clicked = models.IntegerField(default=0, db_default=0)
    scanner_clicked = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "at"), condition=models.Q(is_folded=True), name="batch_pace_folded"
            ),
        )
        indexes = (
            models.Index(fields=("batch", "at"), name="batch_pace_by_batch"),
            models.Index(fields=("id",), condition=models.Q(is_folded=False), name="batch_pace_loose"),
        )

    def __str__(self) -> str:
        return f"{self.batch_id} {self.at:%Y-%m-%d %H:%M}: {self.opened}"


class LinkTally(models.Model):
    """How often a link of a batch's content was followed, by how many ``people``, and by scanners; kept like
    ``BatchPace``.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    link_index = models.IntegerField()
    is_folded = models.BooleanField(default=False, db_default=False)
    clicks = models.IntegerField(default=0, db_default=0)
    people = models.IntegerField(default=0, db_default=0)
    scanner_clicks = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "content", "link_index"),
                condition=models.Q(is_folded=True),
                name="link_tally_folded",
            ),
        )
        indexes = (models.Index(fields=("id",), condition=models.Q(is_folded=False), name="link_tally_loose"),)

    def __str__(self) -> str:
        return f"{self.batch_id} link {self.link_index}: {self.clicks}"
