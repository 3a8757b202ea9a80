"""The menu: one entry for each area of the application."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An area: its word in the address after the workspace, its label, icon and first page."""

    area: str
    label: str
    icon: str
    url_name: str


MENU: Final = (
    MenuItem("overview", "Overview", "layout-dashboard", "web:overview"),
    MenuItem("contacts", "Contacts", "users", "web:contacts"),
    MenuItem("lists", "Lists", "list-check", "web:lists"),
    MenuItem("segments", "Segments", "filter", "web:segments"),
    MenuItem("imports", "Imports", "file-import", "web:imports"),
    MenuItem("campaigns", "Campaigns", "send", "web:campaigns"),
    MenuItem("sandbox", "Sandbox mail", "inbox", "web:sandbox"),
    MenuItem("senders", "Senders", "at", "web:senders"),
)
