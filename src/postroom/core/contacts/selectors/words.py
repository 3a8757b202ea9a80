"""The questions the column of words answers: by its beginning for everybody, by its middle where there is an index."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import Lookup, Q

from postroom.core.contacts.rules.search import infix_patterns, search_query

INFIX_INDEX: Final = "contact_infix"
"""The index of trigrams an operator may add where PostgreSQL has pg_trgm: see decision 0023."""

MAKE_INFIX_INDEX: Final = (
    f"CREATE INDEX CONCURRENTLY {INFIX_INDEX} ON contacts_contact USING gin ((search::text) gin_trgm_ops)"
)
"""What the operator runs for it, once the extension is there."""

if TYPE_CHECKING:
    AnyLookup = Lookup[Any]
else:
    AnyLookup = Lookup


@SearchVectorField.register_lookup
class Answers(AnyLookup):
    """``search__answers=query``: whether the words answer a query of ``rules.search_query``."""

    lookup_name = "answers"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compile to the operator that the index knows."""
        words, words_params = self.process_lhs(compiler, connection)
        query, query_params = self.process_rhs(compiler, connection)
        return f"{words} @@ {query}::tsquery", (*words_params, *query_params)


@SearchVectorField.register_lookup
class AnswersOneByOne(Answers):
    """The same, asked of each row that is met: the index of words stays out of it."""

    lookup_name = "answers_one_by_one"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compile to what no index knows."""
        asked, params = super().as_sql(compiler, connection)
        return f"({asked}) IS TRUE", params


@SearchVectorField.register_lookup
class Holds(AnyLookup):
    """``search__holds=patterns``: whether each pattern is found anywhere in the words, quickly by ``INFIX_INDEX``."""

    lookup_name = "holds"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compile to one LIKE for each pattern over the expression that the index holds."""
        words, params = self.process_lhs(compiler, connection)
        asked = [f"({words})::text LIKE %s" for _ in self.rhs]
        return f"({' AND '.join(asked)})", tuple(one for pattern in self.rhs for one in (*params, pattern))


def answers_search(text: str, *, one_by_one: bool = False) -> Q | None:
    """Return the condition that a person's words answer what was typed, None when nothing was.

    ``one_by_one`` keeps the index of words out of it, for callers who look at few people anyway.
    """
    query, patterns = search_query(text), infix_patterns(text)
    if not query:
        return None
    begins = Q(**{"search__answers_one_by_one" if one_by_one else "search__answers": query})
    return begins | Q(search__holds=patterns) if patterns and has_infix_index() else begins


@cache
def has_infix_index() -> bool:
    """Whether words are also found by their middle; looked up once in the life of a process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INFIX_INDEX])
        return bool(cursor.fetchone()[0])
