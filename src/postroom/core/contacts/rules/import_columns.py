"""Proposes where the columns of a file go: known headers by name, the rest as custom fields typed by a look at them."""

from collections.abc import Iterable, Sequence
from typing import Final

from postroom.core.contacts.rules.field_keys import field_key, slug_of
from postroom.core.contacts.rules.values import guess_type
from postroom.core.contacts.types import FieldSpec, NewField

CORE_TARGETS: Final = ("email", "first_name", "last_name", "company", "phone", "language", "timezone", "tags")
_SYNONYMS: Final = {
    "email": ("email", "e_mail", "mail", "email_address", "e_mail_address", "mail_address", "e_mail_adresse"),
    "first_name": ("first_name", "firstname", "given_name", "forename", "vorname", "prenom", "nombre"),
    "last_name": ("last_name", "lastname", "surname", "family_name", "nachname", "nom", "apellido"),
    "company": ("company", "organisation", "organization", "company_name", "firma", "employer"),
    "phone": ("phone", "phone_number", "telephone", "mobile", "mobile_phone", "tel"),
    "language": ("language", "lang", "locale", "sprache"),
    "timezone": ("timezone", "time_zone", "tz"),
    "tags": ("tags", "tag", "labels"),
}
_TARGETS: Final = {synonym: target for target, synonyms in _SYNONYMS.items() for synonym in synonyms}


def suggest_mapping(headers: Sequence[str], fields: Iterable[FieldSpec] = ()) -> dict[str, str]:
    """Return a target for each header; no two headers share one."""
    known = {slug_of(name): field.key for field in fields for name in (field.label, field.key)}
    mapping: dict[str, str] = {}
    for header in headers:
        slug = slug_of(header)
        target = _TARGETS.get(slug) or f"custom.{known.get(slug) or field_key(header)}"
        if target not in mapping.values():
            mapping[header] = target
    return mapping


def suggest_fields(
    mapping: dict[str, str], headers: Sequence[str], rows: Sequence[Sequence[str]], known_keys: Iterable[str]
) -> tuple[NewField, ...]:
    """Return the fields that ``mapping`` names and nobody has defined yet, typed by what ``rows`` hold."""
    known = set(known_keys)
    found: dict[str, NewField] = {}
    for header, target in mapping.items():
        key = target.removeprefix("custom.")
        if key == target or key in known or header not in headers:
            continue
        column = headers.index(header)
        values = [row[column] for row in rows if column < len(row)]
        found.setdefault(key, NewField(label=header, key=key, type=guess_type(values)))
    return tuple(found.values())
