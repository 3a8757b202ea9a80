"""Figures become Prometheus's text format."""

from postroom.kit.metrics import Series, render


def test_single_and_labelled_figures_are_written_with_their_help() -> None:
    text = render(
        [Series("a_thing", "How many.", {"": 3}), Series("b_thing", "By kind.", {"x": 1, 'y"': 2.5}, "kind")]
    ).decode()
    assert "# HELP a_thing How many.\n# TYPE a_thing gauge\na_thing 3.0\n" in text
    assert 'b_thing{kind="x"} 1.0\nb_thing{kind="y\\""} 2.5\n' in text
    assert "process_resident_memory_bytes" in text
