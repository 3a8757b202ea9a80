"""What no template may hold, because the policy would stop it or the page would depend on another host."""

import re
from pathlib import Path

import pytest

import postroom.web

WEB = Path(postroom.web.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=|<style"),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)|\son[a-z]+\s*=|hx-on|javascript:"),
    "an address of another host": re.compile(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//"""),
    "a safe mark on a value": re.compile(r"\|\s*safe\b|autoescape off"),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_holds_nothing_forbidden(path: Path) -> None:
    text = path.read_text()
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_every_form_that_posts_proves_where_it_comes_from() -> None:
    for path in TEMPLATES:
        forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL)
        assert all("{% csrf_token %}" in form for form in forms), path.name


def test_our_own_scripts_write_no_markup_and_run_no_text() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function")
    for path in (WEB / "static" / "web").glob("*.js"):
        assert not forbidden.search(path.read_text()), path.name
