"""One page of any query."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from postroom.kit.paging import Page, PageRequest

M = TypeVar("M", bound=Model)


def paginate(rows: QuerySet[M], page: PageRequest) -> Page[M]:
    """Return one page of ``rows``, asking for one row more to know whether another follows."""
    found = list(rows[page.offset : page.offset + page.size + 1])
    total = rows.count() if page.with_total else None
    return Page(tuple(found[: page.size]), page.number, page.size, len(found) > page.size, total)
