"""What of an erased person is theirs alone, so that a text which holds it is about them."""

import re
from collections.abc import Iterable
from typing import Final

_MIN_DIGITS: Final = 7


def make_needles(*, addresses: Iterable[str], phone: str) -> tuple[str, ...]:
    """Return what to look for in free text: the addresses, and a phone number long enough to be one person's.

    Names are not among them: they are words, and other people's.
    """
    digits = re.sub(r"\D", "", phone)
    return (*addresses, *((phone,) if len(digits) >= _MIN_DIGITS else ()))
