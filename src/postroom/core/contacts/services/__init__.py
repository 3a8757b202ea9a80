"""Writes of people, consent, suppression, segments and imports."""

from postroom.core.contacts.services.accounts import (
    create_account,
    delete_account,
    link_account,
    unlink_account,
    update_account,
)
from postroom.core.contacts.services.books import (
    change_book,
    change_book_contact,
    create_book,
    put_book_contacts,
    remove_book_contacts,
)
from postroom.core.contacts.services.bulk import (
    cancel_bulk,
    fail_bulk,
    forget_old_bulk,
    run_bulk,
    run_bulk_undo,
    start_bulk,
    undo_bulk,
)
from postroom.core.contacts.services.categories import (
    create_category,
    delete_category,
    move_category,
    update_category,
)
from postroom.core.contacts.services.confirmations import (
    ask_confirmation,
    ask_confirmations,
    confirm_membership,
    renew_confirmation,
    run_confirmations,
)
from postroom.core.contacts.services.consent import opt_in, opt_out, set_consent
from postroom.core.contacts.services.erasure import erase_contact, finish_erasure
from postroom.core.contacts.services.exports import (
    cancel_export,
    fail_export,
    fetch_export,
    forget_old_exports,
    run_export,
    start_export,
)
from postroom.core.contacts.services.fields import create_field, delete_field, move_field, update_field
from postroom.core.contacts.services.imports import (
    STAGED_FOLDER,
    STAGED_FOR,
    cancel_import,
    fail_import,
    fail_import_undo,
    forget_import_errors,
    forget_served_files,
    forget_staged_uploads,
    run_import,
    run_import_undo,
    start_import,
    undo_import,
)
from postroom.core.contacts.services.interactions import add_interaction, delete_interaction, edit_interaction
from postroom.core.contacts.services.lists import create_list, delete_list, update_list
from postroom.core.contacts.services.loose_ends import remove_loose_ends
from postroom.core.contacts.services.memberships import set_list_member
from postroom.core.contacts.services.merging import merge_contacts
from postroom.core.contacts.services.people import (
    add_contact,
    create_contact,
    delete_contact,
    tag_contact,
    untag_contact,
    update_contact,
)
from postroom.core.contacts.services.preferences import ask_preference_link, save_preferences
from postroom.core.contacts.services.privacy import (
    ask_privacy_link,
    erase_by_link,
    forget_privacy_requests,
    note_data_export,
    take_data,
)
from postroom.core.contacts.services.retyping import change_field_type, fail_type_change, run_type_change
from postroom.core.contacts.services.segment_sizes import measure_due_segments, measure_segment
from postroom.core.contacts.services.segments import create_segment, delete_segment, update_segment
from postroom.core.contacts.services.suppression import (
    lift_suppression,
    suppress_address,
    suppress_addresses,
    unsuppress_address,
)
from postroom.core.contacts.services.suppression_files import (
    fail_suppression_file,
    run_suppression_file,
    start_suppression_file,
    take_suppressions,
)
from postroom.core.contacts.services.wishes import revise_contact

__all__ = [
    "STAGED_FOLDER",
    "STAGED_FOR",
    "add_contact",
    "add_interaction",
    "ask_confirmation",
    "ask_confirmations",
    "ask_preference_link",
    "ask_privacy_link",
    "cancel_bulk",
    "cancel_export",
    "cancel_import",
    "change_book",
    "change_book_contact",
    "change_field_type",
    "confirm_membership",
    "create_account",
    "create_book",
    "create_category",
    "create_contact",
    "create_field",
    "create_list",
    "create_segment",
    "delete_account",
    "delete_category",
    "delete_contact",
    "delete_field",
    "delete_interaction",
    "delete_list",
    "delete_segment",
    "edit_interaction",
    "erase_by_link",
    "erase_contact",
    "fail_bulk",
    "fail_export",
    "fail_import",
    "fail_import_undo",
    "fail_suppression_file",
    "fail_type_change",
    "fetch_export",
    "finish_erasure",
    "forget_import_errors",
    "forget_old_bulk",
    "forget_old_exports",
    "forget_privacy_requests",
    "forget_served_files",
    "forget_staged_uploads",
    "lift_suppression",
    "link_account",
    "measure_due_segments",
    "measure_segment",
    "merge_contacts",
    "move_category",
    "move_field",
    "note_data_export",
    "opt_in",
    "opt_out",
    "put_book_contacts",
    "remove_book_contacts",
    "remove_loose_ends",
    "renew_confirmation",
    "revise_contact",
    "run_bulk",
    "run_bulk_undo",
    "run_confirmations",
    "run_export",
    "run_import",
    "run_import_undo",
    "run_suppression_file",
    "run_type_change",
    "save_preferences",
    "set_consent",
    "set_list_member",
    "start_bulk",
    "start_export",
    "start_import",
    "start_suppression_file",
    "suppress_address",
    "suppress_addresses",
    "tag_contact",
    "take_data",
    "take_suppressions",
    "undo_bulk",
    "undo_import",
    "unlink_account",
    "unsuppress_address",
    "untag_contact",
    "update_account",
    "update_category",
    "update_contact",
    "update_field",
    "update_list",
    "update_segment",
]
