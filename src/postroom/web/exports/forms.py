"""What a person says about an export: in which format. Of which people, the address of the page says."""

from django import forms

from postroom.core.contacts.types import ExportFormat
from postroom.web.shared.forms import HouseForm


class ExportForm(HouseForm):
    """The format; the people come with the address of the page."""

    format = forms.ChoiceField(
        label="Format",
        initial=ExportFormat.CSV,
        widget=forms.RadioSelect,
        choices=[
            (ExportFormat.CSV, "CSV: every program reads it, any number of people"),
            (ExportFormat.XLSX, "Excel workbook (XLSX): at most 1,048,575 people"),
        ],
    )
