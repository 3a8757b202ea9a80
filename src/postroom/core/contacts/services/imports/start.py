"""Takes a file in: checks its mapping, defines the fields it brings, stores it and defers the job."""

import os
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from postroom.core.contacts.errors import BadImport
from postroom.core.contacts.jobs import defer_run_import
from postroom.core.contacts.models import ImportRun
from postroom.core.contacts.rules.import_columns import CORE_TARGETS, suggest_fields
from postroom.core.contacts.rules.import_mapping import mapping_json
from postroom.core.contacts.rules.import_rows import RowReader
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.imports import read_sample
from postroom.core.contacts.selectors.lists import get_list, list_categories
from postroom.core.contacts.services.fields import create_field
from postroom.core.contacts.services.lists import create_list
from postroom.core.contacts.services.people import clean_tags
from postroom.core.contacts.types import CsvSample, ImportMapping, Upload
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.ids import uuid7


def start_import(
    *, workspace: Workspace, upload: Upload, mapping: ImportMapping, actor: Actor, now: datetime
) -> ImportRun:
    """Store the file and defer its import. A ``custom.`` target nobody has defined yet becomes a field of the
    workspace, typed by the top of the file; all of it or nothing.

    Raises BadImport, BadField, BadValue, NoSuchList, or NameTaken when the new list is none.
    """
    uid = uuid7()
    sample = read_sample(file=upload.file)
    upload.file.seek(0)
    stored = default_storage.save(f"imports/{uid}.csv", File(upload.file))
    try:
        return _start(workspace, uid, stored, (upload, mapping, sample), actor, now)
    except Exception:
        default_storage.delete(stored)
        raise


@transaction.atomic
def _start(
    workspace: Workspace,
    uid: UUID,
    stored: str,
    what: tuple[Upload, ImportMapping, CsvSample],
    actor: Actor,
    now: datetime,
) -> ImportRun:
    upload, mapping, sample = what
    list_id = _find_list(workspace, mapping, actor, now)
    _define_fields(workspace, mapping, sample, actor, now)
    slugs = [category.slug for category in list_categories(workspace=workspace)]
    RowReader(sample.headers, mapping, list_field_specs(workspace=workspace), categories=slugs)
    settled = replace(mapping, tags=tuple(clean_tags(mapping.tags)), list_id=list_id, new_list="")
    run = ImportRun.objects.create(
        uid=uid,
        workspace=workspace,
        created_by_id=actor.user_id,
        door=actor.door,
        filename=os.path.basename(upload.filename)[:255],
        file=stored,
        file_size=default_storage.size(stored),
        encoding=sample.encoding,
        delimiter=sample.delimiter,
        headers=list(sample.headers),
        mapping=mapping_json(settled),
        created_at=now,
    )
    act = AuditRecord("import.started", "import", run.pk, after={"filename": run.filename, "mapping": run.mapping})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    defer_run_import(run_uid=run.uid)
    return run


def _find_list(workspace: Workspace, mapping: ImportMapping, actor: Actor, now: datetime) -> int | None:
    """Return the list that everybody goes on, made now when it is to be a new one."""
    if mapping.new_list:
        return create_list(workspace=workspace, name=mapping.new_list, actor=actor, now=now).pk
    if mapping.list_id is not None:
        return get_list(workspace=workspace, list_id=mapping.list_id).pk
    return None


def _define_fields(
    workspace: Workspace, mapping: ImportMapping, sample: CsvSample, actor: Actor, now: datetime
) -> None:
    for header, target in mapping.columns.items():
        if target not in CORE_TARGETS and not target.startswith("custom."):
            raise BadImport(f"The column {header!r} is mapped to {target!r}, which is no field.")
    known = [spec.key for spec in list_field_specs(workspace=workspace)]
    for new in suggest_fields(dict(mapping.columns), sample.headers, sample.rows, known):
        create_field(workspace=workspace, new=new, actor=actor, now=now)
