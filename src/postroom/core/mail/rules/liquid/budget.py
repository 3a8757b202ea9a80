"""What a rendering may cost: a count of steps and a weight for every value, both without a clock."""

from typing import Final

from liquid import RenderContext
from liquid.exceptions import LocalNamespaceLimitError, ResourceLimitError

MAX_STEPS: Final = 50_000
MAX_WEIGHT: Final = 64 * 1024
MAX_ITEMS: Final = 2_000
MAX_HELD: Final = 1024 * 1024
MAX_NUMBER_BITS: Final = 256
CHARACTERS_PER_STEP: Final = 200


class BudgetExceeded(ResourceLimitError):
    """The template asks for more than a message may cost."""


def weigh(value: object) -> int:
    """Return the size of a value in characters, all of it. Raises BudgetExceeded when one part is beyond bounds."""
    if isinstance(value, str):
        weight = len(value)
    elif isinstance(value, int):
        weight = _number_weight(value)
    elif isinstance(value, (list, tuple, dict)):
        weight = _collection_weight(value)
    else:
        weight = 8
    if weight > MAX_WEIGHT:
        raise BudgetExceeded(f"a value is larger than {MAX_WEIGHT // 1024} KB", token=None)
    return weight


def _number_weight(value: int) -> int:
    if value.bit_length() > MAX_NUMBER_BITS:
        raise BudgetExceeded("a number is too large", token=None)
    return 8


def _collection_weight(value: list[object] | tuple[object, ...] | dict[object, object]) -> int:
    if len(value) > MAX_ITEMS:
        raise BudgetExceeded(f"a list has more than {MAX_ITEMS} items", token=None)
    weight = 8
    for item in value.items() if isinstance(value, dict) else value:
        weight += 8 + weigh(item)
        if weight > MAX_WEIGHT:
            break
    return weight


class BudgetedContext(RenderContext):
    """A render context that counts: every node, variable, filter, assignment and loop is paid for."""

    __slots__ = ("held", "steps")

    def __init__(self, *arguments: object, **options: object) -> None:
        self.steps = 0
        self.held = 0
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    @property
    def disabled_tags(self) -> list[str]:
        """Asked for by every node before it renders: the one place where all of them can be counted."""
        self.spend(1)
        return []

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:
        """Tags are allowed or not by the scan, before anything is parsed."""

    def spend(self, steps: int) -> None:
        """Pay for ``steps``. Raises BudgetExceeded."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise BudgetExceeded("the template takes too many steps", token=None)

    def weigh(self, value: object) -> int:
        """Weigh a value and pay for the weighing."""
        weight = weigh(value)
        self.spend(1 + weight // CHARACTERS_PER_STEP)
        return weight

    def get(self, path: list[object], *, token: object, **options: object) -> object:
        """Resolve a path, paid for."""
        self.spend(1 + len(path))
        return super().get(path, token=token, **options)  # type: ignore[arg-type]

    def assign(self, key: str, val: object) -> None:
        """Remember a value; all that was ever remembered counts."""
        self.held += self.weigh(val)
        if self.held > MAX_HELD:
            raise LocalNamespaceLimitError("the template remembers too much", token=None)
        self.locals[key] = val

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Pay for a loop before it runs."""
        self.spend(length)
