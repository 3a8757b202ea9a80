"""Frozen values and enumerations of the contacts app."""

from postroom.core.contacts.types.consent import (
    ConfirmLink,
    ConsentState,
    Fence,
    Lift,
    MailState,
    MemberStatus,
    NewSuppression,
    OptOutScope,
    ReaderLink,
    SuppressionReason,
    SuppressionScope,
    Verdict,
)
from postroom.core.contacts.types.fields import FieldScope, FieldSpec, FieldType, NewField
from postroom.core.contacts.types.files import CsvFormat, CsvSample, ExportFormat, ImportMapping, ImportStatus, Upload
from postroom.core.contacts.types.forecasts import (
    Fate,
    FieldChange,
    ForecastError,
    ForecastRow,
    ImportForecast,
    UploadSheet,
)
from postroom.core.contacts.types.interactions import NewInteraction
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
    "ConfirmLink",
    "ConsentState",
    "ContactChanges",
    "ContactOrder",
    "CsvFormat",
    "CsvSample",
    "ExportFormat",
    "Fate",
    "Fence",
    "FieldChange",
    "FieldScope",
    "FieldSpec",
    "FieldType",
    "ForecastError",
    "ForecastRow",
    "ImportForecast",
    "ImportMapping",
    "ImportStatus",
    "InteractionType",
    "Lift",
    "MailState",
    "MemberStatus",
    "NewContact",
    "NewField",
    "NewInteraction",
    "NewSuppression",
    "OptOutScope",
    "PrivacyRequestKind",
    "PrivacyRequestStatus",
    "ReaderLink",
    "RunStatus",
    "SegmentPreview",
    "Selection",
    "SubscriptionStatus",
    "SuppressionReason",
    "SuppressionScope",
    "Upload",
    "UploadSheet",
    "Verdict",
    "Wishes",
]
