"""The template language as authors use it."""

import pytest

from postroom.core.mail.errors import TemplateRefused
from postroom.core.mail.rules.liquid import Kind, check_template, parse_template, scan

VALUES = {
    "name": "Änn & Bob",
    "n": 7,
    "price": "19.90",
    "none": None,
    "yes": True,
    "rows": [{"t": "b", "p": 2}, {"t": "a", "p": 1}],
    "tags": ["x", "y", "x"],
    "custom": {"city": "Köln"},
    "day": "2026-11-20T08:30:00+01:00",
}
CASES = [
    ("Hi {{ name }}", "Hi Änn & Bob"),
    ("{{ missing }}{{ missing.deep.er }}{{ none }}", ""),
    ("{{ missing | default: 'friend' }}", "friend"),
    ('{{ none | default: "x" }}{{ n | default: 0 }}', "x7"),
    ("{{ custom.city | upcase }}", "KÖLN"),
    ("{% if n > 5 and yes %}big{% elsif n %}some{% else %}none{% endif %}", "big"),
    ("{% unless none %}no{% endunless %}", "no"),
    ("{% case n %}{% when 1, 2 %}few{% when 7 %}seven{% endcase %}", "seven"),
    ("{% for row in rows %}{{ row.t }}={{ row.p }}{% unless forloop.last %}, {% endunless %}{% endfor %}", "b=2, a=1"),
    ("{% for row in none %}x{% else %}empty{% endfor %}", "empty"),
    ("{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}", "aba"),
    ("{% assign x = n | plus: 1 %}{{ x }}{% increment k %}{% increment k %}", "801"),
    ("{% capture c %}[{{ n }}]{% endcapture %}{{ c }}{{ c }}", "[7][7]"),
    ("{% comment %}{{ name }}{% endcomment %}{% # note %}{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
    ("a {{- n -}} b", "a7b"),
    ("{{ price | times: 2 }} {{ 0.1 | plus: 0.2 }} {{ 7 | divided_by: 2 }} {{ 7 | modulo: 4 }}", "39.8 0.3 3 3"),
    ("{{ 'abc' | plus: 1 }}{{ 2.5 | round }}{{ 2.4 | ceil }}{{ '2.6' | floor }}{{ -3 | abs }}", "12323"),
    ("{{ rows | map: 't' | sort | join: '+' }} {{ tags | uniq | join }} {{ tags | size }}", "a+b x y 3"),
    ("{{ name | replace: 'Bob', 'Eve' | truncate: 6 }} {{ name | split: ' ' | last }}", "Änn... Bob"),
    ("{{ day | date: '%d.%m.%Y' }} {{ 'soon' | date: '%Y' }} {{ 1790000000 | date: '%Y' }}", "20.11.2026 soon 2026"),
    ("{{ '<p>a</p>' | strip_html }}{{ 'a b' | url_encode }}{{ n | at_most: 5 }}", "aa+b5"),
    ("{{ rows | where: 't', 'a' | first | size }}", "2"),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_a_template_says(source: str, expected: str) -> None:
    assert parse_template(source, escapes=False).render(VALUES) == expected


def test_values_are_escaped_for_html_and_literals_are_not() -> None:
    source = "{{ name }}{{ missing | default: '<i>you</i>' }}{{ name | append: '<br>' }}"
    assert parse_template(source, escapes=True).render(VALUES) == "Änn &amp; Bob<i>you</i>Änn &amp; Bob<br>"


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("a\nb {{ x | nope }}", 2, "unknown filter"),
        ("a\n\n{% if x %}", 3, "expected"),
        ("{% include 'x' %}", 1, "not allowed"),
        ("{{ x", 1, "not closed"),
        ("\n{% raw %}", 2, "not closed"),
        ("\n\n{{ x. }}", 3, "expected"),
        ("\n{{ 1 | divided_by: 0 }}", 2, "divide by zero"),
        ("{% for i in (1..n) %}{% endfor %}", 1, "range"),
        ("\n{% endif %}", 2, "endif"),
    ],
)
def test_a_refusal_names_line_and_reason(source: str, line: int, reason: str) -> None:
    with pytest.raises(TemplateRefused) as refusal:
        check_template(source)
    assert refusal.value.line == line
    assert reason in refusal.value.message


def test_scanning_loses_nothing() -> None:
    source = "a{{ b }}{% if c %}d{% raw %}{{ e }}{% endraw %}{% endif %}"
    pieces = scan(source)
    assert "".join(piece.source for piece in pieces) == source
    assert [piece.kind for piece in pieces] == [
        *(Kind.TEXT, Kind.OUTPUT, Kind.TAG, Kind.TEXT, Kind.RAW, Kind.TAG),
    ]


def test_nothing_of_one_rendering_stays_for_the_next() -> None:
    template = parse_template("{% if x %}{% assign y = x %}{% endif %}{{ y }}{% increment z %}", escapes=False)
    assert template.render({"x": "1"}) == "10"
    assert template.render({}) == "0"
