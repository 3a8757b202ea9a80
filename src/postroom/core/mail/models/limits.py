"""How fast mail may leave: limits, what of them is used up, and plans that let a new account grow."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.core.mail.models.accounts import Domain, SenderAccount
from postroom.core.mail.types import Per, WindowZone
from postroom.core.workspaces.models import Workspace
from postroom.kit.ids import uuid7


class Limit(models.Model):
    """At most ``most`` messages ``per`` minute, hour or day (null: any number), and bulk only while a window is open.

    It counts the mail of one ``sender``, of all senders of one ``domain``, or of the workspace; to one ``destination``
    (a mailbox provider or a domain) or, when that is empty, to anywhere. The window opens on ``days`` (1 is Monday,
    none means every day) at ``opens_at`` and shuts at ``closes_at`` (null: midnight), by the clock of ``zone``. An
    ``is_spread`` number per day is spread over the day; one per minute or hour always is.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="limits")
    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, null=True, related_name="limits")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, null=True, related_name="limits")
    destination = models.CharField(max_length=253, blank=True, default="")
    most = models.IntegerField(null=True)
    per = models.CharField(max_length=6, choices=Per, default=Per.HOUR)
    is_spread = models.BooleanField(default=False)
    days = ArrayField(models.SmallIntegerField(), default=list)
    opens_at = models.TimeField(null=True)
    closes_at = models.TimeField(null=True)
    zone = models.CharField(max_length=10, choices=WindowZone, default=WindowZone.WORKSPACE)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"limit {self.most} per {self.per}"


class LimitUse(models.Model):
    """How many messages a limit let go in each of its last slots of time; ``counts`` ends with slot ``newest``.

    ``paced_at``: up to when the messages granted so far fill the time, when they leave evenly.
    """

    limit = models.OneToOneField(Limit, on_delete=models.CASCADE, primary_key=True, related_name="use")
    newest = models.BigIntegerField(default=0)
    counts = ArrayField(models.IntegerField(), default=list)
    paced_at = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return f"use of limit {self.limit_id}"


class WarmUp(models.Model):
    """A plan that lets an account send more every day: ``start``, then ``growth`` percent more a day, up to ``target``.

    ``step`` counts the days it has grown; on a bad day it stands still, and ``note`` says why. ``limit`` is the limit
    that holds the account to the day's cap; ``grown_on`` the day (the workspace's) it was last set for.
    """

    sender = models.OneToOneField(SenderAccount, on_delete=models.CASCADE, related_name="warm_up")
    limit = models.OneToOneField(Limit, on_delete=models.CASCADE, related_name="warm_up")
    start = models.IntegerField()
    growth = models.IntegerField()
    target = models.IntegerField()
    step = models.IntegerField(default=0)
    started_on = models.DateField()
    grown_on = models.DateField()
    note = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"warm-up of {self.sender_id}, step {self.step}"


class WarmUpDay(models.Model):
    """What a warm-up allowed on a day."""

    warm_up = models.ForeignKey(WarmUp, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    cap = models.IntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("warm_up", "day"), name="warm_up_day_once"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.cap}"
