"""Gives a field another type: every stored value is read first, and only when all of them fit are they written anew."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from postroom.core.contacts import jobs
from postroom.core.contacts.errors import BadTypeChange, BadValue
from postroom.core.contacts.models import Field, TypeChange
from postroom.core.contacts.rules.retyping import convert_value
from postroom.core.contacts.selectors.fields import lock_field
from postroom.core.contacts.services.fields import clean_options
from postroom.core.contacts.types import FieldSpec, FieldType, RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.types import JSONObject, JSONValue

BATCH_SIZE: Final = 5_000
MAX_SAMPLES: Final = 5
_RUNNING: Final = (RunStatus.QUEUED, RunStatus.RUNNING)
_WANTED: Final = {
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "yes or no",
    FieldType.DATE: "date",
    FieldType.SELECT: "one of the options",
    FieldType.MULTISELECT: "choice of the options",
    FieldType.URL: "web address",
    FieldType.EMAIL: "e-mail address",
    FieldType.TEXT: "text",
}

# Equal values are read once, however many people have them.
_VALUES: Final = """
SELECT (custom -> %(key)s)::text, count(*) FROM contacts_contact
WHERE organization_id = %(organization)s AND custom ? %(key)s GROUP BY 1
"""
# IS TRUE: one walk by key from where the last batch ended, whatever else the planner thinks of.
_BATCH: Final = """
SELECT id, (custom -> %(key)s)::text FROM contacts_contact
WHERE (organization_id = %(organization)s) IS TRUE AND id > %(last)s AND (custom ? %(key)s) IS TRUE
ORDER BY id LIMIT %(limit)s FOR UPDATE
"""
_WRITE: Final = """
UPDATE contacts_contact c SET custom = CASE WHEN n.value = 'null' THEN c.custom - %(key)s::text
    ELSE jsonb_set(c.custom, ARRAY[%(key)s::text], n.value) END
FROM unnest(%(ids)s::bigint[], %(values)s::jsonb[]) AS n(id, value) WHERE c.id = n.id
"""


@dataclass(slots=True)
class _Reading:
    """What reading every value as the new type showed."""

    total: int = 0
    unfit: int = 0
    samples: list[str] = field(default_factory=list)


@transaction.atomic
def change_field_type(
    *,
    workspace: Workspace,
    uid: UUID,
    type: FieldType,
    options: tuple[str, ...],
    actor: Actor,
    now: datetime,
) -> TypeChange:
    """Have a field given another type by a job; it refuses when a value would be lost. Return its progress.

    Raises NoSuchField, BadField, or BadTypeChange when such a job runs already, or another workspace of the
    organization has a field of its own under this key, for people's values are shared.
    """
    known = lock_field(workspace=workspace, uid=uid)
    twins = Field.objects.filter(organization_id=known.organization_id, key=known.key).exclude(pk=known.pk)
    if twins.exists():
        raise BadTypeChange(
            f"Another workspace of the organization has a field {known.key!r} of its own, and people's values are"
            " shared; its type can only be changed where it is the only one."
        )
    run = TypeChange(
        workspace=workspace,
        field=known,
        created_by_id=actor.user_id,
        door=actor.door,
        type=type,
        options=clean_options(type, options),
        created_at=now,
    )
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        raise BadTypeChange(f"The type of {known.label!r} is being changed already.") from error
    act = AuditRecord("field.type_change_started", "field", known.pk, before={"type": known.type}, after={"type": type})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    jobs.defer_change_type(run_uid=run.uid)
    return run


def run_type_change(*, run_uid: UUID, clock: Callable[[], datetime]) -> None:
    """Bring a change of type to its end from wherever it stands; running it twice, or two at once, does no harm."""
    run = TypeChange.objects.select_related("field", "workspace").filter(uid=run_uid, status__in=_RUNNING).first()
    if run is None:
        return
    spec = FieldSpec(run.field.key, run.field.label, FieldType(run.type), tuple(run.options))
    if run.total_rows is None:
        TypeChange.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, started_at=clock())
        reading = _read_all(run, spec)
        if reading.unfit:
            _refuse(run, spec, reading, clock())
            return
        _switch(run, reading.total)
    while _convert_batch(run.pk, spec):
        pass
    _finish(run.pk, RunStatus.DONE, clock())


def fail_type_change(*, run_uid: UUID, reason: str, now: datetime) -> None:
    """Give up a change of type whose job does not succeed; what is written anew stays so."""
    run = TypeChange.objects.filter(uid=run_uid).first()
    if run is not None:
        _finish(run.pk, RunStatus.FAILED, now, error=reason)


def _read_all(run: TypeChange, spec: FieldSpec) -> _Reading:
    reading = _Reading()
    for value, count in _iter_values(run.field):
        reading.total += count
        try:
            convert_value(spec, value)
        except BadValue:
            reading.unfit += count
            if len(reading.samples) < MAX_SAMPLES:
                reading.samples.append(str(value)[:60])
    return reading


def _iter_values(known: Field) -> Iterator[tuple[JSONValue, int]]:
    params: dict[str, Any] = {"key": known.key, "organization": known.organization_id}
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_VALUES, params)
        while rows := cursor.fetchmany(2_000):
            yield from ((json.loads(text), count) for text, count in rows)


@transaction.atomic
def _switch(run: TypeChange, total: int) -> None:
    """From here on new values are read as the new type, and the old ones are to follow."""
    Field.objects.filter(pk=run.field_id).update(type=run.type, options=run.options)
    TypeChange.objects.filter(pk=run.pk).update(total_rows=total)


@transaction.atomic
def _convert_batch(run_id: int, spec: FieldSpec) -> bool:
    """Write some values anew, with the edge they reach; False at the end."""
    run = TypeChange.objects.select_for_update(of=("self",)).select_related("field").get(pk=run_id)
    if run.status != RunStatus.RUNNING:
        return False
    with connection.cursor() as cursor:
        params: dict[str, Any] = {
            "key": spec.key,
            "organization": run.field.organization_id,
            "last": run.last_contact_id,
        }
        cursor.execute(_BATCH, {**params, "limit": BATCH_SIZE})
        rows = [(contact_id, json.loads(text)) for contact_id, text in cursor.fetchall()]
        if not rows:
            return False
        changed, unfit = _convert(rows, spec)
        if changed:
            ids, values = zip(*changed, strict=True)
            cursor.execute(_WRITE, {"key": spec.key, "ids": list(ids), "values": [Jsonb(one) for one in values]})
    run.last_contact_id = rows[-1][0]
    run.processed_rows += len(rows)
    run.unfit_rows += unfit
    run.save(update_fields=["last_contact_id", "processed_rows", "unfit_rows"])
    return True


def _convert(rows: list[tuple[int, JSONValue]], spec: FieldSpec) -> tuple[list[tuple[int, JSONValue]], int]:
    """Return the values that change, and how many do not fit: what was said between the reading and the writing."""
    changed, unfit = [], 0
    for contact_id, value in rows:
        try:
            converted = convert_value(spec, value)
        except BadValue:
            unfit += 1
            continue
        if converted != value or type(converted) is not type(value):
            changed.append((contact_id, converted))
    return changed, unfit


def _refuse(run: TypeChange, spec: FieldSpec, reading: _Reading, now: datetime) -> None:
    people = "person has" if reading.unfit == 1 else "people have"
    samples = ", ".join(repr(sample) for sample in reading.samples)
    more = ", …" if reading.unfit > len(reading.samples) else ""
    TypeChange.objects.filter(pk=run.pk).update(unfit_rows=reading.unfit, samples=reading.samples)
    _finish(
        run.pk,
        RunStatus.FAILED,
        now,
        error=f"{reading.unfit:,} {people} a value that would be lost as {_WANTED[spec.type]}: {samples}{more}."
        " Nothing was changed.",
    )


@transaction.atomic
def _finish(run_id: int, status: RunStatus, now: datetime, *, error: str = "") -> None:
    """End the change once, and tell it."""
    run = TypeChange.objects.select_for_update(of=("self",)).select_related("workspace", "field").get(pk=run_id)
    if run.status not in _RUNNING:
        return
    run.status, run.error, run.finished_at = status, error[:1000], now
    run.save(update_fields=["status", "error", "finished_at"])
    name = "field.type_changed" if status is RunStatus.DONE else "field.type_change_failed"
    counts: JSONObject = {"type": run.type, "people": run.processed_rows, "unfit": run.unfit_rows}
    actor = Actor(door=Door(run.door), user_id=run.created_by_id)
    act = AuditRecord(name, "field", run.field_id, after=counts)
    events.record_act(workspace=run.workspace, actor=actor, act=act, now=now, data=counts)
