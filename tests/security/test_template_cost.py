"""Hostile templates end at once, in little memory, with a typed error, and leave the process alive."""

import json
import subprocess
import sys

import pytest

from postroom.core.mail.errors import TemplateRefused
from postroom.core.mail.rules.liquid import parse_template

LONG = "a" * 900
HOSTILE = {
    "endless range": "{% for i in (1..999999999) %}x{% endfor %}",
    "range joined": "{{ (1..999999999) | join: 'x' }}",
    "range with a variable end": "{% for i in (1..n) %}x{% endfor %}",
    "range searched": "{% if (1..999999999) contains 'x' %}{% endif %}",
    "range assigned": "{% assign r = (1..99999999) %}{{ r | size }}{{ r | reverse | first }}",
    "nested loops": "{% for a in (1..1000) %}" * 5 + "x" + "{% endfor %}" * 5,
    "empty nested loops": "{% for a in (1..1000) %}" * 3 + "{% endfor %}" * 3,
    "many loops": "{% for a in (1..1000) %}{{ a }}{% endfor %}" * 800,
    "loops of conditions": ("{% for a in (1..1000) %}" + "{% if 1 == 1 %}{% endif %}" * 50 + "{% endfor %}") * 20,
    "doubling by append": "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 60,
    "doubling by prepend": "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | prepend: a %}" * 60,
    "doubling by capture": "{% assign a = 'aaaaaaaaaa' %}" + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 60,
    "growth by replace": "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | replace: 'a', 'aaaaaaaaaa' %}" * 20,
    "growth by replacing nothing": "{% assign a = 'aa' %}" + "{% assign a = a | replace: '', 'aaaaaaaaa' %}" * 20,
    "growth by join": "{% assign s = '" + LONG + "' | split: '' %}{% assign t = s | join: '" + LONG + "' %}{{ t }}",
    "growth by concat": "{% assign a = '1,2,3,4' | split: ',' %}" + "{% assign a = a | concat: a %}" * 30,
    "list of long strings": "{% assign a = '"
    + LONG
    + "' | split: ',' %}"
    + "{% assign a = a | concat: a %}" * 30
    + "{{ a }}",
    "growth by escaping": "{% assign a = '" + "&" * 900 + "' %}" + "{% assign a = a | escape %}" * 30,
    "growth by line breaks": "{% assign a = '" + "\n" * 900 + "' %}" + "{% assign a = a | newline_to_br %}" * 30,
    "squared number": "{% assign a = 99999999 %}" + "{% assign a = a | times: a %}" * 40,
    "many names": "".join(f"{{% assign a{i} = '{LONG}' %}}" for i in range(2_500)),
    "counters in loops": "{% for a in (1..1000) %}{% for b in (1..1000) %}{% increment c %}{% endfor %}{% endfor %}",
    "cycles in loops": "{% for a in (1..1000) %}{% for b in (1..1000) %}{% cycle 'a', 'b' %}{% endfor %}{% endfor %}",
    "heavy filters in a loop": "{% assign a = '"
    + LONG
    + "' %}{% for i in (1..50) %}{% assign a = a | append: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}{% endfor %}"
    + "{% for i in (1..1000) %}{{ a | replace: 'a', 'b' | replace: 'b', 'a' | upcase | strip_html }}{% endfor %}",
    "deep nesting": "{% if true %}" * 500 + "{% endif %}" * 500,
    "unclosed outputs": "{{" * 200_000,
    "unclosed tags": "{%" * 200_000,
    "unclosed raw": "{% raw %}" * 50_000,
    "unclosed comment": "{% comment %}" * 2_000,
    "blank expression": "{{" + " " * 400_000,
    "too many parts": "{{ a }}" * 60_000,
    "too long": "a" * 2_000_000,
    "long path": "{{ a" + ".a" * 100_000 + " }}",
    "many brackets": "{{ " + "[" * 990 + " }}",
    "many conditions": "{% if " + " or ".join(["a"] * 5_000) + " %}{% endif %}",
    "many filters": "{{ a" + " | upcase" * 50_000 + " }}",
    "long date format": "{{ '2026-11-20' | date: '" + "%c" * 400 + "' }}",
    "wide date format": "{% assign f = '%Y' %}"
    + "{% assign f = f | append: f %}" * 12
    + "{{ '2026-11-20' | date: f }}",
}

CHILD = """
import json, pathlib, resource, sys, time
from postroom.core.mail.errors import TemplateRefused
from postroom.core.mail.rules.liquid import parse_template
parse_template("{{ warm | upcase }}", escapes=True).render({"warm": "up"})
def peak_kb():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

pathlib.Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the start
before = peak_kb()
limit = 256 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
results = {}
for name, source in json.load(sys.stdin).items():
    started = time.process_time()
    try:
        parse_template(source, escapes=True).render({"n": 999999999})
        verdict = "rendered"
    except TemplateRefused as refusal:
        verdict = refusal.message
    results[name] = [time.process_time() - started, verdict]
json.dump({"results": results, "grown_mb": (peak_kb() - before) / 1024}, sys.stdout)
"""


@pytest.fixture(scope="module")
def measured() -> dict[str, object]:
    """Render them all in one child, which must still be alive after the last."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(HOSTILE),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    answer: dict[str, object] = json.loads(child.stdout)
    return answer


def test_there_are_30_hostile_templates() -> None:
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused_in_half_a_second(
    measured: dict[str, dict[str, list[object]]], name: str
) -> None:
    seconds, verdict = measured["results"][name]
    assert verdict != "rendered"
    assert float(str(seconds)) < 0.5


def test_all_hostile_templates_together_stay_below_64_mb(measured: dict[str, float]) -> None:
    assert measured["grown_mb"] < 64


def test_a_refusal_names_line_and_reason() -> None:
    with pytest.raises(TemplateRefused, match=r"^Line 3: unknown filter 'nope'\.$") as refusal:
        parse_template("Dear\n{{ name }},\n{{ name | nope }}", escapes=True)
    assert refusal.value.line == 3


def test_a_long_but_honest_template_renders() -> None:
    rows = [{"name": f"item {number}", "price": number} for number in range(200)]
    source = (
        "{% for row in rows %}<tr><td>{{ row.name | upcase }}</td><td>{{ row.price | times: 2 }}</td></tr>{% endfor %}"
    )
    assert parse_template(source, escapes=True).render({"rows": rows}).count("<tr>") == 200
