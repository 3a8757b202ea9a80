"""What a list answers: one page of items, by number, with the total only when asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")

MAX_PAGE_SIZE = 200
MAX_PAGE_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: ``number`` counts from 1; it and ``size`` are capped, so that every page can be asked for."""

    number: int = 1
    size: int = 50
    with_total: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", min(max(1, self.number), MAX_PAGE_NUMBER))
        object.__setattr__(self, "size", min(max(1, self.size), MAX_PAGE_SIZE))

    @property
    def offset(self) -> int:
        """How many items come before this page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of items; ``total`` is None unless the request asked for it."""

    items: tuple[T, ...]
    number: int
    size: int
    has_next: bool
    total: int | None = None

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        """Return the same page with every item changed."""
        return Page(tuple(change(item) for item in self.items), self.number, self.size, self.has_next, self.total)


class Query(Protocol[T_co]):
    """What a page is cut from: Django's QuerySet is one."""

    def count(self) -> int:
        """How many there are in all."""
        ...

    def __getitem__(self, part: slice, /) -> Iterable[T_co]: ...


def fetch_page(query: Query[T], request: PageRequest) -> Page[T]:
    """Return one page of ``query``, whose order must end in a key; one statement more when the total is asked for."""
    rows = tuple(query[request.offset : request.offset + request.size + 1])
    total = query.count() if request.with_total else None
    return Page(rows[: request.size], request.number, request.size, len(rows) > request.size, total)
