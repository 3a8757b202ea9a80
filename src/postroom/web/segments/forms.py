"""What a segment is called."""

from django import forms

from postroom.web.shared.forms import HouseForm


class SegmentForm(HouseForm):
    """A segment without its question, which the builder reads."""

    name = forms.CharField(label="Name", max_length=200)
