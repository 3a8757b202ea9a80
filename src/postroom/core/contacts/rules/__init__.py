"""Decisions about people that need no database."""

from postroom.core.contacts.rules.address_lists import read_addresses
from postroom.core.contacts.rules.addresses import mask_email, normalise_email
from postroom.core.contacts.rules.consent import may_we_mail
from postroom.core.contacts.rules.field_keys import field_key
from postroom.core.contacts.rules.filter_language import CORE_FIELDS, MAX_CONDITIONS, OPERATORS, RESERVED_KEYS, Filter
from postroom.core.contacts.rules.filter_links import Names, Room, names_in
from postroom.core.contacts.rules.filter_sql import compile_filter
from postroom.core.contacts.rules.filters import parse_filter
from postroom.core.contacts.rules.merging import list_choices
from postroom.core.contacts.rules.search import search_query, search_words
from postroom.core.contacts.rules.selections import parse_selection, selection_json
from postroom.core.contacts.rules.texts import clean_line, clean_text
from postroom.core.contacts.rules.values import guess_type, parse_custom, parse_value

__all__ = [
    "CORE_FIELDS",
    "MAX_CONDITIONS",
    "OPERATORS",
    "RESERVED_KEYS",
    "Filter",
    "Names",
    "Room",
    "clean_line",
    "clean_text",
    "compile_filter",
    "field_key",
    "guess_type",
    "list_choices",
    "mask_email",
    "may_we_mail",
    "names_in",
    "normalise_email",
    "parse_custom",
    "parse_filter",
    "parse_selection",
    "parse_value",
    "read_addresses",
    "search_query",
    "search_words",
    "selection_json",
]
