"""How an import and the process that reads its file speak: one line of JSON for the work, one for each answer.

What repeats itself, as sets of tags do, is sent once for a batch.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from typing import Any, TypeVar

from postroom.core.contacts.rules.import_batches import Batch, Problem, ReadingPlan
from postroom.core.contacts.rules.import_lines import StagedPerson
from postroom.core.contacts.rules.import_mapping import mapping_json, read_mapping
from postroom.core.contacts.rules.import_rows import Standing
from postroom.core.contacts.types import CsvFormat, FieldSpec, FieldType, SuppressionReason, SuppressionScope

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChildWork:
    """What the child is to do: read the open file ``descriptor``; addresses are hashed with the secret keys."""

    descriptor: int
    plan: ReadingPlan
    secret_keys: tuple[str, ...]


def write_work(work: ChildWork) -> bytes:
    """Return the line that asks for work."""
    plan = work.plan
    said = {
        "descriptor": work.descriptor,
        "secret_keys": work.secret_keys,
        "format": asdict(plan.format),
        "mapping": mapping_json(plan.mapping),
        "specs": [astuple(spec) for spec in plan.specs],
        "categories": sorted(plan.categories),
        "position": plan.position,
        "sizes": [plan.batch_size, plan.batch_weight],
    }
    return _line(said)


def read_work(line: bytes) -> ChildWork:
    """Return the work that a line asks for."""
    said = json.loads(line)
    size, weight = said["sizes"]
    plan = ReadingPlan(
        format=CsvFormat(**said["format"]),
        mapping=read_mapping(said["mapping"]),
        specs=tuple(
            FieldSpec(key, label, FieldType(type_), tuple(options)) for key, label, type_, options in said["specs"]
        ),
        batch_size=size,
        batch_weight=weight,
        categories=frozenset(said["categories"]),
        position=said["position"],
    )
    return ChildWork(said["descriptor"], plan, tuple(said["secret_keys"]))


def write_answer(answer: Batch | str | None) -> bytes:
    """Return the line of a batch, of a sentence why the file cannot be read, or of the end."""
    if not isinstance(answer, Batch):
        return _line(answer)
    rows, emails, lines, *repeating = zip(*answer.people, strict=True) if answer.people else ((),) * 6
    return _line(
        {
            "size": answer.size,
            "bad": [astuple(problem) for problem in answer.bad],
            "columns": [rows, emails, lines],
            "repeating": [_distinct(column) for column in repeating],
        }
    )


def read_answer(line: bytes) -> Batch | str | None:
    """Return what a line answers."""
    said: Any = json.loads(line)
    if not isinstance(said, dict):
        return None if said is None else str(said)
    rows, emails, lines = said["columns"]
    tags, lists, standings = said["repeating"]
    people = map(
        StagedPerson,
        map(tuple, rows),
        emails,
        lines,
        _repeated(tags, tuple),
        _repeated(lists, _tuples),
        _repeated(standings, _standing),
    )
    return Batch(said["size"], [*people], [Problem(*problem) for problem in said["bad"]])


def _line(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat).encode() + b"\n"


def _distinct(column: Iterable[Hashable]) -> tuple[list[Hashable], list[int]]:
    """Return the values that a column has, and for each of its rows which of them."""
    numbers: dict[Hashable, int] = {}
    indexes = [numbers.setdefault(value, len(numbers)) for value in column]
    return [*numbers], indexes


def _repeated(column: tuple[list[Any], list[int]], read: Callable[[Any], T]) -> Iterator[T]:
    values, indexes = column
    return map([read(value) for value in values].__getitem__, indexes)


def _tuples(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, state) for name, state in pairs)


def _standing(said: list[Any]) -> Standing:
    consents, status, is_opted_out, suppressed, detail, accounts, created_at = said
    return Standing(
        consents=_tuples(consents),
        status=status,
        is_opted_out=is_opted_out,
        suppressed=(SuppressionScope(suppressed[0]), SuppressionReason(suppressed[1])) if suppressed else None,
        suppression_detail=detail,
        accounts=tuple(accounts),
        created_at=datetime.fromisoformat(created_at) if created_at else None,
    )
