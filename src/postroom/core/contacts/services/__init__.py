"""Writes of people, consent, suppression, segments and imports."""

from postroom.core.contacts.services.consent import create_category, opt_out, set_consent
from postroom.core.contacts.services.exports import (
    cancel_export,
    fail_export,
    fetch_export,
    forget_old_exports,
    run_export,
    start_export,
)
from postroom.core.contacts.services.fields import create_field
from postroom.core.contacts.services.imports import fail_import, run_import, start_import
from postroom.core.contacts.services.interactions import add_interaction, delete_interaction, edit_interaction
from postroom.core.contacts.services.lists import create_list, set_list_member
from postroom.core.contacts.services.people import (
    add_contact,
    create_contact,
    delete_contact,
    tag_contact,
    untag_contact,
    update_contact,
)
from postroom.core.contacts.services.segments import create_segment, delete_segment, update_segment
from postroom.core.contacts.services.suppression import (
    lift_suppression,
    suppress_address,
    suppress_addresses,
    unsuppress_address,
)
from postroom.core.contacts.services.wishes import revise_contact

__all__ = [
    "add_contact",
    "add_interaction",
    "cancel_export",
    "create_category",
    "create_contact",
    "create_field",
    "create_list",
    "create_segment",
    "delete_contact",
    "delete_interaction",
    "delete_segment",
    "edit_interaction",
    "fail_export",
    "fail_import",
    "fetch_export",
    "forget_old_exports",
    "lift_suppression",
    "opt_out",
    "revise_contact",
    "run_export",
    "run_import",
    "set_consent",
    "set_list_member",
    "start_export",
    "start_import",
    "suppress_address",
    "suppress_addresses",
    "tag_contact",
    "unsuppress_address",
    "untag_contact",
    "update_contact",
    "update_segment",
]
