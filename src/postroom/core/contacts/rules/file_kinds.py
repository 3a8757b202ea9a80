"""Tells by its first octets what kind of file somebody chose, and says what to do with the kinds we do not read."""

from typing import Final

from postroom.core.contacts.errors import BadImport

KIND_SIZE: Final = 8
_ARCHIVE: Final = "Unpack it and import the file inside."
_REFUSED: Final = (
    (b"\xd0\xcf\x11\xe0", "This is an old Excel file (.xls) or a protected one. Save it as .xlsx or CSV."),
    (b"\x1f\x8b", f"This is a compressed file (.gz). {_ARCHIVE}"),
    (b"BZh", f"This is a compressed file (.bz2). {_ARCHIVE}"),
    (b"\xfd7zXZ", f"This is a compressed file (.xz). {_ARCHIVE}"),
    (b"\x28\xb5\x2f\xfd", f"This is a compressed file (.zst). {_ARCHIVE}"),
    (b"7z\xbc\xaf", f"This is a 7-Zip archive. {_ARCHIVE}"),
    (b"Rar!", f"This is a RAR archive. {_ARCHIVE}"),
    (b"%PDF", "This is a PDF. Save the table as CSV or .xlsx."),
    (b"{\\rtf", "This is a text document. Save the table as CSV or .xlsx."),
)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a ZIP archive, as every workbook (.xlsx) is."""
    return head.startswith(_ZIP)


def check_kind(head: bytes) -> None:
    """Raise BadImport when ``head`` begins a file that is no table of ours, with what to do about it."""
    for magic, sentence in _REFUSED:
        if head.startswith(magic):
            raise BadImport(sentence)
