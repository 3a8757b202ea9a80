"""Parses and renders templates: plain values in, text out, a typed error for everything that goes wrong."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from liquid import BoundTemplate, Environment, Mode
from liquid.exceptions import LiquidError

from postroom.core.mail.errors import TemplateRefused
from postroom.core.mail.rules.liquid.budget import BudgetedContext
from postroom.core.mail.rules.liquid.filters import FILTERS
from postroom.core.mail.rules.liquid.scan import QUOTED, TAGS, Kind, Piece, line_of, scan
from postroom.kit.types import JSONValue

MAX_OUTPUT: Final = 1024 * 1024
MAX_DEPTH: Final = 20

_FILTER: Final = re.compile(r"\|\s*(\w+)")
_BLOCKS: Final = frozenset(("if", "unless", "case", "for", "capture", "comment"))
_PSEUDO_TAGS: Final = frozenset(("content", "output", "illegal"))


class _Template(BoundTemplate):
    context_class = BudgetedContext


class _Environment(Environment):
    """No loader, so nothing can be included; no tag and no filter beyond the allow-lists."""

    template_class = _Template
    output_stream_limit = MAX_OUTPUT
    block_nesting_limit = MAX_DEPTH
    context_depth_limit = MAX_DEPTH

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=False)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | _PSEUDO_TAGS}
        self.filters = dict(FILTERS)


_ESCAPING: Final = _Environment(autoescape=True, tolerance=Mode.STRICT, strict_filters=True)
_PLAIN: Final = _Environment(autoescape=False, tolerance=Mode.STRICT, strict_filters=True)


class Template:
    """A parsed template; rendering it twice with the same values gives the same text."""

    __slots__ = ("_parsed", "_source")

    def __init__(self, source: str, parsed: BoundTemplate) -> None:
        self._source = source
        self._parsed = parsed

    def render(self, values: Mapping[str, JSONValue]) -> str:
        """Return the text; a variable without a value is empty. Raises TemplateRefused."""
        try:
            return self._parsed.render(_plain_object(values, 0))
        except Exception as error:
            raise _refusal(self._source, error) from error

    def variables(self) -> tuple[str, ...]:
        """Return the paths of the values that the template asks for and does not make itself, each once."""
        return tuple(dict.fromkeys(self._parsed.global_variable_paths(include_partials=False)))


@lru_cache(maxsize=512)
def parse_template(source: str, *, escapes: bool) -> Template:
    """Return the template; ``escapes`` makes every value safe for HTML. Raises TemplateRefused, naming the line."""
    for piece in scan(source):
        _check_filters(source, piece)
    try:
        return Template(source, (_ESCAPING if escapes else _PLAIN).from_string(source))
    except Exception as error:
        raise _refusal(source, error) from error


def check_template(source: str) -> None:
    """Raise TemplateRefused, naming line and reason, unless ``source`` parses and renders within its budget."""
    parse_template(source, escapes=True).render({})


def find_variables(source: str) -> tuple[str, ...]:
    """Return the paths of the values that ``source`` asks for. Raises TemplateRefused, naming the line."""
    return parse_template(source, escapes=False).variables()


def _check_filters(source: str, piece: Piece) -> None:
    """Refuse an unknown filter even where no rendering would come across it."""
    if piece.kind is Kind.OUTPUT or piece.name == "assign":
        for name in _FILTER.findall(QUOTED.sub("''", piece.inner)):
            if name not in FILTERS:
                raise TemplateRefused(f"unknown filter {name!r}.", line=line_of(source, piece.start))


def _refusal(source: str, error: Exception) -> TemplateRefused:
    if isinstance(error, TemplateRefused):
        return error
    if not isinstance(error, LiquidError):
        return TemplateRefused(f"The template cannot be rendered ({type(error).__name__}).")
    token = error.token
    known = token is not None and token.start_index >= 0
    line = line_of(source, token.start_index) if token is not None and known else _guess_line(source)
    return TemplateRefused(f"{str(error.message)[:200]}.", line=line)


def _guess_line(source: str) -> int:
    """Return the line of the first output that does not parse on its own, or of the innermost block left open: the
    parser forgets where an output ends, and where a block began.
    """
    opened: list[Piece] = []
    for piece in scan(source):
        if piece.kind is Kind.OUTPUT and not _parses(piece.source):
            return line_of(source, piece.start)
        if piece.name in _BLOCKS:
            opened.append(piece)
        elif piece.kind is Kind.TAG and piece.name.startswith("end") and opened:
            opened.pop()
    return line_of(source, opened[-1].start) if opened else 0


def _parses(source: str) -> bool:
    try:
        _PLAIN.from_string(source)
    except LiquidError:
        return False
    return True


def _plain_object(values: Mapping[str, JSONValue], depth: int) -> dict[str, object]:
    return {str(name): _plain(value, depth + 1) for name, value in values.items()}


def _plain(value: object, depth: int) -> object:
    """Copy plain data and nothing else: an object with attributes must never reach a template."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if depth > MAX_DEPTH:
        raise TemplateRefused("The values are nested too deeply.")
    if isinstance(value, Mapping):
        return _plain_object(value, depth)
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    raise TemplateRefused(f"A {type(value).__name__} is not plain data.")
