"""What may go wrong with people, said so that a person understands."""

from postroom.kit.errors import Conflict, Invalid, NotFound


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
    """The filter takes too long to preview; make it simpler."""

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


class NoSuchTag(NotFound):
    """There is no such tag in this workspace."""

    code = "no_such_tag"


class NoSuchSegment(NotFound):
    """There is no such segment in this workspace."""

    code = "no_such_segment"


class NoSuchImport(NotFound):
    """There is no such import in this workspace."""

    code = "no_such_import"


class BadRow(Invalid):
    """A row of a file cannot become a contact; ``column`` is the header it is about, empty for the row as a whole."""

    code = "bad_row"

    def __init__(self, message: str, /, *, column: str = "") -> None:
        super().__init__(message, column=column)
        self.column = column
