"""What a door says of itself beyond its schema: a title, a few paragraphs, and bodies that make sense."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.core.workspaces.types import Door
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Sample:
    """A request that makes sense: its body, what it asks for behind ``?``, and what stands in its path for ids."""

    body: JSONValue = None
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which a door says no."""

    status: int
    when: str
    body: JSONValue


@dataclass(frozen=True, slots=True)
class Manual:
    """All that the page of a door says itself; ``samples`` are by operation id."""

    door: Door
    title: str
    intro: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    samples: Mapping[str, Sample]

    def sample(self, operation: str) -> Sample:
        """Return the sample of an operation; most need none."""
        return self.samples.get(operation) or Sample()
