"""What a person says about a list or a category of mail."""

from django import forms
from django.utils.text import slugify

from postroom.web.shared.forms import HouseForm


class ListForm(HouseForm):
    """A new list."""

    name = forms.CharField(label="Name", max_length=200)


class CategoryForm(HouseForm):
    """A new category; its address is made from its name."""

    name = forms.CharField(label="Name", max_length=200)

    def clean_name(self) -> str:
        """Refuse a name that has no letter or digit to make an address of."""
        name = str(self.cleaned_data["name"])
        if not slugify(name):
            raise forms.ValidationError("The name needs a letter or a digit.")
        return name
