"""Tables of people: who they are, what they are called, what they agreed to."""

from postroom.core.contacts.models.accounts import Account, AccountContact
from postroom.core.contacts.models.bulk import BulkChange, BulkRun
from postroom.core.contacts.models.consent import Category, Consent, ConsentChange, Suppression
from postroom.core.contacts.models.exports import ExportRun
from postroom.core.contacts.models.fields import Field, TypeChange
from postroom.core.contacts.models.imports import ImportBatch, ImportRowError, ImportRun
from postroom.core.contacts.models.interactions import ContactAlias, Interaction
from postroom.core.contacts.models.lists import List, ListMember
from postroom.core.contacts.models.people import Contact, ContactTag, ContactWorkspace, Tag
from postroom.core.contacts.models.privacy import PrivacyRequest
from postroom.core.contacts.models.segments import Segment, SegmentSize
from postroom.core.contacts.models.suppression_runs import SuppressionRun

__all__ = [
    "Account",
    "AccountContact",
    "BulkChange",
    "BulkRun",
    "Category",
    "Consent",
    "ConsentChange",
    "Contact",
    "ContactAlias",
    "ContactTag",
    "ContactWorkspace",
    "ExportRun",
    "Field",
    "ImportBatch",
    "ImportRowError",
    "ImportRun",
    "Interaction",
    "List",
    "ListMember",
    "PrivacyRequest",
    "Segment",
    "SegmentSize",
    "Suppression",
    "SuppressionRun",
    "Tag",
    "TypeChange",
]
