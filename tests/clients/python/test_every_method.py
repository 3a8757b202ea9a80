"""No method of the client is left out; runs last."""

from conftest import CALLED, all_methods


def test_every_method_was_called() -> None:
    assert all_methods() - CALLED == set()
