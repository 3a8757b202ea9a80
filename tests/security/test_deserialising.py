"""S5: files of strangers are data by schema. Nothing in the product turns octets into objects or into code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import postroom

BANNED_MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
    "yaml",
}
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
# Compiles our own regular expressions and templates, not Python: ``re.compile`` and the like are attributes, not names.
SOURCES = sorted(Path(postroom.__file__).parent.rglob("*.py"))


def find_breaches(source: str) -> Iterator[str]:
    """Yield each use of something that makes objects or code of data."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in BANNED_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in BANNED_MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
            yield node.func.id
        elif isinstance(node, ast.keyword) and node.arg == "serializer" and "pickle" in ast.dump(node.value).lower():
            yield "a pickling serializer"


def test_nothing_of_the_product_deserialises_objects_or_runs_text() -> None:
    found = {str(path): [*find_breaches(path.read_text(encoding="utf-8"))] for path in SOURCES}
    assert len(SOURCES) > 200
    assert {path: breaches for path, breaches in found.items() if breaches} == {}


def test_the_search_sees_what_it_is_for() -> None:
    seeded = (
        "import pickle\nfrom yaml import load\nimport marshal as m\neval(text)\nsign(serializer=PickleSerializer)\n"
    )
    assert len([*find_breaches(seeded)]) == 5
