"""What a person says when they look for messages."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django import forms
from django.utils import timezone

from postroom.core.mail.types import MessageClass, MessageFact, MessageSearch, MessageStatus
from postroom.web.messages.words import FACTS, STATUSES
from postroom.web.shared.forms import HouseForm

_MOST: Final = 2**63 - 1


class SearchForm(forms.Form):
    """What the list is narrowed to; nonsense narrows nothing."""

    q = forms.CharField(required=False, max_length=300)
    status = forms.ChoiceField(required=False, choices=[("", "Every state"), *STATUSES, *FACTS])
    kind = forms.TypedChoiceField(
        required=False, coerce=MessageClass, empty_value=None, choices=[("", "Every kind"), *MessageClass.choices]
    )
    sender = forms.IntegerField(required=False, min_value=1, max_value=_MOST)
    domain = forms.IntegerField(required=False, min_value=1, max_value=_MOST)
    key = forms.IntegerField(required=False, min_value=1, max_value=_MOST)
    subject = forms.CharField(required=False, max_length=300)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    @property
    def search(self) -> MessageSearch:
        """What is looked for, as far as it makes sense; days are those of the workspace."""
        self.is_valid()
        said = self.cleaned_data
        status = said.get("status") or ""
        return MessageSearch(
            who=(said.get("q") or "").replace("\0", ""),
            status=MessageStatus(status) if status in MessageStatus.values else None,
            fact=MessageFact(status) if status in MessageFact.values else None,
            message_class=said.get("kind"),
            sender_id=said.get("sender"),
            domain_id=said.get("domain"),
            api_key_id=said.get("key"),
            subject=(said.get("subject") or "").replace("\0", ""),
            since=_start_of(said.get("since")),
            until=_start_of(said.get("until"), days=1),
        )


class RescheduleForm(HouseForm):
    """When a waiting message goes out instead, in the workspace's own time."""

    at = forms.DateTimeField(
        label="Send it at",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


def _start_of(on: date | None, *, days: int = 0) -> datetime | None:
    """Return when a day, or the one so many days later, begins in the workspace; None for odd days."""
    if on is None or not date(1970, 1, 1) <= on < date(9000, 1, 1):
        return None
    return timezone.make_aware(datetime.combine(on + timedelta(days=days), time.min))
