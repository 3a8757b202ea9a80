"""The house rules that can be checked are checked."""

import ast
import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from postroom.kit.errors import AppError
from postroom.kit.jobs import Job
from postroom.workers import worker
from postroom.workers.registry import HANDLERS
from tests.architecture.sources import ROOT, imported_names, load_modules, parse_modules

BELOW_THE_DOORS = ("core", "kit", "providers")
WEB_ONLY = ("django.http", "django.urls", "django.shortcuts", "ninja")
CLOCKS = {"clock.now", "datetime.now", "datetime.utcnow", "date.today", "timezone.now", "time.time"}


def test_all_import_contracts_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT.parent.parent)
    assert lint_imports(cache_dir=str(tmp_path), no_logo=True) == EXIT_STATUS_SUCCESS


def test_there_are_nine_import_contracts_and_none_ignores_an_import() -> None:
    text = (ROOT.parent.parent / ".importlinter").read_text()
    assert text.count("[importlinter:contract:") == 9
    assert "ignore_imports" not in text


def test_nothing_below_the_doors_knows_of_http() -> None:
    found = [
        (path, name)
        for path, tree in parse_modules(below=BELOW_THE_DOORS)
        for name in imported_names(tree)
        if name.startswith(WEB_ONLY)
    ]
    assert found == []


def test_the_core_never_reads_the_clock() -> None:
    found = [
        (path, node.lineno)
        for path, tree in parse_modules(below=("core",))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS
    ]
    assert found == []


def test_tables_are_reached_through_services_and_selectors_outside_the_core() -> None:
    found = [
        (path, node.lineno)
        for path, tree in parse_modules()
        if not path.startswith("core")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "objects"
    ]
    assert found == []


def test_nothing_prints_but_the_command_line() -> None:
    found = [
        (path, node.lineno)
        for path, tree in parse_modules()
        if not path.startswith("config")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_every_module_opens_with_a_sentence_on_its_job() -> None:
    silent = [path for path, tree in parse_modules() if not (ast.get_docstring(tree) or "").strip()]
    assert silent == []


def test_every_job_has_exactly_one_handler() -> None:
    names = Counter(job.name for job in declared_jobs())
    assert [name for name, times in names.items() if times > 1] == []
    assert worker.HANDLER_MODULES, "importing the worker registers the handlers"
    own = {name for name, (_, handler) in HANDLERS.items() if handler.__module__.startswith("postroom.")}
    assert own == set(names)


def test_every_job_is_named_by_its_app_and_a_verb() -> None:
    for job in declared_jobs():
        app, _, act = job.name.partition(".")
        assert (ROOT / "core" / app).is_dir(), job.name
        assert "_" in act, job.name


def test_every_error_has_a_code_of_its_own() -> None:
    load_modules("postroom.core")
    load_modules("postroom.providers")
    errors = [error for error in subclasses(AppError) if error.__module__.startswith("postroom.")]
    codes = Counter(error.code for error in errors)
    assert [code for code, times in codes.items() if times > 1] == []
    assert [error.__name__ for error in errors if not (error.__doc__ or "").strip()] == []


def declared_jobs() -> Iterator[Job]:
    """Yield the jobs that the core declares."""
    for path, _ in parse_modules(below=("core",)):
        if Path(path).name == "jobs.py":
            module = importlib.import_module("postroom." + path.removesuffix(".py").replace("/", "."))
            yield from (value for value in vars(module).values() if isinstance(value, Job))


def subclasses(error: type[AppError]) -> Iterator[type[AppError]]:
    """Yield all classes below ``error``, once each."""
    for child in error.__subclasses__():
        yield child
        yield from subclasses(child)


# Where a mapping may stand between the words of a query: its keys are written in the code beside it.
_QUERIES = {"filter", "exclude", "annotate", "alias", "order_by", "aggregate", "values", "values_list", "extra", "only"}
_KNOWN_MAPPINGS = {
    "core/contacts/selectors/aliases.py",  # the former names of a merged record
    "core/contacts/selectors/selections.py",  # two look-ups of ours, and a range of keys
    "core/contacts/selectors/directory.py",  # a range of keys
}


def test_no_query_takes_its_words_from_a_mapping_or_a_list() -> None:
    found = {
        path
        for path, tree in parse_modules(below=("core", "api", "web", "edge", "workers"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _QUERIES
        if any(keyword.arg is None for keyword in node.keywords)
    }
    assert found <= _KNOWN_MAPPINGS, "say here why its keys cannot come from a request"
