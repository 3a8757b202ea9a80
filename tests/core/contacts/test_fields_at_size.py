"""A field of 200,000 people is given another type: read at once, written batch by batch, at a bounded cost."""

from time import perf_counter
from typing import Final

import pytest
from django.db import connection

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, Field
from postroom.core.contacts.services import retyping
from postroom.core.contacts.types import FieldType, NewField, RunStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.factories import NOW, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]

PEOPLE: Final = 200_000
_FILL: Final = """
INSERT INTO contacts_contact (uid, organization_id, email, first_name, last_name, company, phone, language, timezone,
    custom, is_globally_opted_out, created_at, updated_at)
SELECT gen_random_uuid(), %(organization)s, 'p' || n || '@example.com', '', '', '', '', '', '',
    jsonb_build_object('plan', (n %% 50000)::text, 'other', n), false, %(now)s, %(now)s
FROM generate_series(1, %(people)s) n
"""


def fill(room: Workspace) -> Field:
    with connection.cursor() as cursor:
        cursor.execute(_FILL, {"organization": room.organization_id, "now": NOW, "people": PEOPLE})
        cursor.execute("ANALYZE contacts_contact")
    return services.create_field(workspace=room, new=NewField(label="Plan"), actor=SYSTEM, now=NOW)


def test_two_hundred_thousand_values_change_their_type() -> None:
    room = make_workspace()
    field = fill(room)
    run = services.change_field_type(
        workspace=room, uid=field.uid, type=FieldType.NUMBER, options=(), actor=SYSTEM, now=NOW
    )
    start = perf_counter()
    services.run_type_change(run_uid=run.uid, clock=clock.now)
    took = perf_counter() - start
    run.refresh_from_db()
    assert (run.status, run.total_rows, run.processed_rows, run.unfit_rows) == (RunStatus.DONE, PEOPLE, PEOPLE, 0)
    sums = Contact.objects.filter(custom__plan=49_999).count()
    assert sums == PEOPLE // 50_000
    print(f"{PEOPLE / took:,.0f} values a second")  # noqa: T201 - a figure for whoever runs it


def test_a_batch_is_one_walk_by_key() -> None:
    room = make_workspace()
    fill(room)
    params = {"key": "plan", "organization": room.organization_id, "last": 5, "limit": 5_000}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {retyping._BATCH}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "contacts_contact_pkey" in plan
    assert "Sort" not in plan
