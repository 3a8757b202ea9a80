"""How many API requests a workspace makes in a second, counted for all processes and machines together."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.db import connection

# The server's clock is one for everybody. In order of workspaces, so that no two wait for each other.
_COUNT: Final = """
INSERT INTO workspaces_apirate AS r (workspace_id, second, used)
SELECT x.workspace_id, floor(extract(epoch FROM clock_timestamp())), x.count
FROM unnest(%(workspaces)s::bigint[], %(counts)s::int[]) AS x(workspace_id, count) ORDER BY x.workspace_id
ON CONFLICT (workspace_id) DO UPDATE SET second = greatest(r.second, excluded.second),
    used = CASE WHEN r.second < excluded.second THEN 0 ELSE r.used END + excluded.used
RETURNING workspace_id, second, used
"""


class RateWindow(NamedTuple):
    """A second (Unix time) of a workspace, and how many requests were made in it so far."""

    second: int
    used: int


def count_requests(*, counts: Mapping[int, int]) -> dict[int, RateWindow]:
    """Count so many requests of each workspace, with one statement; return where each stands with them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"workspaces": list(counts), "counts": list(counts.values())})
        return {workspace_id: RateWindow(second, used) for workspace_id, second, used in cursor.fetchall()}
