"""Reads of mail: accounts, templates, the ledger and its counts, the sandbox."""

from postroom.core.mail.selectors.addressees import Addressee, find_addressee, find_workspaces
from postroom.core.mail.selectors.batches import count_batch, get_batch
from postroom.core.mail.selectors.claims import HeldClaims, list_held_claims
from postroom.core.mail.selectors.contents import load_compiled_content, show_message
from postroom.core.mail.selectors.domains import dns_records, get_domain_by_id, list_domains
from postroom.core.mail.selectors.events import list_message_events
from postroom.core.mail.selectors.links import find_link
from postroom.core.mail.selectors.mailings import Mailing, find_mailing
from postroom.core.mail.selectors.messages import get_message, list_messages
from postroom.core.mail.selectors.notices import preview_confirmation
from postroom.core.mail.selectors.sandbox import (
    OpenedMail,
    count_sandbox_mails,
    get_sandbox_mail,
    iter_sandbox_mails,
    list_sandbox_mails,
)
from postroom.core.mail.selectors.senders import get_sender, list_senders, load_sender_profile
from postroom.core.mail.selectors.templates import get_template, list_templates

__all__ = [
    "Addressee",
    "HeldClaims",
    "Mailing",
    "OpenedMail",
    "count_batch",
    "count_sandbox_mails",
    "dns_records",
    "find_addressee",
    "find_link",
    "find_mailing",
    "find_workspaces",
    "get_batch",
    "get_domain_by_id",
    "get_message",
    "get_sandbox_mail",
    "get_sender",
    "get_template",
    "iter_sandbox_mails",
    "list_domains",
    "list_held_claims",
    "list_message_events",
    "list_messages",
    "list_sandbox_mails",
    "list_senders",
    "list_templates",
    "load_compiled_content",
    "load_sender_profile",
    "preview_confirmation",
    "show_message",
]
