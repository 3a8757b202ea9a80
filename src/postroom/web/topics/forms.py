"""What a person says about a category of mail."""

from django import forms
from django.utils.text import slugify

from postroom.web.shared.forms import HouseForm


class TopicForm(HouseForm):
    """A category as readers see it."""

    name = forms.CharField(label="Name", max_length=200)
    description = forms.CharField(
        label="Description", max_length=500, required=False, help_text="Readers see it in the preference centre."
    )


class NewTopicForm(TopicForm):
    """A new category; its address for programs is made from its name."""

    def clean_name(self) -> str:
        """Refuse a name that has no letter or digit to make an address of."""
        name = str(self.cleaned_data["name"])
        if not slugify(name):
            raise forms.ValidationError("The name needs a letter or a digit.")
        return name
