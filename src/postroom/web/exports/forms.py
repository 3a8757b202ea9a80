"""What a person says about an export: of which people, in which format."""

from django import forms
from django.http import QueryDict

from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.types import ExportFormat, Selection
from postroom.kit.ids import parse_uuid
from postroom.web.shared.forms import HouseForm
from postroom.web.shared.query import whole_number


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


def read_selection(query: QueryDict) -> Selection:
    """Return the people an address names, in the words of the contact table: ``q``, ``tag``, ``list``, ``segment``, and
    ``uid`` for each of those picked one by one. Raises NoSuchContact for uids that are none: never read as "everybody".
    """
    uids = tuple(str(uid) for text in query.getlist("uid") if (uid := parse_uuid(text)))
    if "uid" in query and not uids:
        raise NoSuchContact
    return Selection(
        uids=uids,
        search=query.get("q", ""),
        tag=query.get("tag", ""),
        list_id=whole_number(query.get("list")),
        segment_id=whole_number(query.get("segment")),
    )
