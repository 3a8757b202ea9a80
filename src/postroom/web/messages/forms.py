"""What a person says when they look for messages."""

from django import forms

from postroom.core.mail.types import MessageClass, MessageSearch, MessageStatus
from postroom.web.messages.words import STATUSES


class SearchForm(forms.Form):
    """What the list is narrowed to; nonsense narrows nothing."""

    q = forms.CharField(required=False, max_length=300)
    status = forms.TypedChoiceField(
        required=False, coerce=MessageStatus, empty_value=None, choices=[("", "Every state"), *STATUSES]
    )
    kind = forms.TypedChoiceField(
        required=False, coerce=MessageClass, empty_value=None, choices=[("", "Every kind"), *MessageClass.choices]
    )
    sender = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    @property
    def search(self) -> MessageSearch:
        """What is looked for, as far as it makes sense."""
        self.is_valid()
        said = self.cleaned_data
        return MessageSearch(
            who=(said.get("q") or "").replace("\0", ""),
            status=said.get("status"),
            message_class=said.get("kind"),
            sender_id=said.get("sender"),
        )
