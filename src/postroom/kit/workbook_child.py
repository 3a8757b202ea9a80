"""The child that reads a workbook: limits itself, looks at the archive, writes each sheet as CSV, says what it did.

A workbook is a ZIP of XML that a stranger made; a megabyte of it may unfold to gigabytes. So nothing of it is opened
outside this process, which may use so much memory and processor time and no more.
"""

import csv
import json
import os
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Final

from postroom.kit.processes import die_with_parent

MAX_MEMBERS: Final = 2_000
MAX_DIRECTORY: Final = 512 * 1024
"""Octets of the archive's directory, which is read whole."""
MAX_UNPACKED: Final = 400 * 1024 * 1024
MAX_RATIO: Final = 60
RATIO_FROM: Final = 4 * 1024 * 1024
"""Octets from which the ratio counts: short texts of equal lines are packed tightly and harm nobody."""
MAX_CELL: Final = 32_767
"""Characters of one cell, as Excel's own specification has it."""
MAX_SHEETS: Final = 50
MAX_WRITTEN: Final = 1024 * 1024 * 1024
_TAIL: Final = 22 + 65_535
_TOO_MANY: Final = "The workbook has more parts than any table has."
_NEEDED: Final = "xl/workbook.xml"

Cell = str | int | float | bool | datetime | date | time | timedelta | None


class _Refused(Exception):
    pass


def limit_ourselves(memory: int, cpu_s: int) -> None:
    """Give this process ``memory`` octets of address space, ``cpu_s`` seconds of processor, and no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN, MAX_WRITTEN))


def check_archive(path: str) -> None:
    """Refuse what is no workbook, and what would unfold beyond measure, before anything is unpacked."""
    _check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _Refused("The workbook is damaged: its archive cannot be read.") from error
    names = {member.filename for member in members}
    if _NEEDED not in names:
        raise _Refused(_say_what_it_is(names))
    if len(members) > MAX_MEMBERS:
        raise _Refused(_TOO_MANY)
    for member in members:
        _check_member(member)
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise _Refused("The workbook is too large when unpacked. Save the sheet as a CSV file and import that.")


def _check_directory(path: str) -> None:
    """Refuse a directory of unlikely size (APPNOTE.TXT 4.3.16); a larger one than it says ends at our own limits."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - _TAIL))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end >= 0 and int.from_bytes(tail[end + 12 : end + 16], "little") > MAX_DIRECTORY:
        raise _Refused(_TOO_MANY)


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
        raise _Refused("The workbook names a file outside itself.")
    if member.flag_bits & 1:
        raise _Refused("The workbook is protected by a password. Save it without one.")
    if member.file_size > max(RATIO_FROM, MAX_RATIO * member.compress_size):
        raise _Refused("The workbook unfolds to many times its size, which no table does.")


def _say_what_it_is(names: set[str]) -> str:
    if "xl/workbook.bin" in names:
        return "This is a binary workbook (.xlsb). Save it as .xlsx or CSV."
    if "mimetype" in names and "content.xml" in names:
        return "This is an OpenDocument file (.ods). Save it as .xlsx or CSV."
    return "This is a ZIP archive and no workbook. Unpack it and import the file inside."


def convert(path: str, folder: Path) -> list[dict[str, str]]:
    """Write every sheet that holds something as ``<number>.csv`` into ``folder``; return their names and files."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum  # loads inside the limits

    try:
        book = CalamineWorkbook.from_path(path)
        tables = [sheet.name for sheet in book.sheets_metadata if sheet.typ is SheetTypeEnum.WorkSheet]
        if len(tables) > MAX_SHEETS:
            raise _Refused(f"The workbook has {len(tables)} sheets; at most {MAX_SHEETS} are read.")
        found = []
        for number, name in enumerate(tables, start=1):
            if _write_sheet(folder / f"{number}.csv", book.get_sheet_by_name(name).iter_rows):
                found.append({"name": name, "file": f"{number}.csv"})
    except CalamineError as error:
        raise _Refused("The workbook is damaged: it cannot be read.") from error
    if not found:
        raise _Refused("The workbook is empty.")
    return found


def _write_sheet(path: Path, rows: Callable[[], Iterable[Sequence[Cell]]]) -> bool:
    """Write the rows that hold something; False, and no file, when there are none."""
    lines = _lines(rows())
    first = next(lines, None)
    if first is None:
        return False
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(chain([first], lines))
    return True


def _lines(rows: Iterable[Sequence[Cell]]) -> Iterator[list[str]]:
    for row in rows:
        line = [cell_text(cell) for cell in row]
        if any(line):
            yield line


def cell_text(cell: Cell) -> str:
    """Return a cell as a CSV file has it: ISO dates, whole numbers without a point, ``true`` and ``false``."""
    if isinstance(cell, str):
        if len(cell) > MAX_CELL:
            raise _Refused(f"A cell of the workbook has {len(cell):,} characters; at most {MAX_CELL:,} fit in one.")
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, (date, time)) else str(cell)


def main() -> None:
    """Convert ``argv[1]`` into the folder ``argv[2]`` within ``argv[3]`` octets and ``argv[4]`` seconds."""
    path, folder, memory, cpu_s = sys.argv[1:5]
    die_with_parent(os.getppid())
    limit_ourselves(int(memory), int(cpu_s))
    try:
        check_archive(path)
        answer: dict[str, object] = {"sheets": convert(path, Path(folder))}
    except _Refused as refusal:
        answer = {"refused": str(refusal)}
    except (MemoryError, OSError):
        answer = {"refused": ""}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
