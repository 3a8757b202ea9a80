"""What may go wrong with people, said so that a person understands."""

from postroom.kit.errors import Conflict, Invalid, NotFound, NotPermitted


class BadAddress(Invalid):
    """That is not an e-mail address."""

    code = "bad_address"


class BadValue(Invalid):
    """A value does not fit its field."""

    code = "bad_value"


class BadContact(Invalid):
    """A person needs an e-mail address or a name."""

    code = "bad_contact"


class BadField(Invalid):
    """A field cannot be defined like this."""

    code = "bad_field"


class BadFilter(Invalid):
    """A segment's filter cannot be understood; never read as "everyone"."""

    code = "bad_filter"


class BadExport(Invalid):
    """The people cannot be written to a file like this."""

    code = "bad_export"


class BadImport(Invalid):
    """The file or its mapping cannot be imported."""

    code = "bad_import"


class ContactExists(Conflict):
    """There is already a person with this address; ``uid`` names them."""

    code = "contact_exists"


class NameTaken(Conflict):
    """There is already one of this name."""

    code = "name_taken"


class SegmentInUse(Conflict):
    """A campaign uses this segment."""

    code = "segment_in_use"


class SegmentTooSlow(Invalid):
    """The segment takes too long to count; fewer conditions, or fewer about mail, make it quicker."""

    code = "segment_too_slow"


class NoSuchContact(NotFound):
    """There is no such person in this workspace."""

    code = "no_such_contact"


class NoSuchList(NotFound):
    """There is no such list in this workspace."""

    code = "no_such_list"


class NoSuchCategory(NotFound):
    """There is no such category in this workspace."""

    code = "no_such_category"


class NoSuchSegment(NotFound):
    """There is no such segment in this workspace."""

    code = "no_such_segment"


class ExportOver(Conflict):
    """The export has ended already."""

    code = "export_over"


class ExportGone(Conflict):
    """The file is not there (any more); make a new export."""

    code = "export_gone"


class PrivacyLinkGone(Conflict):
    """This link was used already, or it has expired."""

    code = "privacy_link_gone"


class NoSuchPrivacyLink(NotFound):
    """This link leads nowhere."""

    code = "no_such_privacy_link"


class NoSuchExport(NotFound):
    """There is no such export in this workspace."""

    code = "no_such_export"


class BadBulk(Invalid):
    """That cannot be done to many people at once."""

    code = "bad_bulk"


class BulkChanged(Conflict):
    """Another number of people is selected than was confirmed."""

    code = "bulk_changed"


class BulkOver(Conflict):
    """The bulk action is not at a point where that could be done."""

    code = "bulk_over"


class NoSuchBulk(NotFound):
    """There is no such bulk action in this workspace."""

    code = "no_such_bulk"


class NoSuchImport(NotFound):
    """There is no such import in this workspace."""

    code = "no_such_import"


class BadRow(Invalid):
    """A row of a file cannot become a contact; ``column`` is the header it is about, empty for the row as a whole."""

    code = "bad_row"

    def __init__(self, message: str, /, *, column: str = "") -> None:
        super().__init__(message, column=column)
        self.column = column


class NoSuchSuppression(NotFound):
    """There is no such suppression here."""

    code = "no_such_suppression"


class SuppressionGuarded(Conflict):
    """Lifting this suppression needs to be confirmed."""

    code = "suppression_guarded"


class SuppressionFinal(Conflict):
    """This address was erased at its owner's wish; that is never lifted."""

    code = "suppression_final"


class BadMerge(Invalid):
    """These two cannot be merged like this."""

    code = "bad_merge"


class BadTypeChange(Conflict):
    """The field cannot be given that type now."""

    code = "bad_type_change"


class FieldInUse(Conflict):
    """A segment asks for this field."""

    code = "field_in_use"


class NotYourInteraction(NotPermitted):
    """Only who wrote a note, or an administrator, may change it."""

    code = "not_your_interaction"


class NoSuchAccount(NotFound):
    """There is no such company in this workspace."""

    code = "no_such_account"


class NoSuchField(NotFound):
    """There is no such field in this workspace."""

    code = "no_such_field"


class NoSuchInteraction(NotFound):
    """There is no such note in this workspace."""

    code = "no_such_interaction"


class ConfirmationNotWanted(Conflict):
    """There is nothing to confirm."""

    code = "confirmation_not_wanted"


class ConfirmationTooSoon(Conflict):
    """A confirmation went out a moment ago."""

    code = "confirmation_too_soon"


class ListInUse(Conflict):
    """A campaign or a segment uses this list."""

    code = "list_in_use"


class CategoryInUse(Conflict):
    """A campaign uses this category."""

    code = "category_in_use"


class ImportOver(Conflict):
    """The import is not at a point where that could be done."""

    code = "import_over"
