"""Templates cannot reach code, settings or the environment, wherever an author may write one."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

import postroom
from postroom.core.mail.errors import BadComposition, TemplateRefused
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.liquid import parse_template
from postroom.core.mail.types import Composition, MessageClass
from tests.printing import print_message

PAYLOADS = [
    line.replace("\\n", "\n")
    for line in (Path(__file__).parent / "corpus" / "template_code.txt").read_text().splitlines()
]
SECRET = "s3cr3t-0f-the-h0use"
VALUES = {"name": "<b>Kim", "items": [{"n": 1}, {"n": 2}], "person": {"city": "Köln"}}
TRACES = (SECRET, "<class", "&lt;class", "<function", "&lt;function", "<built-in", "built-in method", "object at 0x")
TRACES += ("root:x:0", "postroom.core", "liquid.", "LEAK", "/etc/passwd:")


@pytest.fixture(autouse=True)
def secrets_worth_stealing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(os.environ, "POSTROOM_TEST_SECRET", SECRET)
    with override_settings(SECRET_KEY=SECRET):
        yield


def places(payload: str) -> Iterator[Composition]:
    """Yield the payload in every place where an author writes Liquid."""
    yield Composition(subject=payload, body="<p>Body</p>")
    yield Composition(subject="Subject", body=f"<p>{payload}</p>")
    yield Composition(subject="Subject", body=f'<p title="{payload}">x</p>')
    yield Composition(subject="Subject", body="<p>Body</p>", text=payload)
    yield Composition(subject="Subject", body="<p>Body</p>", preheader=payload)


def everything_shown(composition: Composition) -> str:
    """Return the message and the preview, or what the refusal says."""
    try:
        preview = compose.preview(composition, VALUES)
        frozen = compose.freeze(
            composition, message_class=MessageClass.TRANSACTIONAL, tracks_opens=True, tracks_clicks=True
        )
        printed = print_message(compose.compile_content(frozen), slots=VALUES)
        raw = printed.replace(b"=\r\n", b"").decode("ascii")
    except (TemplateRefused, BadComposition) as refusal:
        return str(refusal.message).partition("The tag ")[0]
    return "\n".join((preview.subject, preview.html, preview.text, raw))


def test_the_corpus_has_150_payloads() -> None:
    assert len(set(PAYLOADS)) >= 150


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_shows_nothing_of_the_house(payload: str) -> None:
    for composition in places(payload):
        shown = everything_shown(composition)
        assert not [trace for trace in TRACES if trace in shown.replace(payload, "")]


def test_values_are_escaped_in_html_whatever_the_author_writes() -> None:
    for source in ("{{ name }}", "{{ name | upcase }}", "{% assign x = name %}{{ x }}", "{{ name | append: '!' }}"):
        assert "<b" not in parse_template(source, escapes=True).render({"name": "<b>"}).lower()


def test_only_plain_data_enters_a_template() -> None:
    with pytest.raises(TemplateRefused):
        parse_template("{{ x }}", escapes=True).render({"x": settings})  # type: ignore[dict-item]


def test_no_other_template_engine_meets_text_of_a_user() -> None:
    """Engines that make a template of a string are imported nowhere, and Liquid in its one folder alone."""
    files = sorted(Path(postroom.__file__).parent.rglob("*.py"))
    assert len(files) > 50
    for path in files:
        imported = set(imported_names(ast.parse(path.read_text())))
        assert not imported & {"django.template.Template", "django.template.Engine", "string.Template"}, path
        roots = {name.partition(".")[0] for name in imported}
        assert not roots & {"jinja2", "mako", "chevron"}, path
        assert "liquid" not in roots or path.parent.name == "liquid", path


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
