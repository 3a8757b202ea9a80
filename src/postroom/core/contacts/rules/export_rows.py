"""Writes values of people as cells of a file: typed, readable again, and never a formula."""

import json
from decimal import Decimal
from typing import Final

from postroom.core.contacts.rules.cell_lists import join_cells
from postroom.core.contacts.rules.formulas import neutralise
from postroom.kit.types import JSONValue

Cell = str | int | float
_EXACT: Final = 10**15
"""Whole numbers beyond this are no longer exact in a spreadsheet, which calculates in doubles (IEEE 754)."""


def value_cell(value: JSONValue) -> Cell:
    """Return a custom value as a cell: numbers as numbers, everything else as a text that an import reads again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, (int, float)):
        return _number_cell(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return neutralise(join_cells(map(str, value)))
    return neutralise(json.dumps(value, ensure_ascii=False))


def _number_cell(number: float) -> Cell:
    """Return a number as it is, or as a text where a spreadsheet would round it or write it with an exponent: many
    readers, ours too, take ``1e5`` for a text.
    """
    if isinstance(number, int):
        return number if abs(number) <= _EXACT else str(number)
    text = repr(number)
    return format(Decimal(text), "f") if "e" in text else number
