"""Keeps texts of strangers from being run as formulas by a spreadsheet: an apostrophe goes on, and off again."""

import re
from typing import Final

# What begins a formula in Excel, LibreOffice or Google Sheets, full-width forms too, also behind what these drop.
_DROPPED: Final = r"\s'\"\u200b-\u200f\u2060\ufeff"  # quotes, spaces and invisible marks
_FORMULA: Final = re.compile(rf"[{_DROPPED}]*(?:[=+\-@\uff1d\uff0b\uff0d\uff20]|(?<=[\t\r]))")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PHONE: Final = re.compile(r"\+[0-9][0-9 ()./-]*")


def neutralise(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers and phone numbers stay as they are.

    ``restore`` gives back exactly what was given here. See OWASP, "CSV Injection".
    """
    if not cell or cell[0].isalnum():
        return cell  # as most do
    return f"'{cell}" if _is_risky(cell) else cell


def restore(cell: str) -> str:
    """Return the cell without the apostrophe that ``neutralise``, or a person, put before a formula or a number."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell


def _is_risky(cell: str) -> bool:
    return bool(_FORMULA.match(cell)) and not (_NUMBER.fullmatch(cell) or _PHONE.fullmatch(cell))
