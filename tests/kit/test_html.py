"""HTML of mail: compiled without loading anything, and made into text."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from postroom.kit import html


def text_of(source: str) -> str:
    return html.html_to_text(html.inline_styles(source))


def test_paragraphs_lists_links_and_images_become_text() -> None:
    source = (
        "<style>p{color:red}</style><h1>Hello&nbsp;you</h1><p>Some <b>bold</b>\n text, "
        "<a href='https://x.example/?a=1&amp;b=2'>here</a>.<br>Next</p><ul><li>one</li><li>two</li></ul>"
        "<table><tr><td>a</td><td>b</td></tr></table><img alt='A cat' src='c.png'>"
        "<div style='display: none'>hidden <div>deep</div></div><p><a href='mailto:k@x.example'>k@x.example</a></p>"
        "<script>no()</script>"
    )
    assert text_of(source) == (
        "Hello you\n\nSome bold text, here (https://x.example/?a=1&b=2).\nNext\n\n- one\n- two\n\na b\n\n"
        "A cat\n\nk@x.example\n"
    )


def test_styles_move_into_attributes_and_media_queries_stay() -> None:
    inlined = html.inline_styles("<style>p{color:red}@media (max-width:9px){p{color:blue}}</style><p>x</p>")
    assert '<p style="color: red;">' in inlined
    assert "@media" in inlined


def test_no_style_sheet_is_ever_loaded(tmp_path: Path) -> None:
    hits: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "local.css").write_text("p{color:rebeccapurple}")
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        remote = f"http://127.0.0.1:{server.server_port}/remote.css"
        for address in (remote, f"file://{tmp_path}/local.css", f"{tmp_path}/local.css"):
            links = f"<link rel=stylesheet href='{address}'><style>@import url({address});</style>"
            assert "rebeccapurple" not in html.inline_styles(f"{links}<p>x</p>")
        server.shutdown()
    assert hits == []


def test_mjml_becomes_html_without_foreign_fonts() -> None:
    compiled = html.compile_mjml(
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert "Hi" in compiled
    assert "googleapis" not in compiled


@pytest.mark.parametrize(
    "source",
    [
        "<mjml><mj-body><mj-include path='/etc/passwd'/></mj-body></mjml>",
        "<mjml><mj-body><mj-include path='https://x.example/y.mjml'/></mj-body></mjml>",
        "<mjml><mj-body>",
        "<p>no MJML at all</p>",
        "",
    ],
)
def test_bad_mjml_and_includes_are_refused(source: str) -> None:
    with pytest.raises(html.BadMarkup):
        html.compile_mjml(source)


@pytest.mark.parametrize(
    "source", ["<a " * 25_000, "<!--" * 25_000, '<a x="' * 25_000, "<p>" * 25_000, "<b><i>" * 2_000]
)
def test_hostile_html_ends_quickly(source: str) -> None:
    started = time.process_time()
    text_of(source)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "source",
    [
        "<b>" * 50_000,
        "<b>" * 25_000 + "<p>" + "</b>" * 24_999,
        "<b><p>x</b>" * 16_000,
        "<div>" * 20_000,
        "<p>" * 200_000,
    ],
)
def test_html_nested_deeper_than_an_ordinary_stack_takes_nobody_down(source: str) -> None:
    with contextlib.suppress(html.BadMarkup):
        text_of(source)


def test_mjml_nested_deeper_than_an_ordinary_stack_takes_nobody_down() -> None:
    deep = "<mj-wrapper>" * 5_000 + "</mj-wrapper>" * 5_000
    assert html.compile_mjml(f"<mjml><mj-body>{deep}</mj-body></mjml>")
    with pytest.raises(html.BadMarkup):
        html.compile_mjml(f"<mjml><mj-body>{deep * 3}</mj-body></mjml>")


def test_markup_with_too_many_tags_is_refused() -> None:
    with pytest.raises(html.BadMarkup, match="50,001 tags"):
        html.inline_styles("<p>" * 50_001)


def open_for_ever(tag: str, number: int) -> str:
    return "".join(f"<p><{tag.format(one)}>x" for one in range(number))


@pytest.mark.parametrize("tag", ["b id=x{}", "b title='>{}'", 'FONT title=">{}"', "i/{}", 'b x"y={} z'])
def test_what_is_left_open_cannot_fill_the_memory(tag: str) -> None:
    with pytest.raises(html.BadMarkup, match="use fewer styles"):
        html.inline_styles(open_for_ever(tag, 5_000))


def test_a_large_table_of_bold_and_coloured_words_is_read() -> None:
    rows = "".join(
        f'<tr><td><b>{one}</b></td><td><font color="#{one % 20:06x}">x</font></td><td><a href="https://a.example/{one}">y</a>'
        "</td></tr>"
        for one in range(1_900)
    )
    assert html.inline_styles(f"<table>{rows}</table>").count("<b>") == 1_900
