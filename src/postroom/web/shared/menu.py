"""The menu: one entry for each area of the application, in groups."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An area: its word in the address after the workspace, its label, icon and first page."""

    area: str
    label: str
    icon: str
    url_name: str


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """Areas that belong together; the first group stands on top without a heading."""

    label: str
    items: tuple[MenuItem, ...]


MENU: Final = (
    MenuGroup("", (MenuItem("overview", "Overview", "layout-dashboard", "web:overview"),)),
    MenuGroup(
        "People",
        (
            MenuItem("contacts", "Contacts", "users", "web:contacts"),
            MenuItem("companies", "Companies", "building", "web:companies"),
            MenuItem("lists", "Lists", "list-check", "web:lists"),
            MenuItem("topics", "Topics", "mailbox", "web:topics"),
            MenuItem("suppressions", "Suppressions", "ban", "web:suppressions"),
            MenuItem("segments", "Segments", "filter", "web:segments"),
        ),
    ),
    MenuGroup(
        "Data",
        (
            MenuItem("imports", "Imports", "file-import", "web:imports"),
            MenuItem("exports", "Exports", "file-export", "web:exports"),
            MenuItem("fields", "Fields", "forms", "web:fields"),
        ),
    ),
    MenuGroup(
        "Mail",
        (
            MenuItem("campaigns", "Campaigns", "send", "web:campaigns"),
            MenuItem("templates", "Templates", "template", "web:templates"),
            MenuItem("messages", "Messages", "mail", "web:messages"),
            MenuItem("sandbox", "Sandbox mail", "inbox", "web:sandbox"),
            MenuItem("senders", "Senders", "at", "web:senders"),
            MenuItem("domains", "Domains", "lock", "web:domains"),
        ),
    ),
    MenuGroup(
        "Developers",
        (
            MenuItem("start", "Quick start", "rocket", "web:start"),
            MenuItem("keys", "API keys", "key", "web:keys"),
            MenuItem("webhooks", "Webhooks", "webhook", "web:webhooks"),
            MenuItem("connect", "SMTP", "server-2", "web:connect"),
            MenuItem("docs", "API docs", "api", "web:docs"),
        ),
    ),
)
