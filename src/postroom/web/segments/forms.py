"""What a segment is called and how its conditions are joined."""

from django import forms

from postroom.web.shared.forms import HouseForm


class SegmentForm(HouseForm):
    """A segment without its conditions, which the builder reads."""

    name = forms.CharField(label="Name", max_length=200)
    match = forms.ChoiceField(
        label="People who match", choices=(("all", "all of these"), ("any", "any of these")), initial="all"
    )
