"""Frozen values and enumerations of the contacts app."""

from postroom.core.contacts.types.consent import (
    ConsentState,
    Fence,
    MailState,
    MemberStatus,
    OptOutScope,
    SuppressionReason,
    SuppressionScope,
    Verdict,
)
from postroom.core.contacts.types.fields import FieldScope, FieldSpec, FieldType, NewField
from postroom.core.contacts.types.files import CsvFormat, CsvSample, ExportFormat, ImportMapping, ImportStatus, Upload
from postroom.core.contacts.types.people import (
    ContactChanges,
    ContactOrder,
    InteractionType,
    NewContact,
    Selection,
    SubscriptionStatus,
    Wishes,
)
from postroom.core.contacts.types.runs import PrivacyRequestKind, PrivacyRequestStatus, RunStatus
from postroom.core.contacts.types.segments import Audience, SegmentPreview

__all__ = [
    "Audience",
    "ConsentState",
    "ContactChanges",
    "ContactOrder",
    "CsvFormat",
    "CsvSample",
    "ExportFormat",
    "Fence",
    "FieldScope",
    "FieldSpec",
    "FieldType",
    "ImportMapping",
    "ImportStatus",
    "InteractionType",
    "MailState",
    "MemberStatus",
    "NewContact",
    "NewField",
    "OptOutScope",
    "PrivacyRequestKind",
    "PrivacyRequestStatus",
    "RunStatus",
    "SegmentPreview",
    "Selection",
    "SubscriptionStatus",
    "SuppressionReason",
    "SuppressionScope",
    "Upload",
    "Verdict",
    "Wishes",
]
