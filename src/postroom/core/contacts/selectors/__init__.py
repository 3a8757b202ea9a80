"""Reads of people, consent, suppression, segments and imports."""

from postroom.core.contacts.selectors.accounts import (
    get_account,
    list_account_interactions,
    list_account_people,
    list_accounts,
    suggest_accounts,
)
from postroom.core.contacts.selectors.aliases import list_former_addresses, list_person_ids
from postroom.core.contacts.selectors.arrivals import find_bringing_import
from postroom.core.contacts.selectors.audience import (
    count_audience,
    count_audience_domains,
    count_audience_zones,
    has_audience,
    iter_audience,
)
from postroom.core.contacts.selectors.books import (
    MAX_BOOK_PAGE,
    count_book,
    find_mailable,
    get_book_contact,
    list_book_contacts,
    list_books,
    page_book_contacts,
)
from postroom.core.contacts.selectors.bulk import can_undo_bulk, forecast_bulk, get_bulk, list_bulk
from postroom.core.contacts.selectors.cards import CategoryWord, ContactCard, describe_contact
from postroom.core.contacts.selectors.clear_people import find_clear_people, load_clear_profiles
from postroom.core.contacts.selectors.confirmations import describe_confirmation
from postroom.core.contacts.selectors.consents import list_consent_history, load_consents
from postroom.core.contacts.selectors.directory import (
    Shown,
    Stretch,
    browse_contacts,
    count_people,
    list_contacts,
)
from postroom.core.contacts.selectors.explaining import explain_membership
from postroom.core.contacts.selectors.exports import get_export, is_export_ready, list_exports
from postroom.core.contacts.selectors.fields import find_type_change, get_field, list_field_specs, list_fields
from postroom.core.contacts.selectors.forecasts import forecast_import
from postroom.core.contacts.selectors.import_undo import forecast_undo
from postroom.core.contacts.selectors.imports import (
    find_earlier_import,
    get_import,
    iter_error_file,
    list_import_errors,
    list_imports,
    read_sample,
)
from postroom.core.contacts.selectors.interactions import get_interaction, list_interactions, visible_interactions
from postroom.core.contacts.selectors.lists import (
    count_consents,
    count_members,
    get_category,
    get_category_by_uid,
    get_list,
    get_list_by_uid,
    list_categories,
    list_lists,
    list_tags,
    list_terms,
    list_waiting,
)
from postroom.core.contacts.selectors.mail_states import load_address_states, load_mail_states, load_states
from postroom.core.contacts.selectors.merging import Duplicate, MergePreview, find_duplicates, preview_merge
from postroom.core.contacts.selectors.people import (
    get_contact,
    load_profiles,
)
from postroom.core.contacts.selectors.preferences import describe_preferences
from postroom.core.contacts.selectors.privacy import find_privacy_request
from postroom.core.contacts.selectors.segment_uses import (
    segments_using_field,
    segments_using_list,
)
from postroom.core.contacts.selectors.segments import (
    count_segment,
    get_segment,
    get_segment_by_id,
    list_segment_sizes,
    list_segments,
    preview_segment,
    segment_time_limit,
)
from postroom.core.contacts.selectors.selections import select_people
from postroom.core.contacts.selectors.sheets import open_sheets
from postroom.core.contacts.selectors.suppression_files import (
    get_suppression_run,
    iter_suppression_file,
    list_suppression_runs,
)
from postroom.core.contacts.selectors.suppressions import get_suppression, iter_suppressions, list_suppressions

__all__ = [
    "MAX_BOOK_PAGE",
    "CategoryWord",
    "ContactCard",
    "Duplicate",
    "MergePreview",
    "Shown",
    "Stretch",
    "browse_contacts",
    "can_undo_bulk",
    "count_audience",
    "count_audience_domains",
    "count_audience_zones",
    "count_book",
    "count_consents",
    "count_members",
    "count_people",
    "count_segment",
    "describe_confirmation",
    "describe_contact",
    "describe_preferences",
    "explain_membership",
    "find_bringing_import",
    "find_clear_people",
    "find_duplicates",
    "find_earlier_import",
    "find_mailable",
    "find_privacy_request",
    "find_type_change",
    "forecast_bulk",
    "forecast_import",
    "forecast_undo",
    "get_account",
    "get_book_contact",
    "get_bulk",
    "get_category",
    "get_category_by_uid",
    "get_contact",
    "get_export",
    "get_field",
    "get_import",
    "get_interaction",
    "get_list",
    "get_list_by_uid",
    "get_segment",
    "get_segment_by_id",
    "get_suppression",
    "get_suppression_run",
    "has_audience",
    "is_export_ready",
    "iter_audience",
    "iter_error_file",
    "iter_suppression_file",
    "iter_suppressions",
    "list_account_interactions",
    "list_account_people",
    "list_accounts",
    "list_book_contacts",
    "list_books",
    "list_bulk",
    "list_categories",
    "list_consent_history",
    "list_contacts",
    "list_exports",
    "list_field_specs",
    "list_fields",
    "list_former_addresses",
    "list_import_errors",
    "list_imports",
    "list_interactions",
    "list_lists",
    "list_person_ids",
    "list_segment_sizes",
    "list_segments",
    "list_suppression_runs",
    "list_suppressions",
    "list_tags",
    "list_terms",
    "list_waiting",
    "load_address_states",
    "load_clear_profiles",
    "load_consents",
    "load_mail_states",
    "load_profiles",
    "load_states",
    "open_sheets",
    "page_book_contacts",
    "preview_merge",
    "preview_segment",
    "read_sample",
    "segment_time_limit",
    "segments_using_field",
    "segments_using_list",
    "select_people",
    "suggest_accounts",
    "visible_interactions",
]
