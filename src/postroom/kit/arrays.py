"""PostgreSQL's own spelling of arrays: as a parameter it costs a tenth of a list, adapted value by value."""

from collections.abc import Iterable


def array_text(values: Iterable[object]) -> str:
    """Return the literal of an array of things whose words need no quotes, as numbers."""
    return f"{{{','.join(map(str, values))}}}"


def text_array_text(values: Iterable[str]) -> str:
    """Return the literal of an array of any texts without NUL (PostgreSQL, section 8.15.6)."""
    texts = list(values)
    joined = '","'.join(texts)
    if "\\" in joined or joined.count('"') != 2 * max(len(texts) - 1, 0):
        joined = '","'.join(text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return f'{{"{joined}"}}' if texts else "{}"
