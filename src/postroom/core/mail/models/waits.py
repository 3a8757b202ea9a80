"""What the sender processes tell each other: who is there, and where a limit leaves no room for now."""

from django.db import models

from postroom.core.mail.models.accounts import SenderAccount


class LimitWait(models.Model):
    """Until when a limit keeps an account's mail to a destination, and to people of a ``zone``, waiting.

    Claims pass it by until then, so that a long line in front of a limit costs nothing. ``priority`` as of a message.
    """

    sender = models.ForeignKey(SenderAccount, on_delete=models.CASCADE, related_name="limit_waits", db_index=False)
    destination = models.CharField(max_length=253, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    priority = models.SmallIntegerField()
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sender", "destination", "zone", "priority"), name="limit_wait_once"),
        )

    def __str__(self) -> str:
        return f"{self.sender_id} {self.destination} until {self.until:%H:%M}"


class SenderProcess(models.Model):
    """A sender process that said it is there, last at ``seen_at``; ``owner`` is the name its claims are under.

    One that ends well takes its row along, and so does whoever replays a dead one's journal.
    """

    owner = models.CharField(max_length=64, primary_key=True)
    host = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.owner
