"""Placeholders become Liquid, and nothing else of a program's words does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.mail.rules.liquid import parse_template
from postroom.core.mail.rules.placeholders import has_way_out, name_variables, to_liquid

ANN: Any = {
    "email": "ann@example.com",
    "first_name": "Ann <3",
    "properties": {"company": "Acme", "2nd": "two", "size": "XL"},
    "unsubscribe_url": "https://out.example/u/1",
}
NAMES = name_variables(["company", "2nd", "size"])
PIECES = st.lists(
    st.one_of(
        st.text(alphabet="{}%-ab \n'\"|=,", max_size=20),
        st.sampled_from(["{{", "}}", "{%", "%}", "{% raw %}", "{% endraw %}", "{{nobody}}", "{{ x, fallback=y }}"]),
    ),
    max_size=8,
).map("".join)


def said(text: str, *, escapes: bool = False) -> str:
    return parse_template(to_liquid(text, variables=NAMES), escapes=escapes).render(ANN)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{email}}", "ann@example.com"),
        ("{{ firstName }}", "Ann <3"),
        ("{{FIRSTNAME}} {{contact.firstname}} {{ Contact.firstName }}", "Ann <3 Ann <3 Ann <3"),
        ("{{lastName,fallback=friend}}", "friend"),
        ("{{lastName, fallback = dear friend }}", "dear friend"),
        ("{{firstName,fallback=friend}}", "Ann <3"),
        ("{{lastName,fallback=}}.", "."),
        ("""{{lastName,fallback=a "b" 'c'}}""", """a "b" 'c'"""),
        ("{{lastName,fallback=%}}", "%"),
        ("{{company}}, {{Company}}, {{contact.company}}", "Acme, Acme, Acme"),
        ("{{2nd}} {{size}}", "two XL"),
        ("{{city}} {{city,fallback=Rome}}", "{{city}} {{city,fallback=Rome}}"),
        (
            "{{first_name}} {{ company | upcase }} {% if email %}",
            "{{first_name}} {{ company | upcase }} {% if email %}",
        ),
        ("{{{email}}} {{{{email}}", "{ann@example.com} {{ann@example.com"),
        ("{{UseSend_Unsubscribe_URL}} {{ unsend_unsubscribe_url }}", "https://out.example/u/1 https://out.example/u/1"),
        ("{{unsubscribe_url}}", "{{unsubscribe_url}}"),
        ("{{ firstName", "{{ firstName"),
    ],
)
def test_known_placeholders_are_filled_in_and_the_rest_is_said_as_it_stands(text: str, wanted: str) -> None:
    assert said(text) == wanted


def test_in_html_values_are_escaped_and_a_fallback_is_html() -> None:
    assert said("{{firstName}} {{lastName,fallback=<b>you</b> &amp; me}}", escapes=True) == (
        "Ann &lt;3 <b>you</b> &amp; me"
    )


@given(PIECES, PIECES)
def test_braces_around_a_placeholder_are_words(before: str, after: str) -> None:
    assert said(f"{before} {{{{email}}}} {after}").count("ann@example.com") >= 1
    assert said(before) == before


def test_a_long_fallback_is_said_whole() -> None:
    assert said("{{lastName,fallback=" + "x" * 3000 + "}}") == "x" * 3000


@pytest.mark.parametrize("text", ["{{usesend_unsubscribe_url}}", "a {{  UNSEND_unsubscribe_url }} b"])
def test_the_way_out_is_found(text: str) -> None:
    assert has_way_out(text)


@pytest.mark.parametrize("text", ["", "usesend_unsubscribe_url", "{{unsubscribe_url}}", "{{ usesend_unsubscribe_url"])
def test_what_is_no_way_out_is_none(text: str) -> None:
    assert not has_way_out(text)


def test_endless_braces_and_blanks_take_no_time() -> None:
    for text in ("{{" * 50_000, "{{a" + " " * 200_000, "{{a,fallback=" + " " * 200_000, "{{a," * 50_000):
        assert not has_way_out(text)
