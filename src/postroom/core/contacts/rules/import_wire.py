"""How an import and the process that reads its file speak: a line of JSON for the work, one for each answer.

Behind that of a batch come the people's lines for COPY, as they are. What repeats itself, as sets of tags do, is sent
once for a batch.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from typing import IO, Any, TypeVar

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
    """Return a batch, a sentence why the file cannot be read, or the end."""
    if not isinstance(answer, Batch):
        return _line(answer)
    block = "".join([f"{person.line}\n" for person in answer.people]).encode()
    said = {
        "size": answer.size,
        "bad": [astuple(problem) for problem in answer.bad],
        "rows": [person.rows if len(person.rows) > 1 else person.rows[0] for person in answer.people],
        "emails": [person.email for person in answer.people],
        "tags": _distinct([person.tags for person in answer.people]),
        "lists": _distinct([person.lists for person in answer.people]),
        "standings": _distinct([person.standing for person in answer.people]),
        "octets": len(block),
    }
    return _line(said) + block


def read_answer(stream: IO[bytes]) -> Batch | str | None:
    """Return the next answer. Raises EOFError when there is none, not even the end."""
    head = stream.readline()
    if not head:
        raise EOFError
    said: Any = json.loads(head)
    if not isinstance(said, dict):
        return None if said is None else str(said)
    columns = (
        [(rows,) if isinstance(rows, int) else tuple(rows) for rows in said["rows"]],
        said["emails"],
        stream.read(said["octets"]).decode().split("\n")[:-1],
        _repeated(said["tags"], tuple),
        _repeated(said["lists"], _tuples),
        _repeated(said["standings"], _standing),
    )
    people = map(StagedPerson._make, zip(*columns, strict=True))
    return Batch(said["size"], [*people], [Problem(*problem) for problem in said["bad"]])


def _line(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat).encode() + b"\n"


def _distinct(column: Sequence[object]) -> tuple[list[object], list[int]]:
    """Return the values that a column has, and for each of its rows which of them.

    Values that are equal and yet not one object, which is rare, are sent twice.
    """
    values = {id(value): value for value in column}
    numbers = {key: number for number, key in enumerate(values)}
    return [*values.values()], [numbers[id(value)] for value in column]


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
        suppressed=tuple((SuppressionScope(scope), SuppressionReason(reason)) for scope, reason in suppressed),
        suppression_detail=detail,
        accounts=tuple(accounts),
        created_at=datetime.fromisoformat(created_at) if created_at else None,
    )
