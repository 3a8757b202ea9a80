"""The reads of reports and timelines are served by indexes, however large the tables grow."""

from typing import Any

import pytest
from django.db import connection

from postroom.core.insights.selectors import reports, timeline_mail
from tests.factories import NOW

pytestmark = pytest.mark.django_db
BEHIND = {"people": [1, 2], "workspace": 1, "at": NOW, "number": 5, "text": "x", "limit": 50}


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (reports._HOURLY, {"batch_id": 1, "start": NOW, "end": NOW.replace(hour=23)}),
        (reports._LINKS, {"batch_id": 1, "contents": [1], "has_variants": False}),
        (timeline_mail._DELIVERY, {**BEHIND, "types": ["opened"]}),
        (timeline_mail._MESSAGES, BEHIND),
    ],
)
def test_no_table_is_read_as_a_whole(statement: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan
    assert "Index" in plan
