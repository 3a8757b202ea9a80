"""Files made to hurt who reads them: archives that unfold, tables without end, cells without end."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple

MB: Final = 1024 * 1024
WORKBOOK: Final = (
    b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONS: Final = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    b'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="sharedStrings.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
ROOT: Final = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Target="xl/workbook.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
SHEET: Final = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
END: Final = b"</sheetData></worksheet>"
STRINGS: Final = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
TABLE: Final = SHEET + b'<row r="1"><c r="A1" t="inlineStr"><is><t>Email</t></is></c></row>' + END


class Member(NamedTuple):
    """A part of an archive; ``says`` is the size it declares, when that is not the truth."""

    name: str
    packed: bytes
    size: int
    checksum: int = 0
    says: int | None = None


def pack(name: str, content: bytes) -> Member:
    """Return a part with honest sizes."""
    return pack_often(name, (content, b"", 0, b""))


def pack_often(name: str, parts: tuple[bytes, bytes, int, bytes], says: int | None = None) -> Member:
    """Return a part that holds ``before``, ``chunk`` so many ``times``, and ``after``, without ever unfolding it."""
    before, chunk, times, after = parts
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(after) + packer.flush()
    checksum = _checksum(before, chunk, times)
    size = len(before) + len(chunk) * times + len(after)
    return Member(name, start + middle * times + end, size, zlib.crc32(after, checksum), says)


@cache
def _checksum(before: bytes, chunk: bytes, times: int) -> int:
    checksum = zlib.crc32(before)
    for _ in range(times):
        checksum = zlib.crc32(chunk, checksum)
    return checksum


def write_zip(members: Iterable[Member]) -> bytes:
    """Return the archive."""
    body, index = bytearray(), bytearray()
    count = 0
    for member in members:
        name, size = member.name.encode(), member.size if member.says is None else member.says
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, member.checksum, len(member.packed), size, len(name), 0)
        index += b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + member.packed
        count += 1
    end = struct.pack("<HHHHIIH", 0, 0, count % 65536, count % 65536, len(index), len(body), 0)
    return bytes(body + index + b"PK\x05\x06" + end)


def workbook(*changed: Member) -> bytes:
    """Return a workbook, some of its parts replaced."""
    whole = {
        "_rels/.rels": ROOT,
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/worksheets/sheet1.xml": TABLE,
    }
    names = {member.name for member in changed}
    return write_zip([*(pack(name, content) for name, content in whole.items() if name not in names), *changed])


def sheet(before: bytes, chunk: bytes = b"", times: int = 0, says: int | None = None) -> bytes:
    """Return a workbook whose only sheet holds ``before`` and ``chunk`` so many ``times``."""
    return workbook(pack_often("xl/worksheets/sheet1.xml", (SHEET + before, chunk, times, END), says))


def _rows(size: int) -> bytes:
    row = b'<row><c t="inlineStr"><is><t>bomb</t></is></c><c t="inlineStr"><is><t>bomb</t></is></c></row>'
    return row * (size // len(row))


def noisy_rows(size: int) -> bytes:
    """Rows that pack only as tightly as is just believed of a table."""
    noise = random.Random(17)
    row = '<row><c t="inlineStr"><is><t>{}</t></is></c>' + "<c></c>" * 20 + "</row>"
    return "".join(row.format(noise.getrandbits(24)) for _ in range(size // 200)).encode()


def _entities() -> bytes:
    """A billion laughs."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{levels}]>'.encode()


def _cell(reference: str, text: bytes = b"x") -> bytes:
    return b'<c r="%s" t="inlineStr"><is><t>%s</t></is></c>' % (reference.encode(), text)


def _wide(columns: int) -> bytes:
    return b",".join(b"c%d" % number for number in range(columns)) + b"\n"


def _long_text(says: int | None = None) -> bytes:
    return workbook(
        pack_often("xl/sharedStrings.xml", (STRINGS + b"<si><t>", b"A" * MB, 100, b"</t></si></sst>"), says)
    )


def _repeated_text() -> bytes:
    text = pack("xl/sharedStrings.xml", STRINGS + b"<si><t>" + b"A" * 32_000 + b"</t></si></sst>")
    rows = b'<row><c t="s"><v>0</v></c></row>' * 1_000
    return workbook(text, pack_often("xl/worksheets/sheet1.xml", (SHEET, rows, 130, END)))


def _nested_archives() -> bytes:
    inner = write_zip([pack_often("0", (b"", bytes(MB), 4_000, b""))])
    return write_zip([pack(f"{number}.zip", inner) for number in range(16)])


def _zipped_table() -> bytes:
    table = io.BytesIO()
    with zipfile.ZipFile(table, "w") as archive:
        archive.writestr("people.csv", "Email\nada@example.com\n")
    return table.getvalue()


CORNERS: Final = b'<row r="1">' + _cell("A1") + b'</row><row r="1048576">' + _cell("XFD1048576") + b"</row>"
LAUGHS: Final = WORKBOOK.replace(b"<workbook", _entities() + b"<workbook", 1).replace(b"People", b"&l9;")
# None of them is a table that a person made.
BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "xlsx of 1.4 MB that takes 2.9 GB of memory": lambda: sheet(b"", _rows(MB), 400),
    "xlsx of 1.4 MB that says it holds 2 kB": lambda: sheet(b"", _rows(MB), 400, says=2_000),
    "xlsx of 300 MB of spaces that says it holds 2 kB": lambda: sheet(b"", b" " * MB, 300, says=2_000),
    "xlsx with one text of 100 MB": _long_text,
    "xlsx with one text of 100 MB that says 2 kB": lambda: _long_text(says=2_000),
    "xlsx with a cell of 100,000 characters": lambda: sheet(b"<row>" + _cell("A1", b"A" * 100_000) + b"</row>"),
    "xlsx with one long text in 130,000 cells": _repeated_text,
    "xlsx of 1,000,000 columns": lambda: sheet(b"<row>" + b"<c><v>1</v></c>" * 1_000_000 + b"</row>"),
    "xlsx with a cell in each far corner": lambda: sheet(CORNERS),
    "xlsx with 200,000 parts": lambda: write_zip(
        [pack("xl/workbook.xml", WORKBOOK), *([Member("x", b"", 0)] * 200_000)]
    ),
    "xlsx with a billion laughs": lambda: workbook(pack("xl/workbook.xml", LAUGHS)),
    "xlsx nested 100,000 deep": lambda: sheet(b"<row><c><is>" + b"<r>" * 100_000),
    "xlsx cut in the middle": lambda: sheet(b"", _rows(MB), 2)[:-40],
    "xlsx whose sheet is not there": lambda: write_zip([pack("xl/workbook.xml", WORKBOOK)]),
    "zip in a zip": _nested_archives,
    "zip with a CSV file": _zipped_table,
    "zip with nothing in it": lambda: write_zip([]),
    "gz of 1 GB": lambda: gzip.compress(bytes(MB), 9) * 1_000,
    "csv of 1,000,000 columns": lambda: _wide(1_000_000),
    "csv of 100,000 columns": lambda: _wide(100_000),
    "csv with a cell of 100 MB in its first line": lambda: b'Email,"' + b"A" * (100 * MB) + b'"\n',
    "csv with a heading over 100 MB of lines": lambda: b'Email,"' + b"A\n" * (50 * MB) + b'"\n',
    "csv with a row over 100 MB of lines": lambda: b"Email\n" + b'"A\n",' * (20 * MB),
    "csv of NULs": lambda: bytes(10 * MB),
}
