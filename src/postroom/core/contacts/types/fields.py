"""Values of custom fields."""

from dataclasses import dataclass

from django.db.models import TextChoices

from postroom.kit.types import UNSET, Unset


class FieldScope(TextChoices):
    """Who sees a field: every workspace, those the organization runs itself by (``settings.is_global``), or one."""

    CORE = "core"
    GLOBAL_INTERNAL = "global_internal"
    WORKSPACE = "workspace"


class FieldType(TextChoices):
    """How a field's value is read, stored and compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    SELECT = "select"
    MULTISELECT = "multiselect"
    URL = "url"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a value of a field must look like; no ``options`` on a select means any word."""

    key: str
    label: str
    type: FieldType
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewField:
    """A field to define; an empty ``key`` is made from the label."""

    label: str
    key: str = ""
    type: FieldType = FieldType.TEXT
    scope: FieldScope = FieldScope.WORKSPACE
    options: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class FieldChanges:
    """What to say anew of a field; ``UNSET`` stays. Options that people still have are only taken away when it
    ``keeps_values``: these people keep theirs.
    """

    label: str | Unset = UNSET
    description: str | Unset = UNSET
    options: tuple[str, ...] | Unset = UNSET
    keeps_values: bool = False
