"""Reads the product's own sources, for the rules that no other tool checks."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import postroom

ROOT: Final = Path(postroom.__file__).parent


def parse_modules(*, below: tuple[str, ...] = ("",)) -> Iterator[tuple[str, ast.Module]]:
    """Yield (path below the package, syntax tree) of every module in the folders ``below``; migrations excepted."""
    for folder in below:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of everything a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def load_modules(prefix: str) -> None:
    """Import every module whose name begins with ``prefix``."""
    for found in pkgutil.walk_packages(postroom.__path__, "postroom."):
        if found.name.startswith(prefix) and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
